"""What a run of replication lag is judged by, and what it measures."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.catalogue import EXPERIMENTS
from experiments.judging import PROMISES
from experiments.lag_measuring import document, floors_ms, measured
from experiments.lag_promises import REPLICATION_MS, in_order, lagging, staleness_bound_ms
from experiments.measuring import MEASURES
from experiments.setting import setting_of
from testbed.checkers.verdict import Validity, Verdict, merge
from testbed.history.fault_window import FaultWindow
from testbed.measures.lag_sample import LagSample
from testbed.runner.folder import FolderError, RunFolder
from testbed.runner.plan import Load, Plan, Step
from testbed.runner.recorded import RecordedRun
from testbed.topology.inventory import find, load
from tests.histories import MS, S, Scribe
from tests.unit.experiments.finished_runs import finished
from tests.unit.experiments.link_readings import BUSY_MS, read_links

NODES = ("eu-west-db1", "eu-central-db1", "us-east-db1")
DELAYS_MS = {"eu-central-db1": 13, "us-east-db1": 35}
ROUTED = {"eu-west": 0, "eu-central": 13, "us-east": 35}
"""The way from each region to the primary in eu-west; the way back is no longer."""


def run(
    tmp_path: Path,
    *,
    lag_ms: int = 60,
    stale_s: float = 0.0,
    fast: bool = False,
    recorded: bool = True,
    follows: bool = True,
    steps: tuple[Step, ...] = (),
) -> RecordedRun:
    """Twelve seconds of a primary in eu-west whose standbys show every change after ``lag_ms``."""
    scribe = Scribe()
    rows = []
    for step in range(120):
        at = step * 100 * MS
        _session(scribe, step, at, stale_s)
        scribe.call(
            "pulse", at, at + 30 * MS, key=1_000_000, value=10_000 + step, node=NODES[0],
            region="eu-west", term=1,
        )  # fmt: skip
        rows.append({"node": NODES[0], "beat": at, "end": at + MS})
        for place in range(4):
            _looks(scribe, rows, at + place * 25 * MS, 5 if fast else lag_ms)
    for node in NODES:
        scribe.call("mark", 40 * S, 40 * S + MS, value=1, node=NODES[0])
        late = not follows and node == NODES[2]
        at = (400 if late else 41) * S
        scribe.call("marked", at, at + MS, value=1, result=not late, node=node)
        for key in range(8):
            scribe.call("row", 42 * S, 42 * S + MS, key=key, result=None, node=node)
    folder = RunFolder(tmp_path)
    folder.metrics.mkdir(exist_ok=True)
    if recorded:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder.metrics / "replication.jsonl").write_text(text)
    plan = Plan(
        "active-passive", Load("sessions", rate_ops_s=40.0), steps, 0, 12.0,
        experiment="replication_lag",
    )  # fmt: skip
    deployment = load(find("active-passive"), {"replication": "asynchronous"})
    return finished(plan, deployment, scribe.history(), tmp_path)


def _session(scribe: Scribe, step: int, at: int, stale_s: float) -> None:
    """In each region a session that writes and then reads its own row at the primary."""
    for place, (region, way) in enumerate(ROUTED.items()):
        process, value = f"s{place}", 3 * step + place
        ended = at + (2 * way + 2) * MS
        scribe.call(
            "write", at, ended, key=place, value=value, process=process, node=NODES[0],
            region=region, term=1,
        )  # fmt: skip
        old = max(0, step - int(stale_s * 10)) if stale_s and place == 0 else step
        for number in range(3):
            scribe.call(
                "read", ended + (number + 1) * MS, ended + (number + 2) * MS, key=place,
                result=3 * old + place, process=process if number < 1 else f"r{place}{number}",
                node=NODES[0], region=region,
            )  # fmt: skip


def _looks(scribe: Scribe, rows: list[dict[str, object]], at: int, lag_ms: int) -> None:
    for node in NODES:
        late = 0 if node == NODES[0] else lag_ms * MS
        count = max(0, at - late) // (100 * MS)
        beat = count * 100 * MS
        rows.append(
            {
                "node": node, "before": at, "after": at + MS, "primary": node == NODES[0],
                "timeline": 1, "held": (count + 1) * 100 if at >= late else 0,
                "beats": {NODES[0]: beat} if at >= late else {},
            }
        )  # fmt: skip
        if node != NODES[0]:
            shown = max(0, at - late - MS) // (100 * MS)
            result = {"1000000": 10_000 + shown} if at > late + MS else {}
            scribe.call("watch", at, at + MS, result=result, node=node, region=node[:-4])


def judged(found: RecordedRun) -> dict[str, Verdict]:
    return {one.name: one for one in lagging(setting_of(found))}


def test_a_run_in_which_every_promise_holds(tmp_path: Path) -> None:
    found = judged(run(tmp_path))
    assert {one.validity for one in found.values()} == {Validity.VALID}, [
        (one.name, one.reason) for one in found.values() if one.validity is not Validity.VALID
    ]
    assert {"lag-floor", "lag-agreement", "read-your-writes", "bounded-staleness"} < set(found)


def test_a_session_that_reads_less_than_it_wrote_breaks_its_guarantee(tmp_path: Path) -> None:
    found = judged(run(tmp_path, stale_s=0.5))
    assert found["read-your-writes"].validity is Validity.VIOLATION
    assert found["bounded-staleness"].validity is Validity.VALID


def test_a_read_that_is_older_than_the_schedule_explains(tmp_path: Path) -> None:
    found = judged(run(tmp_path, stale_s=4.0))
    assert found["bounded-staleness"].validity is Validity.VIOLATION


def test_reads_and_nodes_that_are_late_on_a_busy_machine_break_nothing(tmp_path: Path) -> None:
    late = run(tmp_path, stale_s=4.0, follows=False)
    for late_ms, expected in ((1.0, Validity.VIOLATION), (BUSY_MS, Validity.UNKNOWN)):
        read_links(tmp_path, late.deployment.topology, late_ms)
        found = judged(late)
        assert found["bounded-staleness"].validity is expected
        assert found["recovery"].validity is expected
        # A session that reads less than it wrote is no matter of time.
        assert found["read-your-writes"].validity is Validity.VIOLATION


def test_without_what_probes_recorded_nothing_is_green(tmp_path: Path) -> None:
    found = judged(run(tmp_path, recorded=False))
    assert found["lag-agreement"].validity is Validity.UNKNOWN
    assert found["lag-floor"].validity is Validity.UNKNOWN
    assert merge(found.values()) is Validity.UNKNOWN


def test_a_lag_below_the_link_s_delay_fails_the_testbed_and_not_the_database(
    tmp_path: Path,
) -> None:
    found = judged(run(tmp_path, fast=True))
    assert found["lag-floor"].validity is Validity.UNKNOWN
    assert "the emulation leaks" in found["lag-floor"].reason
    assert merge(found.values()) is Validity.UNKNOWN


def test_a_moved_primary_needs_sessions_that_saw_it_move(tmp_path: Path) -> None:
    assert "session-span" not in judged(run(tmp_path))


@pytest.mark.parametrize(
    ("deployment", "routing", "kind", "resolved", "asked"),
    [
        ("active-active-ha", "session", "switchover", "eu-west-db1", True),
        ("active-active-ha", "session", "node-kill", "eu-west-db1", True),
        ("active-active-ha", "session", "link-cut", "eu-west->us-east", False),
        ("active-active-ha", "session", "region-cut", "eu-west", False),
        # Nothing is said of sessions that lose the node that they read at.
        ("active-active-ha", "primary", "switchover", "eu-west-db1", False),
        # There is no other node in its region.
        ("active-active", "session", "node-kill", "eu-west-db1", False),
    ],
)
def test_in_a_mesh_sessions_live_through_the_promotion_of_a_region(
    tmp_path: Path, deployment: str, routing: str, kind: str, resolved: str, asked: bool
) -> None:
    scribe = Scribe()
    for phase in ("inject", "injected", "effect"):
        scribe.fault(kind, f"{kind} somewhere", 2 * S, phase, resolved=resolved)
    terms = [(1, "eu-west-db1", 1, "one"), (3, "us-east-db1", 7, "two")]
    if asked:
        terms.append((5, "eu-west-db2", 2, "three"))
    for second, node, term, process in terms:
        scribe.call(
            "write", second * S, second * S + MS, key=0, value=second, process=process, node=node,
            term=term,
        )  # fmt: skip
    scribe.call("read", 9 * S, 9 * S + MS, key=0, result=1, process="one", node="eu-west-db2")
    plan = Plan(deployment, Load("sessions", rate_ops_s=40.0), (), 0, 12.0)
    loaded = load(find(deployment), {"read_routing": routing})
    found = judged(finished(plan, loaded, scribe.history(), tmp_path))
    assert ("session-span" in found) is asked
    assert not asked or found["session-span"].validity is Validity.VALID


def test_lag_is_told_by_measurement_and_link(tmp_path: Path) -> None:
    found = run(tmp_path)
    told = document(measured(found))
    links = {(one["measurement"], one["link"]) for one in told["links"]}
    assert links == {
        (name, link)
        for name in ("servers", "heartbeats", "clients", "clients, stable")
        for link in ("eu-west->eu-central", "eu-west->us-east")
    }
    for one in told["links"]:
        low, high = one["p50_ms"]
        assert low - 2 <= 60 <= high + 2
        assert one["floor_ms"] == DELAYS_MS[one["seen_at"]] - 1
        assert len(one["series"]) > 8
        assert all(p50 <= p95 <= p99 <= most for _, p50, p95, p99, most in one["series"])
    assert floors_ms(found)[NODES[0], NODES[1]] == 12


def test_promises_and_measures_share_one_measurement(tmp_path: Path) -> None:
    setting = setting_of(run(tmp_path))
    verdicts = lagging(setting)
    (setting.run.folder.metrics / "replication.jsonl").unlink()
    measures = {
        name: part for one in MEASURES["replication_lag"] for name, part in one(setting).items()
    }
    assert merge(verdicts) is Validity.VALID
    assert set(measures) == {"availability", "lag", "load", "staleness"}
    assert len(measures["lag"]["links"]) == 8


def test_what_is_judged_is_measured_too() -> None:
    assert set(MEASURES) == set(PROMISES) == set(EXPERIMENTS)


def test_a_damaged_recording_is_refused(tmp_path: Path) -> None:
    found = run(tmp_path)
    path = found.folder.metrics / "replication.jsonl"
    path.write_text('{"node": "a"\n' + path.read_text())
    with pytest.raises(FolderError, match=r"replication.jsonl:1: damaged"):
        measured(found)
    path.write_text('{"node": "a"}\n')
    with pytest.raises(FolderError, match="a line lacks"):
        measured(found)


@pytest.mark.parametrize(
    ("steps", "more_ms"),
    [
        ((), 0),
        ((Step("link-latency", "eu-west->us-east", 1.0, 5.0, {"added_ms": 150}),), 150),
        ((Step("link-bandwidth", "eu-west->us-east", 1.0, 5.0, {"kbytes_s": 64}),), 5000),
        ((Step("switchover", "role:primary", 1.0),), 15_000),
        ((Step("region-cut", "eu-west", 1.0, 5.0),), 20_000),
    ],
)
def test_the_bound_of_staleness_is_what_the_schedule_explains(
    tmp_path: Path, steps: tuple[Step, ...], more_ms: float
) -> None:
    setting = setting_of(run(tmp_path, steps=steps))
    assert staleness_bound_ms(setting) == 46 + REPLICATION_MS + more_ms


def test_streams_that_are_begun_anew_keep_no_order() -> None:
    """Of a mesh whose primary moved at 5 s: what touches its region counts up to then."""
    nodes = ("eu-west-db2", "eu-central-db1", "us-east-db1")
    moved = FaultWindow("switchover", "moved", 5 * S, details={"resolved": "eu-west-db2"})
    samples = tuple(
        LagSample(origin, seen_at, made, made + MS, made, seen)
        for origin, seen_at in ((nodes[0], nodes[1]), (nodes[1], nodes[0]), nodes[1:])
        for made, seen in ((4 * S, 4 * S + MS), (4 * S, 6 * S), (7 * S, 8 * S), (7 * S, None))
    )
    setting: Any = SimpleNamespace(
        run=SimpleNamespace(
            deployment=load(find("active-active-ha"), {}),
            windows=(moved,),
            region_of={node: node.rpartition("-")[0] for node in nodes},
        ),
        lag=SimpleNamespace(samples={"heartbeats": samples}),
    )
    kept = in_order(setting)["heartbeats"]
    assert kept == (samples[0], samples[4], *samples[8:])
    setting.run.deployment = load(find("active-passive"), {})
    assert in_order(setting)["heartbeats"] == samples
