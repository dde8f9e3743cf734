"""Which sessions lived through a promotion, against the definition."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.session_span import check
from testbed.checkers.verdict import Validity
from tests.histories import Scribe

pytestmark = pytest.mark.property


@given(st.integers(0, 2**48))
def test_a_read_spans_a_promotion_by_definition(seed: int) -> None:
    """Its session's write ended before a later term was first seen, and that before the read."""
    rng = random.Random(seed)
    scribe = Scribe()
    # Process, start, end and term; processes one thing after the other, terms never go back.
    writes: list[tuple[int, int, int, int | None]] = []
    reads: list[tuple[int, int, int]] = []
    free = dict.fromkeys(range(3), 0)
    promotions = sorted(rng.sample(range(60), rng.randint(0, 3)))
    for _ in range(rng.randint(0, 10)):
        process = rng.choice([0, 0, 1, 2])
        start = free[process] + rng.randint(0, 6)
        end = free[process] = start + rng.randint(1, 8)
        free[process] += 1
        if rng.random() < 0.5:
            term = 1 + sum(at <= end for at in promotions) if rng.random() < 0.9 else None
            done = rng.random() < 0.9
            scribe.call("write", start, end, "ok" if done else "fail", process=process, term=term)
            if done:
                writes.append((process, start, end, term))
        else:
            scribe.call("read", start, end, process=process)
            reads.append((process, start, end))
    said = [(process, end, term) for process, _, end, term in writes if term is not None]
    spanning = [
        process
        for process, start, _ in reads
        if any(
            writer == process
            and any(
                end < first < start
                for later in {each for _, _, each in said if each > term}
                for first in [min(ended for _, ended, each in said if each == later)]
            )
            for writer, end, term in said
        )
    ]
    verdict = check(scribe.history(), {"write"}, {"read"})
    assert verdict.validity is (Validity.VALID if spanning else Validity.UNKNOWN)
    assert verdict.numbers == {
        "terms": len({term for _, _, term in said}),
        "sessions": len(set(spanning)),
        "reads_after": len(spanning),
    }
