"""Final counters and final rows against their definitions."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers import convergence, final_counter
from testbed.checkers.verdict import Validity
from tests.histories import Scribe

pytestmark = pytest.mark.property

VALID, UNKNOWN, VIOLATION = Validity.VALID, Validity.UNKNOWN, Validity.VIOLATION
SEEDS = st.integers(0, 2**48)


@given(SEEDS)
def test_final_counters(seed: int) -> None:
    """A read is right if some choice of the unknown increments lies on each side of it.

    Of each node the read counts that completed last, of those that began when no increment was
    under way any more.
    """
    rng = random.Random(seed)
    scribe = Scribe()
    surely, perhaps = 0, []
    over = -1
    for _ in range(rng.randint(0, 5)):
        amount = rng.choice([1, 2, -1])
        outcome: Any = rng.choice(["ok", "ok", "fail", "info"])
        start = rng.randint(0, 9)
        end = start + rng.randint(1, 5) if outcome != "info" or rng.random() < 0.5 else None
        surely += amount if outcome == "ok" else 0
        perhaps += [amount] if outcome == "info" else []
        over = over if outcome == "fail" else max(over, start if end is None else end)
        scribe.call("increment", start, end, outcome, value=amount)
    totals = [
        surely + sum(chosen)
        for size in range(len(perhaps) + 1)
        for chosen in itertools.combinations(perhaps, size)
    ]
    reads: dict[str, int] = {}
    for end in sorted(rng.sample(range(8, 60), rng.randint(0, 5))):
        start, value = end - rng.randint(1, 8), surely + rng.randint(-1, 1)
        node = rng.choice("aabbc")
        scribe.call("read", start, end, result=value, node=node)
        if start > over and node != "c":
            reads[node] = value
    wrong = any(not min(totals) <= value <= max(totals) for value in reads.values())
    history = scribe.history()
    # Without an increment there is no counter that a node could fail to show.
    counted = any(pair.outcome != "fail" for pair in history.of({"increment"}))
    whole = reads.keys() == {"a", "b"} if counted else bool(reads)
    expected = VIOLATION if wrong else VALID if whole else UNKNOWN
    verdict = final_counter.check(history, ["a", "b"])
    assert verdict.validity is expected
    assert verdict.numbers["unknown_increments"] == len(perhaps)
    assert verdict.numbers["final_reads"] == len(reads)


@given(SEEDS)
def test_convergence(seed: int) -> None:
    """The last reads of every key at every node agree, and there are some."""
    rng = random.Random(seed)
    scribe = Scribe()
    last: dict[tuple[str, str], Any] = {}
    for place in range(rng.randint(0, 7)):
        node, key, value = rng.choice("ab"), rng.choice("xy"), rng.choice([1, 1, 1, 2, None])
        scribe.call("read", 10 * place, 10 * place + 5, result=value, key=key, node=node)
        if place >= 2:
            last[node, key] = value
    keys = {key for _, key in last}
    # A row that was read at one node alone is not known to differ.
    differ = any(
        len({str(value) for (_, read), value in last.items() if read == key}) > 1 for key in keys
    )
    whole = len(last) == 2 * len(keys) and bool(keys)
    expected = VIOLATION if differ else VALID if whole else UNKNOWN
    assert convergence.check(scribe.history(), ["a", "b"], 20).validity is expected
