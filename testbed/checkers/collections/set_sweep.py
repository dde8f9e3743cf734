"""The one pass over all reads of a set that tells what became of each element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.collections.calls import Calls
from testbed.checkers.collections.elements import Elements, Numbers
from testbed.checkers.kernel import kernel
from testbed.history.operation_table import Integers, OperationTable

NEVER = np.int64(2**62)
"""A row that never came."""


@dataclass(frozen=True)
class Sweep:
    """What reads say, by element; rows, -1 or :data:`NEVER` where there is none.

    Args:
        added: First invocation of an add that may have been done.
        acknowledged: First acknowledgement of an add; ``NEVER`` without one.
        known: The element surely exists from here on: the first acknowledgement of an add, or the
            first completion of a read that has it; ``NEVER`` without one.
        present: The last invocation of a read that has it.
        absent: The last invocation of a read that lacks it, after which others have it or not.
        seen_early: Completion of a read that has it before any add of it was invoked.
        repeated: Completion of a read that has it twice.
    """

    added: Integers
    acknowledged: Integers
    known: Integers
    present: Integers
    absent: Integers
    seen_early: Integers
    repeated: Integers


def sweep(history: OperationTable, elements: Elements, adds: Calls, reads: Calls) -> Sweep:
    """Look at every read once: O(adds + items of all reads), however many reads there are.

    Args:
        history: Whose operations they are.
        elements: All elements that an add may have added.
        adds: The adds that may have been done.
        reads: The acknowledged reads.

    Raises:
        HistoryError: A read's value is no list.
    """
    contents = elements.contents(history, reads.ended)
    added = _first(len(elements), elements.number_rows(history, adds.asked), adds.begun)
    acknowledged = _first(
        len(elements), elements.number_rows(history, adds.ok.asked), adds.ok.ended
    )
    run = _sweep.for_rows(len(adds) + int(np.sum(contents.ends - contents.starts)))
    known, present, absent, early, repeated = run(
        contents.starts, contents.ends, contents.numbers, reads.begun, reads.ended, added
    )
    known = np.minimum(known, acknowledged)
    return Sweep(added, acknowledged, known, present, absent, early, repeated)


def _first(count: int, numbers: Numbers, rows: Integers) -> Integers:
    first = np.full(count, NEVER, dtype=np.int64)
    np.minimum.at(first, numbers, rows)
    return first


@kernel
def _sweep(  # noqa: PLR0917 - a kernel takes arrays
    starts: NDArray[Any],
    ends: NDArray[Any],
    items: NDArray[Any],
    begun: NDArray[Any],
    ended: NDArray[Any],
    added: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Walk the reads, in the order of their invocations, from the last to the first.

    The last read that lacks an element is the first one on this way that does. Until then the
    element stands in every read that was passed, so the elements still looked for are never more
    than those of the read before.
    """
    count = len(added)
    known = np.full(count, 2**62, dtype=np.int64)
    present = np.full(count, -1, dtype=np.int64)
    absent = np.full(count, -1, dtype=np.int64)
    early = np.full(count, -1, dtype=np.int64)
    repeated = np.full(count, -1, dtype=np.int64)
    stamp = np.full(count, -1, dtype=np.int64)
    always = np.arange(count)
    left = count
    for read in range(len(starts) - 1, -1, -1):
        for place in range(starts[read], ends[read]):
            element = items[place]
            if element < 0:
                continue
            if stamp[element] == read:
                repeated[element] = ended[read]
            stamp[element] = read
            known[element] = min(known[element], ended[read])
            present[element] = max(present[element], begun[read])
            if ended[read] < added[element]:
                early[element] = ended[read]
        kept = 0
        for place in range(left):
            element = always[place]
            if stamp[element] == read:
                always[kept] = element
                kept += 1
            else:
                absent[element] = begun[read]
        left = kept
    return known, present, absent, early, repeated
