"""What each session did, step by step: which version of which key it wrote or saw.

A session is a process: everything that it did, one thing after the other. Versions of a key are
compared by bounds: one is surely older than another if its upper bound is below the other's lower
one.

* Lists (``append``, or ``["append", key, element]`` and ``["r", key, list]`` of a ``txn``): the
  reads of a key are beginnings of one list, so a version is a length, and both bounds are that.
* Registers (``write`` and ``cas`` of unique values, or ``["w", key, value]``): a version's bounds
  are the invocation of its write and its completion. The initial value is older than all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from testbed.history.history import History, Pair
from testbed.history.problem import HistoryError, Problem

LATEST = 2**62
"""An upper bound that nothing reaches; as a lower bound: newer than whatever was seen."""

READS = ("read", "read-replica")


@dataclass(frozen=True, slots=True)
class Step:
    """One key that one operation wrote or saw.

    Args:
        pair: The operation.
        key: The key, as canonical JSON.
        writes: Whether it wrote.
        value: The value or element that was written; what was seen, a list for lists.
        ordered: Whether what is seen is a list of all appends rather than the last write.
    """

    pair: Pair
    key: bytes
    writes: bool
    value: Any
    ordered: bool


@dataclass
class Bounded:
    """Steps with the bounds of their versions, session by session, in order.

    Args:
        steps: The steps.
        low: The version is at least so new.
        high: The version is at most so new.
        disordered: Keys whose reads are not beginnings of one list.
    """

    steps: list[Step] = field(default_factory=list)
    low: list[int] = field(default_factory=list)
    high: list[int] = field(default_factory=list)
    disordered: set[bytes] = field(default_factory=set)

    def add(self, step: Step, low: int, high: int) -> None:
        """One more step."""
        self.steps.append(step)
        self.low.append(low)
        self.high.append(high)


def steps_of(history: History, reads: Iterable[str] = READS) -> list[Step]:
    """The steps of every session, session by session; of a set where there is an ``add``.

    Raises:
        HistoryError: The history cannot be paired, or a value has another shape.
    """
    reads = frozenset(reads)
    if history.of({"add"}):
        return set_steps(history, reads=reads)
    return keyed_steps(history, reads)


def keyed_steps(history: History, reads: Iterable[str] = READS) -> list[Step]:
    """The steps of lists and registers, session by session.

    Args:
        history: What clients saw.
        reads: The functions that read one key.

    Raises:
        HistoryError: The history cannot be paired, or the value of a ``cas``, of a ``txn`` or of
            the read of a list has another shape.
    """
    lists = any(pair.f == "append" for pair in history.pairs())
    by_session: dict[int | str, list[Step]] = {}
    problems: list[Problem] = []
    wanted = frozenset(reads)
    for pair in history.pairs():
        if pair.outcome == "fail" or pair.f not in {"write", "cas", "append", "txn", *wanted}:
            continue
        wrong = _problem(pair)
        steps = [] if wrong else list(_steps(pair, lists=lists))
        if any(step.ordered and not step.writes and type(step.value) is not list for step in steps):
            wrong = "expected a list as the value of a read of a list"
        if wrong:
            problems.append(Problem(pair.invocation.index or 0, 0, wrong))
        by_session.setdefault(pair.invocation.process, []).extend(steps)
    if problems:
        raise HistoryError(history.source, problems)
    return [step for steps in by_session.values() for step in steps]


def set_steps(history: History, add: str = "add", reads: Iterable[str] = READS) -> list[Step]:
    """The steps of a grow-only set, session by session.

    Raises:
        HistoryError: The history cannot be paired, or a read's value is no list.
    """
    by_session: dict[int | str, list[Step]] = {}
    problems: list[Problem] = []
    wanted = frozenset(reads)
    for pair in history.of({add, *wanted}):
        writes = pair.f == add
        if pair.outcome == "fail" or (not writes and pair.outcome != "ok"):
            continue
        value = pair.invocation.value if writes else pair.value
        if not writes and not isinstance(value, list):
            expected = f"expected a list as the value of '{pair.f}'"
            problems.append(Problem(pair.invocation.index or 0, 0, expected))
            continue
        step = Step(pair, canonical(pair.invocation.key), writes, value, ordered=True)
        by_session.setdefault(pair.invocation.process, []).append(step)
    if problems:
        raise HistoryError(history.source, problems)
    return [step for steps in by_session.values() for step in steps]


def _problem(pair: Pair) -> str | None:
    """What is wrong with the value of an operation, if anything."""
    value = pair.invocation.value
    if pair.f == "cas" and not (isinstance(value, list) and len(value) == 2):
        return "expected [old, new] as the value of a 'cas'"
    if pair.f == "txn" and not (
        isinstance(pair.value, list) and all(_is_micro(one) for one in pair.value)
    ):
        return 'expected a list of ["append" or "w" or "r", key, value] as a transaction'
    return None


def _steps(pair: Pair, *, lists: bool) -> Iterator[Step]:
    """The steps of one operation."""
    key = canonical(pair.invocation.key)
    done = pair.outcome == "ok"
    if pair.f == "txn":
        yield from _micro_steps(pair)
    elif pair.f in ("write", "append"):
        yield Step(pair, key, writes=True, value=pair.invocation.value, ordered=pair.f == "append")
    elif pair.f != "cas":
        if done:
            # A list that is empty may be read as null.
            value = pair.completion.value if pair.completion else None
            value = [] if lists and value is None else value
            yield Step(pair, key, writes=False, value=value, ordered=lists)
    else:
        old, new = pair.invocation.value
        if done:
            yield Step(pair, key, writes=False, value=old, ordered=False)
        yield Step(pair, key, writes=True, value=new, ordered=False)


def _micro_steps(pair: Pair) -> Iterator[Step]:
    for kind, of, value in pair.value:
        writes = kind != "r"
        if not writes and pair.outcome != "ok":
            continue
        ordered = kind == "append" or (not writes and isinstance(value, list))
        yield Step(pair, canonical(of), writes, value, ordered)


def _is_micro(one: Any) -> bool:
    return isinstance(one, list) and len(one) == 3 and one[0] in ("r", "w", "append")


def canonical(value: Any) -> bytes:
    """Equal JSON as equal text."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def bounded(steps: list[Step]) -> Bounded:
    """The steps with what is known of their versions."""
    lists, disordered = _positions(steps)
    times = intervals(steps)
    found = Bounded(disordered=disordered)
    for step in steps:
        if step.ordered and step.key in disordered:
            continue
        if not step.ordered:
            low, high = register_bounds(step, times)
        elif not step.writes:
            low = high = len(step.value)
        else:
            place = lists.get((step.key, canonical(step.value)))
            acknowledged = step.pair.outcome == "ok"
            low = high = LATEST if place is None else place + 1
            low = low if acknowledged else -1
        found.add(step, low, high)
    return found


def _positions(steps: list[Step]) -> tuple[dict[tuple[bytes, bytes], int], set[bytes]]:
    """The place of each element in the longest list of its key, and the keys without an order."""
    longest: dict[bytes, list[Any]] = {}
    for step in steps:
        if step.ordered and not step.writes and len(step.value) >= len(longest.get(step.key, ())):
            longest[step.key] = step.value
    disordered = {
        step.key
        for step in steps
        if step.ordered and not step.writes and step.value != longest[step.key][: len(step.value)]
    }
    places = {
        (key, canonical(element)): place
        for key, elements in longest.items()
        for place, element in enumerate(elements)
    }
    return places, disordered


def intervals(steps: list[Step]) -> dict[tuple[bytes, bytes], tuple[int, int]]:
    """When each value of a register was written, at the earliest and at the latest."""
    found: dict[tuple[bytes, bytes], tuple[int, int]] = {}
    for step in steps:
        if step.writes and not step.ordered:
            pair, version = step.pair, (step.key, canonical(step.value))
            low = pair.start_ns
            high = LATEST if pair.outcome != "ok" or pair.end_ns is None else pair.end_ns
            # A value that was written twice is one or the other.
            before = found.get(version, (low, high))
            found[version] = (min(low, before[0]), max(high, before[1]))
    return found


def register_bounds(
    step: Step, bounds: dict[tuple[bytes, bytes], tuple[int, int]]
) -> tuple[int, int]:
    """Between which bounds the version lies that a step wrote or saw."""
    known = bounds.get((step.key, canonical(step.value)))
    if known is not None:
        return known
    return (-1, -1) if step.value is None else (-1, LATEST)
