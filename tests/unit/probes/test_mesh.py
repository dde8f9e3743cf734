"""What keeps a mesh from steady state, as its keepers see it."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.probes.mesh import MeshReport, report_problems
from testbed.topology.model import Node

NODE = Node("west-db1", "west", "10.77.1.10", frozenset({"mesh"}), ())
STREAM = {"name": "from_east", "running": True, "received": "0/1", "silent_ms": 100.0}
SLOT = {"name": "east_from_west", "active": True, "wal_status": "reserved",
        "invalidation_reason": None, "kept_bytes": 1 << 20}  # fmt: skip


def report(
    problem: str = "",
    stream: dict[str, Any] | None = None,
    slot: dict[str, Any] | None = None,
    **others: Any,
) -> MeshReport:
    streams = {"from_east": {**STREAM, **(stream or {})}}
    slots = {"east_from_west": {**SLOT, **(slot or {})}}
    bounds: dict[str, Any] = {"slot_bound_bytes": 8 << 20, "slot_alarm_bytes": 4 << 20}
    return MeshReport(
        "west-db1", "west", problem, ("east",), streams, slots, {}, {}, **bounds, **others
    )


def test_a_mesh_that_streams_has_no_problem() -> None:
    assert report_problems(NODE, report()) == []


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (None, "does not answer"),
        (report(problem="no such database"), "no such database"),
        (report(stream={"running": False}), "the stream from_east does not run"),
        (report(stream={"received": None}), "the stream from_east does not run"),
        (report(stream={"silent_ms": 4000.0}), "the stream from_east has been silent for 4000 ms"),
        (report(slot={"active": False}), "nobody reads the slot east_from_west (reserved)"),
        (
            report(slot={"active": False, "invalidation_reason": "wal_removed"}),
            "nobody reads the slot east_from_west (wal_removed)",
        ),
        (
            report(slot={"kept_bytes": 5 << 20}),
            "the slot east_from_west keeps 5.0 MiB of WAL: beyond 8.0 MiB it is lost",
        ),
        (
            report(stream={"received": None}, lost={"from_east": "its slot is gone"}),
            "the stream from_east is lost: its slot is gone",
        ),
    ],
)
def test_what_is_wrong_is_said_of_its_node(seen: MeshReport | None, said: str) -> None:
    (problem,) = report_problems(NODE, seen)
    assert problem.startswith("west-db1: ")
    assert said in problem


def test_a_slot_below_the_alarm_and_a_standby_s_streams_are_no_problem() -> None:
    assert report_problems(NODE, report(slot={"kept_bytes": 4 << 20})) == []
    assert report_problems(NODE, report(slot={"kept_bytes": None})) == []
    assert report_problems(NODE, report(stream={"running": False}, standby=True)) == []


def test_a_subscription_that_is_not_there_is_missed() -> None:
    seen = MeshReport("west-db1", "west", "", ("east", "north"), {"from_east": STREAM}, {}, {}, {})
    assert report_problems(NODE, seen) == ["west-db1: 1 streams are missing"]
