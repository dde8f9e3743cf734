"""Versions of a placement policy that were in force for a while in a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

Reach = tuple[str, ...] | None
"""The jurisdictions where something may be; None for anywhere."""


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """Another version of the policy; every time in nanoseconds since the run began.

    Args:
        name: What operators did, for example ``pin_rows``.
        begun_ns: From here on it may have been in force.
        in_force_ns: From here on it was, everywhere; None where that was never reached.
        lifting_ns: From here on it may have been lifted again; None for never.
        lifted_ns: From here on it was; None where that was never reached.
        reach: Where data may be by it, by class and by the jurisdiction that it is at home in.
    """

    name: str
    begun_ns: int
    in_force_ns: int | None
    lifting_ns: int | None
    lifted_ns: int | None
    reach: Mapping[str, Mapping[str, Reach]]

    def holds(self, time_ns: int, settled_ns: int) -> bool:
        """Whether it was in force at a moment, and nothing else was.

        Args:
            time_ns: The moment.
            settled_ns: For how long what was sent before may still be on its way.
        """
        if self.in_force_ns is None or time_ns < self.in_force_ns + settled_ns:
            return False
        return self.lifting_ns is None or time_ns <= self.lifting_ns

    def may_hold(self, time_ns: int, settled_ns: int) -> bool:
        """Whether it may have been in force at a moment."""
        ended = self.lifted_ns is not None and time_ns > self.lifted_ns + settled_ns
        return time_ns >= self.begun_ns and not ended


def changes_document(changes: Iterable[PolicyChange]) -> list[dict[str, Any]]:
    """Changes as plain JSON."""
    return [asdict(change) for change in changes]


def changes_of(document: Iterable[Mapping[str, Any]]) -> tuple[PolicyChange, ...]:
    """The reverse of :func:`changes_document`.

    Raises:
        TypeError: One lacks a part, or has one that is unknown.
        KeyError: One does not say where data may be.
    """
    return tuple(
        PolicyChange(
            **{
                **one,
                "reach": {
                    name: {home: None if at is None else tuple(at) for home, at in homes.items()}
                    for name, homes in one["reach"].items()
                },
            }
        )
        for one in document
    )
