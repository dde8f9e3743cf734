"""Queues with unique values: whether some order exists, by sorting.

A queue is linearizable exactly when no value comes out that never went in or came out before, none
comes out before it goes in, no value that certainly went in first certainly comes out second (or
never, while the other does), and each time it was found empty there was a moment at which no value
was certainly within. For the pairs see Henzinger, Sezgin and Vafeiadis, "Aspect-oriented
linearizability proofs", CONCUR 2013, and Bouajjani, Emmi, Enea and Hamza, "On reducing
linearizability to state reachability", ICALP 2015; for the moments, and that they may be looked at
apart, Lee and Mathur, arXiv 2410.04581.

Something that began to take out with an unknown result may have taken any one value that nobody
else took. Values get a deadline: before it they must be gone, so that others may come out or the
queue be found empty. The one with the earliest deadline is served first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from testbed.checkers.linearizability.calls import NEVER
from testbed.checkers.linearizability.container import Container
from testbed.history.operation_table import Integers


@dataclass(frozen=True)
class Misorder:
    """What contradicts itself.

    Args:
        kind: ``order``, ``empty`` or ``lost``.
        values: Indexes of values of the container.
        empty: Index of an operation that found it empty, or -1.
    """

    kind: str
    values: tuple[int, ...] = ()
    empty: int = -1


def misorder(queue: Container) -> Misorder | None:
    """What no order of a queue's operations explains, or None."""
    stays = queue.out_end == NEVER
    serves = len(queue.loose) > 0
    firm = np.flatnonzero(~stays) if serves else np.arange(len(stays))
    found = overtaken(queue, firm)
    if found is not None:
        return Misorder("order", found)
    if not serves:
        return _found_full(queue, firm)
    left = np.flatnonzero(stays)
    deadline = _deadlines(queue, left)
    wrong = never_empty(queue, firm, left)
    if wrong is not None:
        return Misorder("empty", within_all_the_while(queue, wrong), wrong)
    # What must be gone when the queue is empty needs no deadline: loose operations are enough for
    # it, and who overtakes what came later overtakes it as well.
    order = np.argsort(deadline, kind="stable")
    served = np.full(len(left), NEVER)
    served[: len(queue.loose)] = queue.loose[: len(left)]
    late = np.flatnonzero((served >= deadline[order]) & (deadline[order] < NEVER))
    if not len(late):
        return None
    one = int(left[order[late[0]]])
    later = np.flatnonzero(queue.in_start > queue.filled[one])
    rival = later[np.argsort(queue.out_end[later])[:1]]
    return Misorder("lost", (one, *rival[queue.out_end[rival] < NEVER].tolist()))


def overtaken(queue: Container, chosen: Integers) -> tuple[int, int] | None:
    """Two values of which one certainly went in first and certainly came out second."""
    filled, emptied = queue.filled[chosen], queue.emptied[chosen]
    order = np.argsort(filled, kind="stable")
    if not len(order):
        return None
    latest = np.maximum.accumulate(emptied[order])
    before = np.searchsorted(filled[order], queue.in_start[chosen])
    ahead = np.where(before > 0, latest[before - 1], -1)
    bad = np.flatnonzero(ahead > queue.out_end[chosen])
    if not len(bad):
        return None
    second = bad[0]
    first = order[: before[second]]
    first = first[np.argmax(emptied[first])]
    return int(chosen[first]), int(chosen[second])


def _deadlines(queue: Container, left: Integers) -> Integers:
    """When each value that nobody took must be gone, so that it is not overtaken."""
    order = np.argsort(queue.in_start, kind="stable")
    after = np.minimum.accumulate(queue.out_end[order][::-1])[::-1]
    place = np.searchsorted(queue.in_start[order], queue.filled[left])
    some = place < len(order)
    deadline = np.full(len(left), NEVER)
    deadline[some] = after[place[some]]
    return deadline


def never_empty(queue: Container, firm: Integers, left: Integers) -> int | None:
    """The first operation that found the queue empty while it cannot have been; None without one.

    Args:
        queue: The operations.
        firm: Values that count as being within until they may have been taken out.
        left: Values that any loose operation may have taken.
    """
    filled, emptied = queue.filled[firm], queue.emptied[firm]
    within = filled < emptied
    times = np.unique(
        np.concatenate(
            [
                queue.empty_start,
                queue.empty_end,
                filled[within],
                emptied[within],
                queue.filled[left],
                queue.loose,
            ]
        )
    )
    change = np.zeros(len(times) + 1, dtype=np.int64)
    np.add.at(change, np.searchsorted(times, filled[within]), 1)
    np.add.at(change, np.searchsorted(times, emptied[within]), -1)
    possible = np.cumsum(change[:-1]) == 0
    if len(left):
        came = np.searchsorted(np.sort(queue.filled[left]), times, side="right")
        gone = np.searchsorted(queue.loose, times, side="right")
        possible &= gone >= came
    places = np.where(possible, np.arange(len(times)), len(times))
    following = np.minimum.accumulate(places[::-1])[::-1]
    moment = following[np.searchsorted(times, queue.empty_start)]
    bad = np.flatnonzero(moment >= np.searchsorted(times, queue.empty_end))
    return int(bad[0]) if len(bad) else None


def _found_full(queue: Container, firm: Integers) -> Misorder | None:
    wrong = never_empty(queue, firm, firm[:0])
    if wrong is None:
        return None
    return Misorder("empty", within_all_the_while(queue, wrong), wrong)


def within_all_the_while(queue: Container, empty: int) -> tuple[int, ...]:
    """Values of which one was certainly within at any moment of a time it was found empty."""
    start, end = int(queue.empty_start[empty]), int(queue.empty_end[empty])
    filled, emptied = queue.filled, queue.emptied
    chain: list[int] = []
    while start < end:
        holding = np.flatnonzero((filled <= start) & (emptied > start))
        if not len(holding):
            break
        best = int(holding[np.argmax(emptied[holding])])
        chain.append(best)
        start = int(emptied[best])
    return tuple(chain)
