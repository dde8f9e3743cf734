"""Isolation levels by definition: every order of commits is tried, every set of what was visible.

After Biswas and Enea (OOPSLA 2019), and for parallel snapshot isolation after Cerone, Bernardi and
Gotsman (CONCUR 2015). A history is a list of transactions ``{"process", "outcome", "ops", "start",
"end"}`` in the order of their invocations, as in :mod:`tests.transaction_tables`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, permutations
from typing import Any

INITIAL = -1
BASES = {"strict-serializable": "serializable", "strong-causal-cerone": "causal"}
"""Names of strong forms that are not made of the level's own."""


@dataclass
class Execution:
    """A choice of transactions that took effect, with who read from whom.

    Args:
        rows: The committed transactions.
        reads: For each its external reads in order: (key, writer).
        writes: For each the keys that it writes.
        session: Pairs (before, after) of session order, not transitive closures of unsure ones.
        realtime: Pairs by real time.
    """

    rows: list[int]
    reads: dict[int, list[tuple[Any, int]]]
    writes: dict[int, set[Any]]
    session: set[tuple[int, int]]
    realtime: set[tuple[int, int]]

    @cached_property
    def read_from(self) -> set[tuple[int, int]]:
        return {(w, row) for row, reads in self.reads.items() for _, w in reads if w != INITIAL}

    @cached_property
    def orders(self) -> list[dict[int, int]]:
        """Where each stands, in every order that agrees with sessions and who read from whom."""
        before = self.session | self.read_from
        places = [{row: at for at, row in enumerate(order)} for order in permutations(self.rows)]
        return [
            place | {INITIAL: -1} for place in places if all(place[a] < place[b] for a, b in before)
        ]


def executions(history: list[dict[str, Any]]) -> Iterator[Execution | None]:
    """Every choice of indeterminate transactions that took effect; None for impossible reads."""
    sure = [row for row, each in enumerate(history) if each["outcome"] == "ok"]
    unsure = [row for row, each in enumerate(history) if each["outcome"] == "info"]
    for count in range(len(unsure) + 1):
        for chosen in combinations(unsure, count):
            yield _execution(history, sorted([*sure, *chosen]))


def _execution(history: list[dict[str, Any]], rows: list[int]) -> Execution | None:
    final: dict[tuple[Any, Any], int] = {}
    writes: dict[int, set[Any]] = {}
    for row in rows:
        last = {key: value for access, key, value in history[row]["ops"] if access == "w"}
        writes[row] = set(last)
        final |= dict.fromkeys(last.items(), row)
    reads: dict[int, list[tuple[Any, int]]] = {row: [] for row in rows}
    for row in rows:
        own: dict[Any, Any] = {}
        for access, key, value in history[row]["ops"]:
            if access == "w":
                own[key] = value
            elif history[row]["outcome"] != "ok":
                continue
            elif key in own:
                if own[key] != value:
                    return None
            elif value is None:
                reads[row].append((key, INITIAL))
            elif final.get((key, value), row) == row:
                return None
            else:
                reads[row].append((key, final[key, value]))
    pairs = [(a, b) for a in rows for b in rows if history[a]["outcome"] == "ok" and a != b]
    session = {(a, b) for a, b in pairs if a < b and history[a]["process"] == history[b]["process"]}
    realtime = {(a, b) for a, b in pairs if history[a]["end"] < history[b]["start"]}
    return Execution(rows, reads, writes, session, realtime)


def holding(
    history: list[dict[str, Any]], levels: Iterable[str], *, sessions: bool = True
) -> dict[str, bool]:
    """Which levels hold, by their definitions, with or without the order of sessions."""
    runs = [each for each in executions(history) if each is not None]
    if not sessions:
        for each in runs:
            each.session.clear()
    return {level: any(_explained(each, level) for each in runs) for level in levels}


def holds(history: list[dict[str, Any]], level: str, *, sessions: bool = True) -> bool:
    """Whether a level holds."""
    return holding(history, [level], sessions=sessions)[level]


def _explained(run: Execution, level: str) -> bool:
    before = run.session | run.read_from
    orders = run.orders
    if level.startswith("str"):
        before |= run.realtime
        level = BASES.get(level, level.removeprefix("strong-"))
        orders = [place for place in orders if all(place[a] < place[b] for a, b in run.realtime)]
    if level == "parallel-snapshot-isolation":
        return any(_some_visibility(run, _rows_of(place), before) for place in orders)
    seen = _visible_without_order(run, level, before)
    return any(_agrees(run, level, place, before, seen) for place in orders)


def _rows_of(place: dict[int, int]) -> tuple[int, ...]:
    """The transactions in an order."""
    return tuple(row for row in place if row != INITIAL)


def _visible_without_order(
    run: Execution, level: str, before: set[tuple[int, int]]
) -> set[tuple[int, int]]:
    """(before, reader) by the axioms that do not speak of the commit order."""
    if level == "read-atomic":
        return before
    if level == "causal":
        closed = set(before)
        while more := {(a, d) for a, b in closed for c, d in closed if b == c} - closed:
            closed |= more
        return closed
    return set()


def _agrees(
    run: Execution,
    level: str,
    place: dict[int, int],
    before: set[tuple[int, int]],
    seen: set[tuple[int, int]],
) -> bool:
    for reader, reads in run.reads.items():
        for at, (key, source) in enumerate(reads):
            for other in (row for row in run.rows if key in run.writes[row]):
                if other in (source, reader) or place[other] < place[source]:
                    continue
                if level == "read-committed":
                    visible = any(writer == other for _, writer in reads[:at])
                elif level in ("read-atomic", "causal"):
                    visible = (other, reader) in seen
                elif level == "serializable":
                    visible = place[other] < place[reader]
                else:
                    visible = _in_snapshot(run, level, place, before, other, reader)
                if visible:
                    return False
    return True


def _in_snapshot(
    run: Execution,
    level: str,
    place: dict[int, int],
    before: set[tuple[int, int]],
    other: int,
    reader: int,
) -> bool:
    """Prefix, and for snapshot isolation Conflict too."""
    later = [row for row in run.rows if place[row] >= place[other]]
    if any((row, reader) in before for row in later):
        return True
    return level != "prefix" and any(
        run.writes[row] & run.writes[reader] and place[row] < place[reader] for row in later
    )


def _some_visibility(run: Execution, order: tuple[int, ...], before: set[tuple[int, int]]) -> bool:
    """Some transitive visibility within an order; writers of one key see each other."""
    ordered = list(combinations(order, 2))
    needed = before | {(a, b) for a, b in ordered if run.writes[a] & run.writes[b]}
    free = [pair for pair in ordered if pair not in needed]
    for count in range(len(free) + 1):
        for more in combinations(free, count):
            visible = needed | set(more)
            if any((a, d) not in visible for a, b in visible for c, d in visible if b == c):
                continue
            if all(_last_visible(run, order, visible, reader) for reader in run.rows):
                return True
    return False


def _last_visible(
    run: Execution, order: tuple[int, ...], visible: set[tuple[int, int]], reader: int
) -> bool:
    for key, source in run.reads[reader]:
        writers = [row for row in order if (row, reader) in visible and key in run.writes[row]]
        if (writers[-1] if writers else INITIAL) != source:
            return False
    return True
