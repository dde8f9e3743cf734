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


LOGS = {"a": "west", "b": "west", "c": "east"}


@given(st.integers(0, 2**48), st.sampled_from([{}, LOGS]))
def test_a_read_spans_a_promotion_by_definition(seed: int, log_of: dict[str, str]) -> None:
    """Its session's write ended before a later term was first seen, and that before the read.

    Both terms are of one log.
    """
    rng = random.Random(seed)
    scribe = Scribe()
    # Process, start, end and term; processes one thing after the other, terms never go back.
    writes: list[tuple[int, int, int | None, str]] = []
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
            node = rng.choice("aabc")
            scribe.call(
                "write", start, end, "ok" if done else "fail", process=process, term=term, node=node
            )
            if done:
                writes.append((process, end, term, log_of.get(node, "")))
        else:
            scribe.call("read", start, end, process=process)
            reads.append((process, start, end))
    said = [(process, end, term, log) for process, end, term, log in writes if term is not None]
    spanning = [
        process
        for process, start, _ in reads
        if any(
            writer == process
            and any(
                end < first < start
                for later in {each for _, _, each, its in said if its == log and each > term}
                for first in [
                    min(ended for _, ended, each, its in said if (each, its) == (later, log))
                ]
            )
            for writer, end, term, log in said
        )
    ]
    verdict = check(scribe.history(), {"write"}, {"read"}, log_of)
    assert verdict.validity is (Validity.VALID if spanning else Validity.UNKNOWN)
    assert verdict.numbers == {
        "terms": len({(log, term) for _, _, term, log in said}),
        "sessions": len(set(spanning)),
        "reads_after": len(spanning),
    }
