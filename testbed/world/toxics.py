"""Toxics: what a directed link does to the bytes that cross it, besides cutting them off."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from testbed.topology.model import Link

KINDS: Mapping[str, Mapping[str, str]] = {
    "latency": {"delay_ms": "latency", "jitter_ms": "jitter"},
    "bandwidth": {"rate_kbytes_s": "rate"},
    "slow_close": {"delay_ms": "delay"},
    "timeout": {"timeout_ms": "timeout"},
    "reset_peer": {"timeout_ms": "timeout"},
    "slicer": {
        "average_size_bytes": "average_size",
        "size_variation_bytes": "size_variation",
        "delay_us": "delay",
    },
    "limit_data": {"limit_bytes": "bytes"},
}
"""Each kind's parameters, by our name with its unit, as Toxiproxy calls them."""

BASE = "link"
"""Toxics of this name prefix belong to the inventory's links; a fault may not use it."""


@dataclass(frozen=True, slots=True)
class Toxic:
    """One thing that a directed link does to bytes.

    Args:
        name: Chosen by who adds it; unique on its link.
        kind: A key of ``KINDS``.
        parameters: By name with the unit last; one that is absent is 0.
        toxicity: Share of the connections that it applies to, 0 to 1.

    Raises:
        ValueError: Lists every problem.
    """

    name: str
    kind: str
    parameters: Mapping[str, int] = field(default_factory=dict)
    toxicity: float = 1.0

    def __post_init__(self) -> None:
        problems = [*self._problems()]
        if problems:
            raise ValueError(f"toxic {self.name!r}: " + "; ".join(problems))

    def attributes(self) -> dict[str, int]:
        """The parameters under Toxiproxy's names."""
        names = KINDS[self.kind]
        return {theirs: self.parameters.get(ours, 0) for ours, theirs in names.items()}

    def _problems(self) -> list[str]:
        problems = []
        if not self.name.replace("-", "").isalnum():
            problems.append("a name is made of letters, digits and hyphens")
        if not 0 <= self.toxicity <= 1:
            problems.append(f"toxicity is a share from 0 to 1, not {self.toxicity:g}")
        known = KINDS.get(self.kind)
        if known is None:
            return [*problems, f"unknown kind {self.kind!r}: use one of {', '.join(KINDS)}"]
        for name, value in self.parameters.items():
            if name not in known:
                problems.append(f"{self.kind} has no {name!r}: it has {', '.join(known)}")
            elif type(value) is not int or value < 0:
                problems.append(f"{name} is a whole number from 0 up, not {value!r}")
        return problems


def from_attributes(name: str, kind: str, attributes: Mapping[str, int], toxicity: float) -> Toxic:
    """The toxic that Toxiproxy describes with its own names.

    Raises:
        ValueError: It is of a kind that is not known here.
    """
    ours = {theirs: mine for mine, theirs in KINDS.get(kind, {}).items()}
    parameters = {ours.get(key, key): value for key, value in attributes.items()}
    return Toxic(name, kind, parameters, toxicity)


def base_toxics(link: Link) -> tuple[Toxic, ...]:
    """What the inventory says of a link, as toxics; nothing for a perfect one.

    Toxiproxy counts whole milliseconds: a delay is rounded up, so that no link is faster than
    asked.
    """
    toxics = []
    if link.delay_ms or link.jitter_ms:
        delays = {"delay_ms": math.ceil(link.delay_ms), "jitter_ms": round(link.jitter_ms)}
        toxics.append(Toxic(f"{BASE}-latency", "latency", delays))
    if link.bandwidth_kbytes_s is not None:
        rate = {"rate_kbytes_s": link.bandwidth_kbytes_s}
        toxics.append(Toxic(f"{BASE}-bandwidth", "bandwidth", rate))
    return tuple(toxics)
