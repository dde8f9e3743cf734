"""The verdict: what a checker says of a history, and how several become one."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


class Validity(enum.IntEnum):
    """Three answers, ordered so that the greatest is the merged one.

    ``VIOLATION`` over ``UNKNOWN`` over ``VALID``; nothing turns an unknown into a pass.
    """

    VALID = 0
    UNKNOWN = 1
    VIOLATION = 2


@dataclass(frozen=True, slots=True)
class Levels:
    """Where a history of transactions stands among the isolation levels.

    Args:
        violated: The weakest levels that it violates, canonical names.
        allowed: The strongest levels that nothing found in it contradicts.
    """

    violated: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cause:
    """One way in which a promise came to be broken, as data.

    Args:
        name: Short and stable, for example ``row filter``.
        what: What happened, for people.
        findings: How many of the verdict's findings it explains.
        classes: The data classes that they are of.
        places: Where they were: nodes, and directed links.
    """

    name: str
    what: str
    findings: int
    classes: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{self.what} ({', '.join(self.classes)}; {', '.join(self.places)})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one promise.

    Args:
        promise: The promise in one sentence, for people.
        name: A short stable identifier, for example ``durability``.
        validity: The answer.
        reason: One sentence: why, with numbers.
        counterexample: The smallest thing that shows a violation, plain JSON.
        numbers: Figures that belong to the answer, by name with the unit last.
        levels: For transactions: what the history violates and what it allows.
        causes: How it came to be broken where that is known, the most telling first.
    """

    name: str
    promise: str
    validity: Validity
    reason: str
    counterexample: tuple[Any, ...] = ()
    numbers: dict[str, float] = field(default_factory=dict)
    levels: Levels | None = None
    causes: tuple[Cause, ...] = ()


def merge(verdicts: Iterable[Verdict]) -> Validity:
    """The validity of several verdicts together: violation > unknown > valid.

    No verdict at all is unknown: a run that was judged on nothing has shown nothing.
    """
    return max((verdict.validity for verdict in verdicts), default=Validity.UNKNOWN)
