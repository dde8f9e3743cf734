"""No long fork: reads of one group of keys see its writes appear in one order.

Definition. Every key is written once. Of two reads of the same group of keys, what one of them
sees written is also seen by the other, or the other way round: were x seen without y by one and y
without x by the other, no single order of the two writes explains both. Parallel snapshot
isolation allows this, snapshot isolation does not. After Jepsen's ``long-fork`` workload
(https://jepsen-io.github.io/jepsen/jepsen.tests.long-fork.html); Y. Sovran and others,
Transactional storage for geo-replicated systems, SOSP 2011.

Algorithm. What a read sees is a set. The reads of a group are ordered by inclusion exactly when,
sorted by size, each is within the next: of two neighbours that are not, neither is within the
other. So O(n log n) in place of the comparison of every pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from testbed.checkers.collections.calls import calls
from testbed.checkers.collections.elements import canonical
from testbed.checkers.collections.witness import EXAMPLES_MAX, witness
from testbed.checkers.counted import counted
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.operation_table import Kind, OperationTable, Tag
from testbed.history.problem import HistoryError, Problem

NAME = "long-fork"
PROMISE = "Reads of several keys see writes appear in one order."

Seen = dict[bytes, bytes | None]
"""What a read saw, key to value; None for a key without one."""


def check(history: OperationTable, request: Request) -> Verdict:
    """Judge reads of groups: O(n log n).

    Args:
        history: Transactions ``["w", key, value]`` of one write, and of reads
            ``["r", key, value or null]``; their function does not matter.
        request: ``group_size``: how many keys each read reads; taken as it comes if not given.

    Raises:
        HistoryError: A value is no such transaction.
        OutOfBudgetError: It took too long.
    """
    reads, written = _transactions(history)
    request.budget.note(f"{len(reads)} reads were found, none was compared")
    groups: dict[frozenset[bytes], dict[frozenset[bytes], tuple[int, Seen]]] = {}
    for row, seen in reads:
        there = frozenset(key for key, value in seen.items() if value is not None)
        groups.setdefault(frozenset(seen), {}).setdefault(there, (row, seen))
    forks = [fork for states in groups.values() for fork in _forks(states)]
    numbers = {
        "reads": float(len(reads)),
        "groups": float(len(groups)),
        "forks": float(len(forks)),
    }
    if forks:
        examples = tuple(_example(history, one, two) for one, two in forks[:EXAMPLES_MAX])
        reason = f"{counted(len(forks), 'pair')} of reads with writes in contrary orders"
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    doubt = _doubt(reads, written, groups, request.params.get("group_size"))
    if doubt is not None:
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, doubt, (), numbers)
    reason = f"{len(reads)} reads of {len(groups)} groups see one order of writes"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _forks(
    states: dict[frozenset[bytes], tuple[int, Seen]],
) -> Iterator[tuple[tuple[int, Seen], tuple[int, Seen]]]:
    for smaller, larger in pairwise(sorted(states, key=len)):
        if not smaller <= larger:
            yield states[smaller], states[larger]


def _doubt(
    reads: list[tuple[int, Seen]],
    written: dict[bytes, list[bytes]],
    groups: dict[frozenset[bytes], Any],
    group_size: int | None,
) -> str | None:
    """Why nothing can be said though no fork was found, if so."""
    if not reads:
        return "no read completed"
    twice = [key for key, found in written.items() if len(found) > 1]
    if twice:
        return f"key {twice[0].decode()} was written more than once: its values have no order"
    values = {key: found[0] for key, found in written.items()}
    for _, seen in reads:
        for key, value in seen.items():
            if value is not None and values.setdefault(key, value) != value:
                told = f"{values[key].decode()} and {value.decode()}"
                return f"key {key.decode()} had two values, {told}: it was written twice"
    sizes = {len(group) for group in groups}
    if group_size is not None and sizes != {group_size}:
        return f"every read was to see {group_size} keys, but some saw {max(sizes - {group_size})}"
    if max(sizes) < 2:
        return "no read saw two keys: there was nothing to compare"
    return None


def _transactions(
    history: OperationTable,
) -> tuple[list[tuple[int, Seen]], dict[bytes, list[bytes]]]:
    """The acknowledged reads, and for each key the values that may have been written."""
    reads: list[tuple[int, Seen]] = []
    written: dict[bytes, list[bytes]] = {}
    problems: list[Problem] = []
    every = calls(history, *history.functions)
    known: dict[tuple[int, int], tuple[str, Seen] | None] = {}
    for begun, row, outcome in zip(
        every.begun.tolist(), every.asked.tolist(), every.outcome.tolist(), strict=True
    ):
        place = int(history.partner[begun]) if outcome == Kind.OK else row
        kind = int(history.tag[place]), int(history.payload[place])
        if kind[0] == Tag.NULL and outcome != Kind.OK:
            continue
        if kind not in known:
            known[kind] = _micro_operations(history.value(place))
        found = known[kind]
        if found is None:
            problems.append(Problem(int(history.line[place]), 0, _EXPECTED))
        elif found[0] == "w":
            # A write that surely failed cannot be the second one.
            for key, value in found[1].items() if outcome != Kind.FAIL else ():
                written.setdefault(key, []).append(value or b"")
        elif outcome == Kind.OK:
            reads.append((begun, found[1]))
    if problems:
        raise HistoryError(history.source, problems)
    return reads, written


_EXPECTED = (
    'expected a list of ["r", key, value] alone, no key with two values, or of one'
    ' ["w", key, value] that is not null'
)


def _micro_operations(value: Any) -> tuple[str, Seen] | None:
    """``r`` or ``w``, and key to value; None for what is neither."""
    if not isinstance(value, list) or not value:
        return None
    if any(not isinstance(one, list) or len(one) != 3 for one in value):
        return None
    kinds = {one[0] for one in value if isinstance(one[0], str)}
    seen: Seen = {}
    for _, key, result in value:
        told = None if result is None else canonical(result)
        if seen.setdefault(canonical(key), told) != told:
            return None
    if kinds == {"r"} or (kinds == {"w"} and len(value) == 1 and None not in seen.values()):
        return kinds.pop(), seen
    return None


def _example(
    history: OperationTable, one: tuple[int, Seen], two: tuple[int, Seen]
) -> dict[str, Any]:
    only = [
        sorted(
            key.decode() for key, value in mine.items() if value is not None and theirs[key] is None
        )
        for mine, theirs in ((one[1], two[1]), (two[1], one[1]))
    ]
    text = (
        f"the first of these reads sees key {', '.join(only[0])} written and not "
        f"{', '.join(only[1])}; the second one sees the contrary:"
    )
    return witness(history, "long-fork", [text], [one[0], two[0]])
