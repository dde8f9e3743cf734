"""Visibility and staleness against their definitions, write by write and read by read."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.history.history import History, Pair
from testbed.measures.staleness import staleness
from testbed.measures.visibility import visibilities
from tests.histories import Scribe

pytestmark = pytest.mark.property

SEEDS = st.integers(0, 2**48)


def drawn(rng: random.Random, kind: str) -> History:
    """Writes at some nodes, reads at some nodes that show more or less of them."""
    scribe = Scribe()
    written: list[tuple[int, str | None]] = []
    for number in range(1, rng.randint(2, 12)):
        start = rng.randint(0, 20)
        more: Any = {"node": rng.choice("abc")}
        if kind != "add":
            more["key"] = rng.choice("xy")
        if rng.random() < 0.5:
            written.append((number, more.get("key")))
            outcome: Any = rng.choices(["ok", "fail", "info"], [8, 1, 1])[0]
            scribe.call(kind, start, start + rng.randint(1, 8), outcome, value=number, **more)
            continue
        there = [one for one, of in written if of == more.get("key") and rng.random() < 0.7]
        result: Any = there if kind != "write" else rng.choice([None, 99, *there])
        scribe.call("read", start, start + rng.randint(1, 8), result=result, **more)
    return scribe.history()


def end(pair: Pair) -> int:
    assert pair.end_ns is not None
    return pair.end_ns


class Told:
    """What a read says of a write: shows it (True), lacks it (False), or nothing (None)."""

    def __init__(self, history: History, kind: str) -> None:
        self.writes = [pair for pair in history.of({kind}) if pair.outcome != "fail"]
        self.kind = kind

    def of(self, read: Pair, write: Pair) -> bool | None:
        value = None if read.completion is None else read.completion.value
        if self.kind != "write":
            return write.invocation.value in (value or [])
        if value == write.invocation.value:
            return True
        if value is None:
            return False
        source = [one for one in self.writes if self.is_source(one, read, value)]
        if not source:
            return None
        if source[0].start_ns > end(write):
            return True
        if source[0].outcome == "ok" and end(source[0]) < write.start_ns:
            return False
        return None

    def is_source(self, write: Pair, read: Pair, value: Any) -> bool:
        same: bool = write.invocation.value == value
        return same and write.invocation.key == read.invocation.key


@given(SEEDS, st.sampled_from(["add", "append", "write"]))
def test_visibility(seed: int, kind: str) -> None:
    history = drawn(random.Random(seed), kind)
    told = Told(history, kind)
    found = {(one.write.invocation.value, one.node): one for one in visibilities(history)}
    expected = set()
    for write in history.of({kind}, "ok"):
        for node in "abc":
            reads = [
                pair
                for pair in history.of({"read"}, "ok")
                if pair.node == node and pair.invocation.key == write.invocation.key
            ]
            if not reads or node == write.node:
                continue
            expected.add((write.invocation.value, node))
            one = found[write.invocation.value, node]
            shows = [read for read in reads if told.of(read, write) is True]
            lacks = [
                read
                for read in reads
                if told.of(read, write) is False and read.start_ns > end(write)
            ]
            first = min((end(read) for read in shows), default=None)
            assert (None if one.first_seen is None else end(one.first_seen)) == first
            last = max((read.start_ns for read in lacks), default=None)
            assert (None if one.last_missing is None else one.last_missing.start_ns) == last
            before = [
                read.start_ns for read in lacks if first is not None and read.start_ns < first
            ]
            missing = one.missing_before
            assert (None if missing is None else missing.start_ns) == max(before, default=None)
            latest = max((read.start_ns for read in shows), default=-1)
            assert one.stable == (latest > (-1 if last is None else last))
    assert found.keys() == expected


@given(SEEDS, st.sampled_from(["add", "append", "write"]))
def test_staleness(seed: int, kind: str) -> None:
    history = drawn(random.Random(seed), kind)
    told = Told(history, kind)
    for one in staleness(history):
        missing = [
            end(write)
            for write in history.of({kind}, "ok")
            if write.invocation.key == one.read.invocation.key
            and end(write) < one.read.start_ns
            and told.of(one.read, write) is False
        ]
        oldest = min(missing, default=None)
        assert (None if one.missing is None else end(one.missing)) == oldest
        assert one.staleness_ms >= 0
