"""Answers that are faster than the links make a run inconclusive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from experiments import physics
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History
from testbed.history.operation import Operation
from testbed.runner.plan import Load, Plan
from testbed.topology.inventory import find, load
from tests.unit.experiments.finished_runs import finished


def judged(
    replication: str,
    took_ms: float,
    region: str = "eu-west",
    node: str | None = "eu-west-db1",
    faults: Sequence[dict[str, Any]] = (),
) -> Verdict:
    deployment = load(find("active-passive"), {"replication": replication})
    lines: list[dict[str, Any]] = [
        {"time": 0, "process": 1, "type": "invoke", "f": "add", "value": 1, "region": region},
        {"time": int(took_ms * 1e6), "process": 1, "type": "ok", "f": "add", "node": node},
        *faults,
    ]
    run = finished(
        Plan("active-passive", Load("set"), (), 1, 10.0),
        deployment,
        History(tuple(Operation(**line) for line in lines)),
    )
    return physics.check(run, {"add"})


@pytest.mark.parametrize(
    ("replication", "took_ms", "region", "validity"),
    [
        # 13 and 13 ms to the nearest standby, with a jitter of 1 ms each.
        ("synchronous_strict", 24.1, "eu-west", Validity.VALID),
        ("synchronous_strict", 20.0, "eu-west", Validity.UNKNOWN),
        # 34 and 35 ms from us-east to the primary and back, and then the standby.
        ("synchronous_strict", 91.1, "us-east", Validity.VALID),
        ("synchronous_strict", 67.5, "us-east", Validity.UNKNOWN),
        ("asynchronous", 0.5, "eu-west", Validity.VALID),
        ("asynchronous", 67.5, "us-east", Validity.VALID),
        ("asynchronous", 60.0, "us-east", Validity.UNKNOWN),
    ],
)
def test_a_write_takes_its_links_time(
    replication: str, took_ms: float, region: str, validity: Validity
) -> None:
    assert judged(replication, took_ms, region).validity is validity


def test_nothing_to_compare_is_unknown() -> None:
    assert judged("asynchronous", 50.0, node=None).validity is Validity.UNKNOWN


def change_of(kind: str, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """A fault that is being injected between two moments."""
    told = {"title": f"{kind} somewhere", "step": 0}
    return [
        {"time": time * 1_000_000, "process": "faults", "type": "info", "f": kind,
         "value": {"phase": phase, **told}}
        for phase, time in (("inject", from_ms), ("injected", to_ms))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "from_ms", "to_ms"),
    [("link-bandwidth", 10, 15), ("link-jitter", 0, 1), ("link-latency", 20, 90)],
)
def test_a_write_under_way_while_toxics_change_is_not_compared(
    kind: str, from_ms: int, to_ms: int
) -> None:
    found = judged("synchronous_strict", 20.0, faults=change_of(kind, from_ms, to_ms))
    assert found.validity is Validity.UNKNOWN
    assert found.reason.startswith("no acknowledged write")


@pytest.mark.parametrize(("kind", "from_ms"), [("link-bandwidth", 21), ("process-kill", 10)])
def test_any_other_write_that_is_too_fast_is_a_leak(kind: str, from_ms: int) -> None:
    found = judged("synchronous_strict", 20.0, faults=change_of(kind, from_ms, from_ms + 5))
    assert "the emulation leaks" in found.reason
