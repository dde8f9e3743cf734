"""A run's files as metrics, while they grow and when they are whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.metrics.board import Board
from testbed.metrics.follower import Follower
from testbed.metrics.textfile import write_textfile
from testbed.runner.folder import RunFolder
from tests.unit.metrics.recording import WORLD, add, done, fault, invoke, link, made, role, stream

WEST, CENTRAL, EAST = "eu-west-db1", "eu-central-db1", "us-east-db1"


class Watched:
    """A run folder, and what its metrics are now."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.board = Board()
        self.follower = Follower(self.board, folder)

    def value(self, name: str, **labels: str) -> float | None:
        self.follower.refresh()
        return self.board.registry.get_sample_value(name, {"world": WORLD, **labels})

    def history(self, *lines: dict[str, Any]) -> None:
        add(self.folder.history, lines)


@pytest.fixture
def run(tmp_path: Path) -> Watched:
    return Watched(made(tmp_path / "run"))


def test_a_run_that_is_not_prepared_yet_is_waited_for(tmp_path: Path) -> None:
    watched = Watched(RunFolder(tmp_path / "run"))
    assert watched.value("testbed_run_info") is None
    made(tmp_path / "run")
    about = {"run": "run", "experiment": "failover", "workload": "set"}
    assert watched.value("testbed_run_info", **about) == 1
    deployed = {"deployment": "active-passive", "primaries": "one"}
    assert watched.value("testbed_deployment_info", **deployed) == 1
    asked = watched.value("testbed_link_asked_delay_seconds", source="eu-west", target="us-east")
    assert asked == 0.035


def test_a_mesh_has_many_primaries(tmp_path: Path) -> None:
    watched = Watched(made(tmp_path / "run", "active-active"))
    labels = {"deployment": "active-active", "primaries": "many"}
    assert watched.value("testbed_deployment_info", **labels) == 1


def test_operations_are_counted_by_region_kind_and_outcome(run: Watched) -> None:
    run.history(
        invoke(0, 1.0, "eu-west"),
        done(0, 1.1),
        invoke(0, 2.0),
        done(0, 2.1, "fail", error="shed"),
        invoke(1, 2.0, "us-east"),
        done(1, 3.0, "info"),
        {**invoke(2, 3.0, "us-east"), "f": "count"},
        {**done(2, 3.1), "f": "count"},
        {**invoke(3, 3.0, "us-east"), "f": "schema"},
        {**done(3, 3.1, "fail"), "f": "schema"},
    )

    def count(region: str, kind: str, outcome: str) -> float | None:
        name = "testbed_operations_total"
        return run.value(name, region=region, kind=kind, outcome=outcome)

    assert count("eu-west", "write", "ok") == 1
    assert count("eu-west", "write", "shed") == 1
    assert count("us-east", "write", "info") == 1
    assert count("us-east", "read", "ok") == 1
    assert count("us-east", "other", "fail") == 1
    assert run.value("testbed_acknowledged_writes_total", region="eu-west", node=WEST) == 1


def test_a_duration_counts_from_when_an_operation_was_due(run: Watched) -> None:
    run.history(invoke(0, 1.0, "eu-west", due=int(0.2e9)), done(0, 1.1))
    labels = {"region": "eu-west", "kind": "write"}
    assert run.value("testbed_operation_duration_seconds_sum", **labels) == pytest.approx(0.9)
    name = "testbed_operation_duration_seconds_bucket"
    assert run.value(name, **labels, le="0.75") == 0
    assert run.value(name, **labels, le="1.0") == 1


def test_what_is_written_later_is_added(run: Watched) -> None:
    labels = {"region": "eu-west", "kind": "write", "outcome": "ok"}
    run.history(invoke(0, 1.0, "eu-west"))
    assert run.value("testbed_operations_in_flight", region="eu-west") == 1
    assert run.value("testbed_operations_total", **labels) is None
    whole = json.dumps(done(0, 1.1))
    with run.folder.history.open("a") as file:
        file.write(whole[:20])
    assert run.value("testbed_operations_total", **labels) is None
    with run.folder.history.open("a") as file:
        file.write(whole[20:] + "\n")
    assert run.value("testbed_operations_total", **labels) == 1
    assert run.value("testbed_operations_in_flight", region="eu-west") == 0


def test_an_outage_grows_until_the_next_acknowledgement(run: Watched) -> None:
    def outage() -> float | None:
        return run.value("testbed_writes_unacknowledged_seconds", region="eu-west")

    run.history(invoke(0, 1.0, "eu-west"), done(0, 1.1))
    assert outage() == 0
    run.history(invoke(0, 2.0), done(0, 3.0, "info"), invoke(1, 3.0, "eu-west"))
    assert outage() == pytest.approx(1.9)
    run.history(done(1, 4.0, "info"), invoke(2, 4.5, "eu-west"))
    assert outage() == pytest.approx(3.4)
    run.history(done(2, 4.6))
    assert outage() == 0


def test_clients_that_ask_for_nothing_have_no_outage(run: Watched) -> None:
    run.history(invoke(0, 1.0, "eu-west"), done(0, 2.0, "info"), invoke(1, 9.0, "us-east"))
    assert run.value("testbed_writes_unacknowledged_seconds", region="eu-west") == 0


def test_the_rto_so_far_is_the_longest_outage_since_the_fault(run: Watched) -> None:
    labels = {"region": "us-east", "fault": "region-cut eu-west"}
    run.history(invoke(0, 1.0, "us-east"), done(0, 1.1), fault(2.0, "inject"))
    assert run.value("testbed_rto_seconds", **labels) is None
    run.history(invoke(0, 2.5), done(0, 3.5, "info"), invoke(1, 4.0, "us-east"))
    assert run.value("testbed_rto_seconds", **labels) == pytest.approx(2.0)
    run.history(done(1, 9.0), invoke(1, 9.5), done(1, 9.6))
    assert run.value("testbed_rto_seconds", **labels) == pytest.approx(7.0)


def test_a_fault_is_active_until_it_is_healed(run: Watched) -> None:
    labels = {"kind": "region-cut", "target": "eu-west"}
    run.history(fault(1.0, "inject"), fault(1.1, "injected", resolved="eu-west"))
    assert run.value("testbed_fault_active", **labels) == 1
    run.history(fault(1.2, "effect", shown=True, observation=""), fault(2.0, "heal"))
    assert run.value("testbed_fault_active", **labels) == 1
    run.history(fault(2.1, "healed"), fault(2.2, "absence", shown=False, observation=""))
    assert run.value("testbed_fault_active", **labels) == 0
    assert run.value("testbed_fault_shown", **labels, phase="effect") == 1
    assert run.value("testbed_fault_shown", **labels, phase="absence") == 0


def test_a_node_has_one_role_at_a_time(run: Watched) -> None:
    def roles(node: str = CENTRAL, region: str = "eu-central") -> list[str]:
        return [
            role
            for role in ("primary", "replica", "silent", "demoted")
            if run.value("testbed_node_role", region=region, node=node, role=role)
        ]

    add(run.folder.roles, [role(1.0, CENTRAL, "replica")])
    assert roles() == ["replica"]
    add(run.folder.roles, [role(2.0, CENTRAL, "primary", 2), role(2.0, WEST, "silent", None)])
    assert roles() == ["primary"]
    assert roles(WEST, "eu-west") == ["silent"]
    assert run.value("testbed_node_term", region="eu-central", node=CENTRAL) == 2
    assert run.value("testbed_node_term", region="eu-west", node=WEST) is None
    add(run.folder.roles, [role(3.0, CENTRAL, "demoted")])
    assert roles() == ["demoted"]
    add(run.folder.roles, [role(4.0, CENTRAL, "replica")])
    assert roles() == ["replica"]


def test_a_link_is_up_while_something_arrives(run: Watched) -> None:
    path = run.folder.metrics / "links.jsonl"
    labels = {"source": "eu-west", "target": "us-east"}
    add(path, [link(1.0, "eu-west", "us-east", 50.0, 35.5)])
    assert run.value("testbed_link_up", **labels) == 1
    assert run.value("testbed_link_delay_seconds", **labels) == pytest.approx(0.0355)
    add(path, [link(2.0, "eu-west", "us-east", 1500.0, 35.5)])
    assert run.value("testbed_link_up", **labels) == 0
    assert run.value("testbed_link_silence_seconds", **labels) == 1.5
    assert run.value("testbed_link_delay_seconds", **labels) is None


def test_a_link_whose_observer_is_silent_is_unknown_rather_than_down(run: Watched) -> None:
    path = run.folder.metrics / "links.jsonl"
    labels = {"source": "eu-west", "target": "us-east"}
    add(path, [link(1.0, "eu-west", "us-east", 50.0), link(1.0, "us-east", "eu-west", 50.0)])
    add(path, [link(2.0, "us-east", "eu-west", 50.0)])
    assert run.value("testbed_link_up", **labels) == 1  # the look may not be whole yet
    add(path, [link(3.0, "us-east", "eu-west", 50.0)])
    assert run.value("testbed_link_up", **labels) is None
    assert run.value("testbed_link_up", source="us-east", target="eu-west") == 1


def test_a_stream_that_is_no_more_is_taken_back(run: Watched) -> None:
    path = run.folder.metrics / "streams.jsonl"

    def lag(sender: str) -> float | None:
        regions = {"source": sender.removesuffix("-db1"), "target": "us-east"}
        name = "testbed_replication_lag_seconds"
        return run.value(name, **regions, sender=sender, receiver=EAST)

    add(path, [stream(1.0, WEST, CENTRAL, 20.0), stream(1.0, WEST, EAST, 40.0)])
    assert lag(WEST) == pytest.approx(0.04)
    add(path, [stream(1.5, CENTRAL, EAST, 30.0)])
    add(path, [stream(2.0, CENTRAL, EAST, None)])
    assert lag(WEST) is None
    assert lag(CENTRAL) is None
    streaming = {"source": "eu-central", "target": "us-east", "sender": CENTRAL, "receiver": EAST}
    assert run.value("testbed_replication_streaming", **streaming) == 1


VERDICT = {
    "version": 1,
    "validity": "violation",
    "verdicts": [
        {"name": "durability", "validity": "violation"},
        {"name": "rto", "validity": "unknown"},
    ],
    "measures": {
        "rto": [
            {"region": "us-east", "fault": "region-cut eu-west", "rto_s": 7.5, "bound_s": 30.0},
            {"region": "eu-west", "fault": "region-cut eu-west", "rto_s": None, "bound_s": 30.0},
        ],
        "availability": {"us-east": 0.75},
        "rpo": {"lost": [{"value": 1, "acknowledged_s": 3.0}, {"value": 2, "acknowledged_s": 4.5}]},
    },
}


def test_the_judgement_replaces_what_was_measured_meanwhile(run: Watched) -> None:
    run.history(invoke(0, 1.0, "eu-west"), done(0, 1.1), invoke(1, 1.0, "eu-central"),
                done(1, 1.1), fault(2.0, "inject"), invoke(0, 2.5), invoke(1, 2.5),
                done(0, 3.5, "info"), done(1, 3.5, "info"))  # fmt: skip
    central = {"region": "eu-central", "fault": "region-cut eu-west"}
    assert run.value("testbed_rto_seconds", **central) is not None
    west = {"region": "eu-west", "fault": "region-cut eu-west"}
    assert run.value("testbed_rto_seconds", **west) is not None
    run.folder.ending.write_text("{}")
    run.folder.verdict.write_text(json.dumps(VERDICT))
    east = {**west, "region": "us-east"}
    assert run.value("testbed_rto_seconds", **east) == 7.5
    assert run.value("testbed_rto_bound_seconds", **east) == 30.0
    assert run.value("testbed_rto_seconds", **west) is None
    assert run.value("testbed_rto_seconds", **central) is None
    assert run.value("testbed_rpo_lost_writes") == 2
    assert run.value("testbed_rpo_seconds") == 1.5
    assert run.value("testbed_availability_ratio", region="us-east") == 0.75
    assert run.value("testbed_verdict", promise="durability", validity="violation") == 1
    assert run.value("testbed_verdict", promise="rto", validity="unknown") == 1
    assert run.value("testbed_runs_total", validity="violation") == 1


def test_the_next_run_of_a_world_begins_with_nothing_but_its_counts(
    run: Watched, tmp_path: Path
) -> None:
    run.history(invoke(0, 1.0, "eu-west"), done(0, 1.1), fault(2.0, "inject"))
    run.folder.ending.write_text("{}")
    run.folder.verdict.write_text(json.dumps(VERDICT))
    count = {"region": "eu-west", "kind": "write", "outcome": "ok"}
    assert run.value("testbed_operations_total", **count) == 1
    run.follower.retire()
    run.follower = Follower(run.board, made(tmp_path / "next"))
    assert run.value("testbed_operations_total", **count) == 1
    assert run.value("testbed_verdict", promise="durability", validity="violation") is None
    assert run.value("testbed_fault_active", kind="region-cut", target="eu-west") is None
    assert run.value("testbed_operations_in_flight", region="eu-west") is None


def test_the_textfile_is_what_a_finished_run_comes_to(run: Watched) -> None:
    run.history(invoke(0, 1.0, "eu-west"), done(0, 1.1))
    add(run.folder.roles, [role(1.0, CENTRAL, "replica")])
    run.folder.ending.write_text("{}")
    run.folder.verdict.write_text(json.dumps(VERDICT))
    text = write_textfile(run.folder).read_text()
    assert text.count("# TYPE testbed_operations_total counter") == 1
    assert f'testbed_rpo_lost_writes{{world="{WORLD}"}} 2.0' in text
    assert 'role="replica",world="run-1-lane0"} 1.0' in text
    assert "_created" not in text
    assert write_textfile(run.folder).read_text() == text


@pytest.mark.parametrize(
    "line", [{"time": "x"}, {"time": None}, {"time": 1}, {"time": 1, "node": {}, "role": []}]
)
def test_a_damaged_line_is_left_out(run: Watched, line: dict[str, Any]) -> None:
    for path in (run.folder.roles, run.folder.metrics / "streams.jsonl"):
        add(path, [line])
    add(run.folder.roles, [role(1.0, CENTRAL, "replica")])
    add(run.folder.metrics / "links.jsonl", [line, link(1.0, "eu-west", "us-east", 5.0)])
    run.history({**line, "process": "faults"}, invoke(0, 1.0, "eu-west"), done(0, 1.1))
    count = {"region": "eu-west", "kind": "write", "outcome": "ok"}
    assert run.value("testbed_operations_total", **count) == 1
    assert run.value("testbed_link_up", source="eu-west", target="us-east") == 1
