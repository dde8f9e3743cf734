"""A grow-only set that is read at any time: what was seen stays seen, what is known appears.

Definition. An element is *known* from the acknowledgement of its add on, or from the completion of
the first read that has it, whichever is earlier. It is *lost* if a read that was invoked after
that lacks it and no read that was invoked later has it; *stale* if such a read lacks it and a
later one has it; *stable* if a read has it and no read that was invoked later lacks it; *never
read* otherwise. Its stable latency is the time from when it is known to the invocation of the last
read that lacks it, 0 if there is none. Lost elements are violations, stale ones only where the set
is to be linearizable. After Jepsen's ``set-full`` checker
(https://jepsen-io.github.io/jepsen/jepsen.checker.html). Violations here and not there: an element
that no add can have added by then. As there, an element that one read has twice is one as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.collections.calls import REMOVALS, Calls, calls
from testbed.checkers.collections.elements import STRANGER, Elements, elements_of
from testbed.checkers.collections.keyed import by_key
from testbed.checkers.collections.set_sweep import NEVER, Sweep, sweep
from testbed.checkers.collections.unexpected import Unexpected
from testbed.checkers.collections.witness import EXAMPLES_MAX, listed, shortened, witness
from testbed.checkers.counted import counted
from testbed.checkers.operation_shapes import refuse_functions
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.operation_table import Integers, OperationTable

NAME = "set-full"
PROMISE = "Every acknowledged element appears in reads and never disappears again."
PROMISE_LINEARIZABLE = "Every read has all elements that were acknowledged before it."

Chosen = NDArray[np.bool_]


@by_key
def check(history: OperationTable, request: Request) -> Verdict:
    """Judge a set with many reads: O(adds + items of all reads).

    Args:
        history: ``add`` with the element as value, ``read`` with all of them as a list.
        request: With ``linearizable``, stale elements are violations.

    Raises:
        HistoryError: A read's value is no list, or something is removed.
        OutOfBudgetError: It took too long.
    """
    linearizable = bool(request.params.get("linearizable", False))
    refuse_functions(history, REMOVALS, "a set that only grows")
    adds, reads = calls(history, "add"), calls(history, "read").ok
    promise = PROMISE_LINEARIZABLE if linearizable else PROMISE
    if not len(reads):
        return Verdict(NAME, promise, Validity.UNKNOWN, "the set was never read")
    elements = elements_of(history, adds.possible.asked)
    request.budget.note(f"{len(elements)} elements were found, no read was judged yet")
    found = sweep(history, elements, adds.possible, reads)
    fates = _Fates(history, elements, adds, reads, found)
    violations = {
        "lost": fates.lost,
        "unexpected": found.seen_early >= 0,
        "repeated": found.repeated >= 0,
    }
    if linearizable:
        violations["stale"] = fates.stale
    strangers = fates.strangers()
    numbers = fates.numbers(len(strangers))
    if strangers or any(chosen.any() for chosen in violations.values()):
        reason, examples = fates.explained(violations, strangers)
        return Verdict(NAME, promise, Validity.VIOLATION, reason, examples, numbers)
    if not fates.stable.any():
        reason = "no element was read after it was known: nothing can be said of any"
        return Verdict(NAME, promise, Validity.UNKNOWN, reason, (), numbers)
    reason = f"{int(numbers['stable'])} of {len(elements)} elements are stable, none is lost"
    return Verdict(NAME, promise, Validity.VALID, reason, (), numbers)


class _Fates:
    """What became of each element."""

    def __init__(
        self, history: OperationTable, elements: Elements, adds: Calls, reads: Calls, found: Sweep
    ) -> None:
        self.history, self.elements, self.adds, self.reads = history, elements, adds, reads
        self.found = found
        last = int(reads.begun[-1])
        self.lost: Chosen = np.maximum(found.known, found.present) < last
        # Reads invoked after the last one that has it lack it; they count if they ended after
        # its add was invoked.
        latest_end = np.append(np.maximum.accumulate(reads.ended[::-1])[::-1], -1)
        later = latest_end[np.searchsorted(reads.begun, found.present, side="right")]
        self.stable: Chosen = (found.present >= 0) & ~(later > found.added)
        self.stale: Chosen = self.stable & (found.absent > found.known)

    def strangers(self) -> list[tuple[Any, int]]:
        """Elements that were read and cannot have been added, each with the invocation."""
        contents = self.elements.contents(self.history, self.reads.ended)
        places = np.flatnonzero(contents.numbers == STRANGER)
        if not len(places):
            return []
        strangers: dict[str, tuple[Any, int]] = {}
        for read in self._reads_with(contents.starts, contents.ends, places):
            values = self.history.value(int(self.reads.ended[read]))
            for place in np.flatnonzero(contents.of(read) == STRANGER).tolist():
                strangers.setdefault(str(values[place]), (values[place], read))
        return [(value, int(self.reads.begun[read])) for value, read in strangers.values()]

    def _reads_with(self, starts: Integers, ends: Integers, places: Integers) -> list[int]:
        """The reads whose lists hold some places."""
        within = np.searchsorted(places, ends) > np.searchsorted(places, starts)
        found: list[int] = np.flatnonzero(within).tolist()
        return found

    def numbers(self, strangers: int) -> dict[str, float]:
        """The figures of the verdict."""
        numbers = {
            "adds": float(len(self.adds)),
            "acknowledged": float(len(self.adds.ok)),
            "reads": float(len(self.reads)),
            "elements": float(len(self.elements)),
            "stable": float(np.count_nonzero(self.stable)),
            "lost": float(np.count_nonzero(self.lost)),
            "stale": float(np.count_nonzero(self.stale)),
            "never_read": float(np.count_nonzero(~self.stable & ~self.lost)),
            "unexpected": float(strangers + np.count_nonzero(self.found.seen_early >= 0)),
            "repeated": float(np.count_nonzero(self.found.repeated >= 0)),
        }
        times = self.history.time_ns
        if times is not None and self.stable.any():
            since = times[self.found.known[self.stable]]
            absent = self.found.absent[self.stable]
            until = np.where(self.stale[self.stable], times[np.maximum(absent, 0)], since)
            latency_ms = np.maximum(until - since, 0) / 1e6
            for name, share in (("p50", 50), ("p95", 95), ("p99", 99), ("max", 100)):
                value = np.percentile(latency_ms, share, method="inverted_cdf")
                numbers[f"stable_latency_{name}_ms"] = float(value)
        return numbers

    def explained(
        self, violations: dict[str, Chosen], strangers: list[tuple[Any, int]]
    ) -> tuple[str, tuple[Any, ...]]:
        """The reason and the examples."""
        parts, examples = [], []
        for anomaly, chosen in violations.items():
            places = np.flatnonzero(chosen).tolist()
            values = [self.elements.value(place) for place in places]
            if places:
                parts.append(
                    f"{counted(len(places), 'element')} {_WORDS[anomaly]}: {listed(values)}"
                )
            examples += [self._example(anomaly, place) for place in places[:EXAMPLES_MAX]]
        if strangers:
            values = [value for value, _ in strangers]
            parts.append(
                f"{counted(len(values), 'element')} read that nobody added: {listed(values)}"
            )
            sources = Unexpected(self.adds)
            examples += [sources.shown(value, row) for value, row in strangers[:EXAMPLES_MAX]]
        return "; ".join(parts), tuple(examples)

    def _example(self, anomaly: str, place: int) -> dict[str, Any]:
        found, partner = self.found, self.history.partner
        value = self.elements.value(place)
        name = shortened(value)
        add = int(found.added[place])
        if found.acknowledged[place] != NEVER:
            add = int(partner[found.acknowledged[place]])
        rows = [add]
        if anomaly == "lost":
            text = f"element {name} is known and gone: no later read has it"
            rows += [int(found.present[place]), int(self.reads.begun[-1])]
        elif anomaly == "stale":
            text = f"element {name} is known, and a read that was invoked later lacks it"
            known = int(found.known[place])
            seen = int(partner[known]) if known != found.acknowledged[place] else -1
            rows += [seen, int(found.absent[place])]
        elif anomaly == "repeated":
            text = f"element {name} stands twice in one read"
            rows.append(int(partner[found.repeated[place]]))
        else:
            text = f"element {name} was read before anybody added it"
            rows.append(int(partner[found.seen_early[place]]))
        return witness(self.history, anomaly, [f"{text}:"], rows, element=value)


_WORDS = {
    "lost": "lost",
    "stale": "missing from a read that came after they were known",
    "unexpected": "in a read that ended before anybody added them",
    "repeated": "twice in one read",
}
