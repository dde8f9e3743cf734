"""Operations as calls: an invocation with its completion, split by key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from testbed.history.operation_table import Integers, Kind, OperationTable, Small

NEVER = np.int64(2**62)
"""In ``end``: nobody knows whether it took effect, or when."""


@dataclass(frozen=True)
class Calls:
    """One row a call, in the order of invocation.

    Args:
        f: The function, as in the history.
        key: As in the history, -1 without one.
        start: The row of the invocation: a time without ties.
        end: The row of the completion; :data:`NEVER` for what is indeterminate.
        outcome: ``OK``, ``FAIL`` or ``INFO`` of :class:`Kind`.
    """

    f: NDArray[np.int16]
    key: NDArray[np.int32]
    start: Integers
    end: Integers
    outcome: Small

    def __len__(self) -> int:
        return len(self.start)

    def only(self, chosen: NDArray[np.bool_] | Integers) -> Calls:
        """Some of the calls."""
        return Calls(
            self.f[chosen],
            self.key[chosen],
            self.start[chosen],
            self.end[chosen],
            self.outcome[chosen],
        )


def calls_of(history: OperationTable) -> Calls:
    """All calls of a history."""
    start = np.flatnonzero(history.kind == Kind.INVOKE)
    partner = history.partner[start]
    outcome = np.where(partner >= 0, history.kind[partner], Kind.INFO).astype(np.int8)
    end = np.where(outcome == Kind.INFO, NEVER, partner)
    return Calls(history.f[start], history.key[start], start, end, outcome)


def by_key(calls: Calls) -> Iterator[tuple[int, Calls]]:
    """The calls of each key, which judge by themselves: linearizability is local."""
    if not len(calls):
        return
    order = np.argsort(calls.key, kind="stable")
    bounds = np.flatnonzero(np.diff(calls.key[order])) + 1
    for part in np.split(order, bounds):
        yield int(calls.key[part[0]]), calls.only(part)
