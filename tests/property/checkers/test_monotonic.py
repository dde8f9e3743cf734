from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.monotonic import check_counts, check_versions
from testbed.checkers.verdict import Validity
from testbed.history.history import History
from testbed.history.operation import OperationType
from tests.histories import Scribe

pytestmark = pytest.mark.property


@dataclass(frozen=True)
class Read:
    process: int
    node: str
    outcome: OperationType
    value: int | None
    key: int = 0


@st.composite
def drawn(draw: st.DrawFn) -> list[Read]:
    rng = random.Random(draw(st.integers(0, 2**40)))
    reads = []
    level = 0
    for _ in range(rng.randint(0, 10)):
        level += rng.randint(0, 2)
        outcome: OperationType = "fail" if rng.random() < 0.1 else "ok"
        reads.append(
            Read(
                rng.randint(0, 2),
                rng.choice("aab"),
                outcome,
                max(0, level - (rng.randint(1, 3) if rng.random() < 0.2 else 0)),
                rng.randint(0, 1),
            )
        )
    return reads


def history(f: str, reads: list[Read], scribe: Scribe | None = None) -> History:
    scribe = scribe or Scribe()
    for number, read in enumerate(reads):
        scribe.call(
            f,
            1000 + 10 * number,
            1005 + 10 * number,
            read.outcome,
            process=read.process,
            node=read.node,
            key=read.key,
            result=read.value if read.outcome == "ok" else None,
        )
    return scribe.history()


def same_connection(reads: list[Read], earlier: int, later: int) -> bool:
    """No sign of another connection in what the process did from the one read to the other."""
    process = reads[later].process
    between = [read for read in reads[earlier : later + 1] if read.process == process]
    return reads[earlier].process == process and all(
        read.outcome == "ok" and read.node == reads[later].node for read in between
    )


@given(drawn())
def test_counts_are_judged_as_by_definition(reads: list[Read]) -> None:
    pairs = [
        (earlier, later)
        for later in range(len(reads))
        for earlier in range(later)
        if same_connection(reads, earlier, later)
    ]
    broken = any((reads[e].value or 0) > (reads[n].value or 0) for e, n in pairs)
    verdict = check_counts(history("count", reads))
    if broken:
        assert verdict.validity is Validity.VIOLATION
    else:
        assert verdict.validity is (Validity.VALID if pairs else Validity.UNKNOWN)


@st.composite
def writes(draw: st.DrawFn) -> dict[int, tuple[int, int | None]]:
    """Value -> invocation and completion of its write, all before the reads."""
    rng = random.Random(draw(st.integers(0, 2**40)))
    spans: dict[int, tuple[int, int | None]] = {}
    for value in range(1, 20):
        start = 20 * value + rng.randint(0, 60)
        spans[value] = (start, None if rng.random() < 0.1 else start + rng.randint(1, 60))
    return spans


@given(drawn(), writes())
def test_versions_are_judged_as_by_definition(
    reads: list[Read], spans: dict[int, tuple[int, int | None]]
) -> None:
    """0 stands for the initial value, which is older than every other."""
    reads = [Read(r.process, r.node, r.outcome, r.value or None, r.key) for r in reads]
    scribe = Scribe()
    for value, (start, end) in spans.items():
        for key in (0, 1):
            scribe.call("write", start, end, value=value, key=key)

    def older(one: int | None, other: int | None) -> bool:
        if one is None or other is None:
            return one is None and other is not None
        end = spans[one][1]
        return end is not None and end < spans[other][0]

    pairs = [
        (earlier, later)
        for later in range(len(reads))
        for earlier in range(later)
        if same_connection(reads, earlier, later)
    ]
    broken = any(
        reads[e].key == reads[n].key and older(reads[n].value, reads[e].value) for e, n in pairs
    )
    verdict = check_versions(history("read-replica", reads, scribe))
    if broken:
        assert verdict.validity is Validity.VIOLATION
    else:
        assert verdict.validity is (Validity.VALID if pairs else Validity.UNKNOWN)


@given(drawn())
def test_one_read_that_runs_backwards_flips_the_verdict(reads: list[Read]) -> None:
    rising = [
        Read(read.process, "a", "ok", number, read.key) for number, read in enumerate(reads, 1)
    ]
    more = [*rising, Read(9, "a", "ok", 5), Read(9, "a", "ok", 5)]
    assert check_counts(history("count", more)).validity is Validity.VALID
    fallen = [*more, Read(9, "a", "ok", 4)]
    assert check_counts(history("count", fallen)).validity is Validity.VIOLATION
