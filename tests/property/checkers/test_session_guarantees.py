"""The session guarantees against their definitions, pair by pair of operations."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.session_guarantees import NAMES, check
from testbed.checkers.verdict import Validity
from testbed.history.history import History, Pair
from tests.histories import Scribe

pytestmark = pytest.mark.property

SEEDS = st.integers(0, 2**48)


def sessions(history: History) -> list[list[Pair]]:
    found: dict[Any, list[Pair]] = {}
    for pair in history.pairs():
        if pair.outcome != "fail":
            found.setdefault(pair.invocation.process, []).append(pair)
    return list(found.values())


def key(pair: Pair) -> Any:
    return pair.invocation.key


def drawn(
    rng: random.Random, write: str, result: Any, *, keys: str = "xxy", nodes: str = "ab"
) -> History:
    """Sessions that write unique values and read what ``result`` draws."""
    scribe = Scribe()
    value = 0
    clocks = {process: process for process in range(rng.randint(1, 3))}
    for _ in range(rng.randint(1, 10)):
        process = rng.choice(sorted(clocks))
        start = clocks[process]
        end = start + rng.choice([1, 10, 30])
        clocks[process] = end + rng.choice([1, 10])
        more: Any = {"process": process, "key": rng.choice(keys), "node": rng.choice(nodes)}
        if rng.random() < 0.5:
            value += 1
            outcome: Any = rng.choices(["ok", "fail", "info"], [8, 1, 1])[0]
            scribe.call(write, start, end, outcome, value=value, **more)
            if outcome == "info":
                clocks[100 + value] = clocks.pop(process)
        else:
            scribe.call("read", start, end, result=result(rng, value, more["key"]), **more)
    return scribe.history()


def broken(history: History, *, ordered: bool) -> set[str]:
    """What lists or sets show, by definition."""
    return {
        name
        for session in sessions(history)
        for one, two in combinations(session, 2)
        if key(one) == key(two) and one.outcome == "ok"
        for name in contradicted(history, one, two, ordered=ordered)
    }


def contradicted(history: History, one: Pair, two: Pair, *, ordered: bool) -> Iterator[str]:
    """What the later of two operations of a session contradicts."""
    own = one.f == "read"
    past = one.value if own else [one.value]
    if two.f == "read":
        bad = not set(past) <= set(two.value)
        if bad or (own and ordered and past != two.value[: len(past)]):
            yield "monotonic-reads" if own else "read-your-writes"
        return
    for read in history.of({"read"}, "ok"):
        if key(read) == key(two) and two.value in read.value:
            before = read.value[: read.value.index(two.value)] if ordered else read.value
            if not set(past) - {two.value} <= set(before):
                yield "writes-follow-reads" if own else "monotonic-writes"


def agrees(history: History, expected: set[str]) -> None:
    verdicts = check(history)
    assert [verdict.name for verdict in verdicts] == list(NAMES)
    found = {verdict.name for verdict in verdicts if verdict.validity is Validity.VIOLATION}
    assert found == expected
    shown = set(comparable(history))
    for verdict in verdicts:
        assert bool(verdict.counterexample) == (verdict.name in expected)
        if verdict.name not in expected:
            assert (verdict.validity is Validity.VALID) == (verdict.name in shown), verdict.name
        writes = [pair for pair in history.pairs() if pair.f != "read" and pair.outcome != "fail"]
        assert verdict.numbers["writes"] == len(writes)


def comparable(history: History) -> Iterator[str]:
    """The guarantees that the history says something about, by definition.

    Some session did first the one and then the other that a guarantee speaks of. An order of writes
    is only shown by reads: each list or set shows one, a register where a node is read twice.
    """
    reads = history.of({"read"}, "ok")
    whole = bool(history.of({"append", "add"}))
    shows = {key(read) for read in reads if whole}
    shows |= {
        key(one)
        for one, two in combinations(reads, 2)
        if key(one) == key(two) and one.node == two.node is not None
    }
    for session in sessions(history):
        for one, two in combinations(session, 2):
            if key(one) == key(two) and (two.f == "read" or key(two) in shows):
                yield {
                    (False, True): "read-your-writes",
                    (True, True): "monotonic-reads",
                    (False, False): "monotonic-writes",
                    (True, False): "writes-follow-reads",
                }[one.f == "read", two.f == "read"]


@given(SEEDS)
def test_lists(seed: int) -> None:
    """All reads of a key are beginnings of one list, right or wrong."""
    rng = random.Random(seed)
    orders = {
        name: sorted(range(1, 11), key=lambda one: one + rng.choice([0, 0, 0, 6])) for name in "xy"
    }

    def result(rng: random.Random, written: int, of: str) -> list[int]:
        there = [one for one in orders[of] if one <= written]
        return there if rng.random() < 0.7 else there[: rng.randint(0, len(there))]

    history = only_own_keys(drawn(rng, "append", result))
    agrees(history, broken_lists(history))


def broken_lists(history: History) -> set[str]:
    """What lists show, each key by itself: as a list where all its reads are beginnings of one."""
    expected = set()
    for name in "xy":
        pairs = [pair for pair in history.pairs() if key(pair) == name]
        lines = [line for pair in pairs for line in (pair.invocation, pair.completion) if line]
        alone = History(tuple(sorted(lines, key=lambda line: (line.time, line.type == "invoke"))))
        expected |= broken(alone, ordered=in_order(alone))
    return expected


def only_own_keys(history: History) -> History:
    """The same, each read without the elements that were appended to another key."""
    of = {pair.invocation.value: key(pair) for pair in history.of({"append"})}
    scribe = Scribe()
    for pair in history.pairs():
        result = pair.value
        if pair.f == "read":
            result = [one for one in result if of.get(one) == key(pair)]
        scribe.call(
            pair.f,
            pair.start_ns,
            pair.end_ns,
            pair.outcome,  # type: ignore[arg-type]
            value=pair.invocation.value,
            result=result,
            process=pair.invocation.process,
            key=key(pair),
            node=pair.node,
        )
    return scribe.history()


def in_order(history: History) -> bool:
    """Whether all reads of each key are beginnings of one list."""
    return all(
        one.value == two.value[: len(one.value)] or two.value == one.value[: len(two.value)]
        for one, two in combinations(history.of({"read"}, "ok"), 2)
        if key(one) == key(two)
    )


@given(SEEDS)
def test_lists_without_a_common_order_are_judged_as_sets(seed: int) -> None:
    rng = random.Random(seed)

    def result(rng: random.Random, written: int, of: str) -> list[int]:
        return rng.sample(range(1, written + 1), rng.randint(max(0, written - 1), written))

    history = drawn(rng, "append", result)
    agrees(history, broken_lists(history))


@given(SEEDS)
def test_sets(seed: int) -> None:
    rng = random.Random(seed)

    def result(rng: random.Random, written: int, of: str) -> list[int]:
        return [one for one in range(1, written + 1) if rng.random() < 0.9]

    history = drawn(rng, "add", result)
    agrees(history, broken(history, ordered=False))


def broken_registers(history: History) -> set[str]:
    """What registers of unique values show, by definition."""
    found = set()
    writes = {(key(pair), pair.invocation.value): pair for pair in history.of({"write"})}
    writes = {of: pair for of, pair in writes.items() if pair.outcome != "fail"}

    def older(one: Any, two: Any, of: Any) -> bool:
        """Whether a value is surely older than another."""
        later = writes.get((of, two))
        if one is None:
            return two is not None and later is not None
        earlier = writes.get((of, one))
        if earlier is None or later is None or earlier.outcome != "ok":
            return False
        assert earlier.end_ns is not None
        return earlier.end_ns < later.start_ns

    for session in sessions(history):
        for one, two in combinations(session, 2):
            if two.f == "read" and key(one) == key(two):
                if one.f == "write" and one.outcome == "info":
                    continue
                if older(two.value, one.value, key(two)):
                    found.add("monotonic-reads" if one.f == "read" else "read-your-writes")
    return found | set(shown_at_nodes(history, writes))


def shown_at_nodes(history: History, writes: dict[Any, Pair]) -> Iterator[str]:
    for one in history.of({"read"}, "ok"):
        for two in history.of({"read"}, "ok"):
            same = (one.node, key(one)) == (two.node, key(two))
            if not same or (one.end_ns or 0) >= two.start_ns or two.value is None:
                continue
            newer = writes.get((key(one), one.value))
            if newer is None or one.value == two.value:
                continue
            process = newer.invocation.process
            session = [pair for pair in history.pairs() if pair.invocation.process == process]
            for before in session[: session.index(newer)]:
                if before.outcome == "ok" and key(before) == key(one) and before.value == two.value:
                    yield "writes-follow-reads" if before.f == "read" else "monotonic-writes"


@given(SEEDS)
def test_registers(seed: int) -> None:
    rng = random.Random(seed)

    def result(rng: random.Random, written: int, of: str) -> int | None:
        return rng.choice([None, 99, *range(1, written + 1), *[written] * 3]) if written else None

    history = drawn(rng, "write", result)
    agrees(history, broken_registers(history))


@given(SEEDS)
def test_a_register_that_is_read_over_and_over_at_a_node(seed: int) -> None:
    """Few values and nodes, so that a node often shows what it had shown to be overwritten."""
    rng = random.Random(seed)

    def result(rng: random.Random, written: int, of: str) -> int | None:
        return rng.randint(max(1, written - 2), written) if written else None

    history = drawn(rng, "write", result, keys="x", nodes="aaab")
    agrees(history, broken_registers(history))


@given(SEEDS)
def test_one_copy_breaks_no_guarantee(seed: int) -> None:
    """A single list that every operation works on at once."""
    rng = random.Random(seed)
    lists: dict[str, list[int]] = {"x": [], "y": []}
    scribe = Scribe()
    for number in range(rng.randint(2, 12)):
        more: Any = {"process": rng.randint(0, 2), "key": rng.choice("xy"), "node": "a"}
        if rng.random() < 0.5:
            lists[more["key"]].append(number)
            scribe.call("append", 10 * number, 10 * number + 5, value=number, **more)
        else:
            seen = list(lists[more["key"]])
            scribe.call("read", 10 * number, 10 * number + 5, result=seen, **more)
    agrees(scribe.history(), set())
