"""What a system said when it was asked to do something to itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What it said.

    Args:
        accepted: Whether it has done so, or is about to.
        text: Its own words; for a refusal, why.
    """

    accepted: bool
    text: str
