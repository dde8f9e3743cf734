"""What an active-active run is judged by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from experiments.conflict_expectations import served
from experiments.conflict_promises import conflicts
from experiments.setting import setting_of
from testbed.checkers.verdict import Validity, Verdict
from testbed.runner.folder import FolderError
from testbed.runner.plan import Load, Plan
from testbed.topology.inventory import find, load
from tests.histories import MS, S, Scribe
from tests.unit.checkers.mesh_looks import row
from tests.unit.experiments.finished_runs import finished
from tests.unit.experiments.link_readings import BUSY_MS, read_links

NODES = ("eu-west-db1", "eu-central-db1", "us-east-db1")


def judged(strategy: str, **how: Any) -> dict[str, Validity]:
    """What became of each promise, see :func:`verdicts`."""
    return {name: verdict.validity for name, verdict in verdicts(strategy, **how).items()}


def verdicts(
    strategy: str,
    *,
    final: tuple[int, int, int] = (1, 1, 1),
    stuck: bool = False,
    folder: Path = Path("run"),
    inspections: tuple[str, ...] = (),
) -> dict[str, Verdict]:
    """Two regions write row 0 while one is cut off; every node shows a value in the end."""
    scribe = Scribe().window(10 * S, 20 * S)
    for step in range(250):
        start = step * S // 10
        for place, node in enumerate(NODES):
            value = 1 if (step, place) == (150, 0) else 1000 + 3 * step + place
            scribe.call(
                "write", start, start + MS, key=0 if step == 150 else 1, value=value,
                node=node, region=node[:-4],
            )  # fmt: skip
    for number, node in enumerate(NODES, 1):
        scribe.call("mark", 26 * S, 26 * S + MS, value=number, node=node)
        for other in NODES:
            seen = not (stuck and number == 1 and other != node)
            at = 60 * S if not seen else 27 * S
            scribe.call("marked", at, at + MS, value=number, result=seen, node=other)
    for node, value in zip(NODES, final, strict=True):
        scribe.call("row", 70 * S, 70 * S + MS, key=0, result=value, node=node)
    run = finished(
        Plan("active-active", Load("items", rate_ops_s=10.0), (), 1, 25.0, inspections=inspections),
        load(find("active-active"), {"conflict_resolution": strategy}),
        scribe.history(),
        folder,
    )
    return {verdict.name: verdict for verdict in conflicts(setting_of(run))}


def test_regions_that_end_with_one_winner_keep_every_promise() -> None:
    found = judged("last_write_wins")
    assert found.pop("adequacy") is Validity.UNKNOWN  # no fault was planned
    assert set(found.values()) == {Validity.VALID}
    assert set(found) == {"conflicts", "replication", "convergence", "winner", "service"}


def test_regions_that_end_differently_have_not_converged() -> None:
    found = judged("none", final=(1, 1, 1451))
    assert found["convergence"] is Validity.VIOLATION
    assert "winner" not in found


@pytest.mark.parametrize("strategy", ["home_region", "none"])
def test_rows_that_two_regions_write_have_no_home(strategy: str) -> None:
    """Of the control it is asked as well: what it does not promise is seen to be found."""
    assert judged(strategy)["one-home"] is Validity.VIOLATION


def test_a_stream_that_does_not_come_back_is_found_and_has_no_time() -> None:
    flowing, stuck = (
        verdicts("last_write_wins", stuck=one)["replication"] for one in (False, True)
    )
    assert (flowing.validity, stuck.validity) == (Validity.VALID, Validity.VIOLATION)
    assert "converged_ms_max" in flowing.numbers
    assert "converged_ms_max" not in stuck.numbers


@pytest.mark.parametrize("strategy", ["last_write_wins", "crdt", "home_region"])
def test_a_winner_that_nobody_wrote_is_found(strategy: str) -> None:
    """Nobody wrote the value that all show."""
    assert judged(strategy, final=(999, 999, 999))["winner"] is Validity.VIOLATION


@pytest.mark.parametrize(
    ("old_ms", "expected"), [(500, Validity.VALID), (1500, Validity.VIOLATION)]
)
def test_two_nodes_of_a_region_that_both_take_writes_are_found(
    tmp_path: Path, old_ms: int, expected: Validity
) -> None:
    scribe = Scribe()
    for region in ("eu-west", "eu-central", "us-east"):
        writes = [(0, "db1", 1), (old_ms, "db1", 1), (1000, "db2", 2), (2000, "db2", 2)]
        for at_ms, name, term in sorted(writes if region == "eu-west" else writes[:1]):
            node = f"{region}-{name}"
            scribe.call(
                "write", at_ms * MS, (at_ms + 1) * MS, key=0, value=at_ms,
                node=node, region=region, term=term,
            )  # fmt: skip
    run = finished(
        Plan("active-active-ha", Load("items", rate_ops_s=10.0), (), 1, 25.0),
        load(find("active-active-ha")),
        scribe.history(),
        tmp_path,
    )
    (found,) = (one for one in conflicts(setting_of(run)) if one.name == "single-primary")
    assert found.validity is expected
    assert found.reason.startswith("eu-west: ")


TIMELY = ("replication", "convergence", "winner")


@pytest.mark.parametrize(
    ("late_ms", "stuck", "expected"),
    [
        (1.0, True, (Validity.VIOLATION, Validity.VIOLATION, Validity.VIOLATION)),
        # What one region lacks may still be on its way.
        (BUSY_MS, True, (Validity.UNKNOWN, Validity.UNKNOWN, Validity.UNKNOWN)),
        # Everything had arrived: no machine is too busy for that.
        (BUSY_MS, False, (Validity.VALID, Validity.VIOLATION, Validity.VIOLATION)),
    ],
)
def test_a_busy_machine_breaks_no_promise_of_time_and_keeps_no_other(
    tmp_path: Path, late_ms: float, stuck: bool, expected: tuple[Validity, ...]
) -> None:
    folder = read_links(tmp_path, load(find("active-active")).topology, late_ms)
    found = judged("last_write_wins", final=(999, 1, 1), stuck=stuck, folder=folder)
    assert tuple(found[name] for name in TIMELY) == expected


@pytest.mark.parametrize(("late_ms", "expected"), [(1.0, Validity.VIOLATION),
                                                  (BUSY_MS, Validity.UNKNOWN)])  # fmt: skip
@pytest.mark.parametrize(
    ("earlier", "last"),
    [({"stream": {"running": False}}, {"stream": {"running": False}}),
     ({}, {"counts": {"apply_error_count": 50}})],
)  # fmt: skip
def test_connections_that_are_lost_on_a_busy_machine_are_not_stuck(
    tmp_path: Path,
    earlier: dict[str, Any],
    last: dict[str, Any],
    late_ms: float,
    expected: Validity,
) -> None:
    folder = read_links(tmp_path, load(find("active-active")).topology, late_ms)
    watched(folder, row(1), row(30, **earlier), row(36, **last))
    assert judged("none", folder=folder, inspections=("mesh",))["not-stuck"] is expected


@pytest.mark.parametrize(
    ("strategy", "counts", "expected"),
    [
        # None of the conflicts that there were is counted yet, or one that cannot be is.
        ("none", {}, Validity.UNKNOWN),
        ("last_write_wins", {"confl_insert_exists": 1}, Validity.VIOLATION),
    ],
)
def test_what_arrived_or_was_acknowledged_is_judged_however_busy_the_machine(
    tmp_path: Path, strategy: str, counts: dict[str, int], expected: Validity
) -> None:
    folder = read_links(tmp_path, load(find("active-active")).topology)
    watched(folder, row(1), row(30), row(31, counts=counts))
    found = judged(strategy, stuck=True, folder=folder, inspections=("mesh",))
    assert found["replication"] is Validity.UNKNOWN
    assert found["conflict-counters"] is expected
    if strategy == "none":
        assert found["one-home"] is Validity.VIOLATION


@pytest.mark.parametrize(
    "stuck",
    [{"counts": {"confl_insert_exists": 50, "apply_error_count": 50}},
     {"slot": {"active": False, "wal_status": "lost"}}],
)  # fmt: skip
def test_conflicts_and_lost_slots_are_stuck_however_busy_the_machine(
    tmp_path: Path, stuck: dict[str, Any]
) -> None:
    folder = read_links(tmp_path, load(find("active-active")).topology)
    watched(folder, row(1), row(30), row(31, **stuck))
    found = judged("none", stuck=True, folder=folder, inspections=("mesh",))
    assert found["not-stuck"] is Validity.VIOLATION


def watched(folder: Path, *rows: dict[str, Any]) -> Path:
    """A run folder with what the keepers saw."""
    (folder / "metrics").mkdir(exist_ok=True)
    (folder / "metrics" / "mesh.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)) + b"\n")
    return folder


@pytest.mark.parametrize(
    ("strategy", "counts", "stuck", "counters"),
    [
        ("last_write_wins", {}, Validity.VALID, Validity.VALID),
        # A row that met: PostgreSQL counts it where tables are published, and only there.
        ("none", {"confl_update_origin_differs": 1}, Validity.VALID, Validity.VALID),
        ("none", {}, Validity.VALID, Validity.VIOLATION),
        ("last_write_wins", {"confl_insert_exists": 1}, Validity.VALID, Validity.VIOLATION),
        ("none", {"confl_insert_exists": 50, "apply_error_count": 50}, Validity.VIOLATION,
         Validity.VALID),
    ],
)  # fmt: skip
def test_what_the_keepers_saw_is_judged(
    tmp_path: Path,
    strategy: str,
    counts: dict[str, int],
    stuck: Validity,
    counters: Validity,
) -> None:
    folder = watched(tmp_path, row(1), row(30), row(31, counts=counts))
    found = judged(strategy, folder=folder, inspections=("mesh",))
    assert found["not-stuck"] is stuck
    assert found["conflict-counters"] is counters


@pytest.mark.parametrize(("late_ms", "expected"), [(1.0, Validity.VIOLATION),
                                                  (BUSY_MS, Validity.UNKNOWN)])  # fmt: skip
def test_a_region_that_is_served_too_little_on_a_busy_machine(
    tmp_path: Path, late_ms: float, expected: Validity
) -> None:
    folder = read_links(tmp_path, load(find("active-active")).topology, late_ms)
    assert unserved("active-active", "eu-central-db1", "us-east", folder) is expected


def test_a_record_that_is_damaged_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"mesh\.jsonl is damaged"):
        judged("none", folder=watched(tmp_path, {"time": 1}), inspections=("mesh",))


@pytest.mark.parametrize(
    ("deployment", "killed", "refused", "expected"),
    [
        # A region without its only node is promised no service; the others still are.
        ("active-active", "eu-central-db1", "eu-central", Validity.VALID),
        ("active-active", "eu-central-db1", "us-east", Validity.VIOLATION),
        ("active-active", "eu-central-db1/postgres", "eu-central", Validity.VALID),
        # Where it has another node, that one has to take over.
        ("active-active-ha", "eu-central-db1", "eu-central", Validity.VIOLATION),
    ],
)
def test_only_a_region_without_any_node_may_be_without_service(
    deployment: str, killed: str, refused: str, expected: Validity
) -> None:
    assert unserved(deployment, killed, refused) is expected


def unserved(deployment: str, killed: str, refused_in: str, folder: Path = Path("run")) -> Validity:
    """A node is killed, and a region refuses every write from then on."""
    scribe, at = Scribe(), 10 * S
    for phase in ("inject", "injected", "effect"):
        scribe.fault("node-kill", f"node-kill {killed}", at, phase, resolved=killed)
    for phase in ("heal", "healed", "absence"):
        scribe.fault("node-kill", f"node-kill {killed}", 12 * S, phase)
    for step in range(1800):
        start = step * S // 10
        for node in NODES:
            region = node[:-4]
            refused = start > at and region == refused_in
            scribe.call(
                "write", start, start + MS, "fail" if refused else "ok", key=0, value=step,
                node=node, region=region,
            )  # fmt: skip
    run = finished(
        Plan(deployment, Load("items", rate_ops_s=10.0), (), 1, 180.0),
        load(find(deployment)),
        scribe.history(),
        folder,
    )
    (found,) = (one for one in conflicts(setting_of(run)) if one.name == "service")
    return found.validity


@pytest.mark.parametrize(
    ("kind", "resolved", "locked"),
    [
        ("link-cut", "us-east->eu-central", {"us-east": 1, "eu-central": 1, "eu-west": 0}),
        ("region-cut", "us-east", {"us-east": 2, "eu-central": 1, "eu-west": 1}),
        ("link-latency", "us-east->eu-central", {"us-east": 0, "eu-central": 0, "eu-west": 0}),
    ],
)
def test_each_stream_that_is_cut_may_lock_a_row(
    kind: str, resolved: str, locked: dict[str, int]
) -> None:
    """It had brought a part of a transaction, and the subscriber waits for the rest."""
    scribe = Scribe()
    for phase in ("inject", "injected", "effect"):
        scribe.fault(kind, f"{kind} somewhere", 2 * S, phase, resolved=resolved)
    plan = Plan("active-active", Load("items", rate_ops_s=10.0), (), 1, 25.0)
    run = finished(plan, load(find("active-active")), scribe.history())
    spans = {one.region: one.locked_ns for one in served(setting_of(run))}
    assert {region: len(found) for region, found in spans.items()} == locked
    assert {span for found in spans.values() for span in found} <= {(2 * S, 8 * S)}
