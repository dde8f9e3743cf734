"""No reversed cause: who sees a write sees all that was acknowledged before it began.

Definition. Values are written blindly, each once, and never removed; a read returns those it sees.
If a read sees a value, it also sees every value whose write was acknowledged before the first
write of that one was invoked. Strict serializability forbids anything else; serializability alone
does not. After Jepsen's ``causal-reverse`` workload
(https://jepsen-io.github.io/jepsen/jepsen.tests.causal-reverse.html). A violation here and not
there: a value that no write can have written by then.

Algorithm. Of the values that a read sees, the one whose write was invoked last asks for the most:
every write acknowledged before that. Counting those that it sees tells whether one is missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.collections.calls import Calls, calls
from testbed.checkers.collections.elements import Contents, Elements, elements_of
from testbed.checkers.collections.keyed import by_key
from testbed.checkers.collections.unexpected import Unexpected
from testbed.checkers.collections.witness import EXAMPLES_MAX, listed, shortened, witness
from testbed.checkers.kernel import kernel
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.operation_table import Integers, OperationTable

NAME = "causal-reverse"
PROMISE = "Whoever sees a write sees every write that was acknowledged before it began."


@by_key
def check(history: OperationTable, request: Request) -> Verdict:
    """Judge reads of written values: O(writes + items of all reads).

    Args:
        history: ``write`` with the value, ``read`` with all that are seen as a list.
        request: Nothing of it is needed but the budget.

    Raises:
        HistoryError: A read's value is no list.
        OutOfBudgetError: It took too long.
    """
    writes, reads = calls(history, "write"), calls(history, "read").ok
    elements = elements_of(history, writes.possible.asked)
    contents = elements.contents(history, reads.ended)
    request.budget.note(f"{len(writes)} writes were found, no read was judged yet")
    begun = _first(history, elements, writes.possible, writes.possible.begun)
    acknowledged = _first(history, elements, writes.ok, writes.ok.ended)
    run = _latest.for_rows(len(writes) + len(contents.numbers))
    latest, seen_before, strange = run(
        contents.starts, contents.ends, contents.numbers, reads.ended, begun, acknowledged
    )
    asked = np.where(latest >= 0, np.append(begun, 0)[latest], 0)
    missing = np.searchsorted(np.sort(acknowledged), asked) - seen_before
    wrong = np.flatnonzero(missing > 0).tolist()
    strangers = np.flatnonzero(strange >= 0).tolist()
    numbers = {
        "writes": float(len(writes)),
        "reads": float(len(reads)),
        "wrong_reads": float(len(wrong)),
        "unexpected": float(len(strangers)),
    }
    if wrong or strangers:
        shown = _Shown(elements, contents, writes, reads, acknowledged)
        examples = [shown.reversed(read, latest, begun) for read in wrong[:EXAMPLES_MAX]]
        examples += [shown.strange(read, strange) for read in strangers[:EXAMPLES_MAX]]
        reason = (
            f"{len(wrong)} of {len(reads)} reads see a write without one that was acknowledged "
            f"before it began; {len(strangers)} see what nobody had written"
        )
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, tuple(examples), numbers)
    if not np.any(latest >= 0):
        reason = "no read saw a write: nothing can be said of their order"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    reason = f"{len(reads)} reads see writes in the order of time"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _first(history: OperationTable, elements: Elements, writes: Calls, rows: Integers) -> Integers:
    first = np.full(len(elements), len(history), dtype=np.int64)
    np.minimum.at(first, elements.number_rows(history, writes.asked), rows)
    return first


@kernel
def _latest(  # noqa: PLR0917 - a kernel takes arrays
    starts: NDArray[Any],
    ends: NDArray[Any],
    items: NDArray[Any],
    ended: NDArray[Any],
    begun: NDArray[Any],
    acknowledged: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """For each read the element begun last, how many were acknowledged before that, a stranger.

    A stranger is the place in the list of an element that nobody had written by then.
    """
    latest = np.full(len(starts), -1, dtype=np.int64)
    before = np.zeros(len(starts), dtype=np.int64)
    strange = np.full(len(starts), -1, dtype=np.int64)
    stamp = np.full(len(begun), -1, dtype=np.int64)
    for read in range(len(starts)):
        last = -1
        for place in range(starts[read], ends[read]):
            element = items[place]
            if element < 0 or ended[read] < begun[element]:
                strange[read] = place - starts[read]
            elif last < 0 or begun[element] > begun[last]:
                last = element
        latest[read] = last
        for place in range(starts[read], ends[read]):
            element = items[place]
            if last < 0 or element < 0 or stamp[element] == read:
                continue
            stamp[element] = read
            if acknowledged[element] < begun[last]:
                before[read] += 1
    return latest, before, strange


class _Shown:
    """What a violation looks like."""

    def __init__(
        self,
        elements: Elements,
        contents: Contents,
        writes: Calls,
        reads: Calls,
        acknowledged: Integers,
    ) -> None:
        self.history, self.elements, self.contents = reads.table, elements, contents
        self.reads, self.acknowledged = reads, acknowledged
        self.sources = Unexpected(writes)

    def reversed(self, read: int, latest: Integers, begun: Integers) -> dict[str, Any]:
        """A read that lacks a write which was acknowledged before one that it sees began."""
        last = int(latest[read])
        seen = self.contents.of(read)
        earlier = np.flatnonzero(self.acknowledged < begun[last])
        missing = earlier[~np.isin(earlier, seen)]
        values = [self.elements.value(number) for number in missing.tolist()]
        text = (
            f"a read sees {shortened(self.elements.value(last))} and not {listed(values)}, which "
            "was acknowledged before that one's write began:"
        )
        first = int(self.history.partner[self.acknowledged[missing[0]]])
        rows = [first, int(begun[last]), int(self.reads.begun[read])]
        return witness(self.history, NAME, [text], rows, missing=values[:EXAMPLES_MAX])

    def strange(self, read: int, strange: Integers) -> dict[str, Any]:
        """A read of what nobody had written."""
        value = self.history.value(int(self.reads.ended[read]))[int(strange[read])]
        return self.sources.shown(value, int(self.reads.begun[read]))
