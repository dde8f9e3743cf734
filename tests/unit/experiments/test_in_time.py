"""A busy machine breaks no promise of time, of any experiment, and no other is held for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from experiments.failover_promises import failover
from experiments.in_time import in_time
from experiments.placement_promises import placed
from experiments.setting import Setting, setting_of
from testbed.checkers.verdict import Validity, Verdict
from testbed.runner.plan import Load, Plan
from testbed.topology.inventory import find, load
from tests.histories import MS, S, Scribe
from tests.unit.experiments.finished_runs import finished
from tests.unit.experiments.link_readings import BUSY_MS, read_links

LATE = Verdict("rto", "served in time", Validity.VIOLATION, "42 s, bound 38 s")
OUTCOMES = [(1.0, Validity.VIOLATION), (BUSY_MS, Validity.UNKNOWN)]


def setting(
    folder: Path,
    late_ms: float,
    scribe: Scribe | None = None,
    deployment: str = "active-passive",
    workload: str = "set",
) -> Setting:
    loaded = load(find(deployment))
    read_links(folder, loaded.topology, late_ms)
    plan = Plan(deployment, Load(workload, rate_ops_s=10.0), (), 1, 30.0)
    history = (scribe or Scribe()).call("add", 0, MS, value=1, node="eu-west-db1").history()
    return setting_of(finished(plan, loaded, history, folder))


def test_what_is_late_is_unknown_on_a_busy_machine_and_broken_on_another(tmp_path: Path) -> None:
    found = in_time(setting(tmp_path, BUSY_MS), LATE)
    assert found.validity is Validity.UNKNOWN
    assert found.reason.startswith("messages between regions came 89 ms later")
    assert found.reason.endswith("42 s, bound 38 s")
    assert in_time(setting(tmp_path, 1.0), LATE) is LATE


def test_what_held_or_was_not_seen_stays_as_it_is(tmp_path: Path) -> None:
    for validity in (Validity.VALID, Validity.UNKNOWN):
        other = replace(LATE, validity=validity)
        assert in_time(setting(tmp_path, BUSY_MS), other, ["not served before"]) is other


def test_another_doubt_is_told_first(tmp_path: Path) -> None:
    for late_ms in (1.0, BUSY_MS):
        found = in_time(setting(tmp_path, late_ms), LATE, ["not served before"])
        assert found.validity is Validity.UNKNOWN
        assert found.reason.startswith("not served before, so that")


def marks(regions: int, nodes: list[str]) -> Scribe:
    """Each region's mark is written at once, and the last node never shows any."""
    scribe = Scribe()
    for number in range(1, regions + 1):
        scribe.call("mark", 2 * S, 2 * S + MS, value=number, node=nodes[0])
        for node in nodes:
            shown = node != nodes[-1]
            at = 3 * S if shown else 3000 * S
            scribe.call("marked", at, at + MS, value=number, result=shown, node=node)
    return scribe


@pytest.mark.parametrize(("late_ms", "expected"), OUTCOMES)
def test_a_node_that_follows_late_after_a_failover(
    tmp_path: Path, late_ms: float, expected: Validity
) -> None:
    nodes = ["eu-west-db1", "eu-central-db1", "us-east-db1"]
    found = {one.name: one for one in failover(setting(tmp_path, late_ms, marks(1, nodes)))}
    assert found["recovery"].validity is expected


@pytest.mark.parametrize(("late_ms", "expected"), OUTCOMES)
def test_what_may_cross_and_arrives_late(
    tmp_path: Path, late_ms: float, expected: Validity
) -> None:
    topology = load(find("data-placement")).topology
    nodes = [node.name for node in topology.members("postgres")]
    made = setting(
        tmp_path, late_ms, marks(len(topology.regions), nodes), "data-placement", "personal_data"
    )
    found = {one.name: one for one in placed(made)}
    assert found["replication"].validity is expected
