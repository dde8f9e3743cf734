"""What a counter of the kernel has seen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Count:
    """What a counter of the kernel has seen.

    Args:
        packets: Number of packets.
        bytes: Their length with IP headers.
    """

    packets: int = 0
    bytes: int = 0
