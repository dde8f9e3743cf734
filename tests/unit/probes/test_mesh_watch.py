"""What the inspection of a mesh writes is what its recording reads."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from testbed.measures.mesh_recording import CONFLICTS, MeshRecording, mesh_recording
from testbed.probes import mesh_watch
from testbed.probes.inspection import Scene
from testbed.probes.inspections import INSPECTIONS
from testbed.probes.json_source import JsonSource
from testbed.probes.mesh_watch import MeshInspection
from testbed.topology.inventory import find, load

DEPLOYMENT = load(find("active-active"))


def keeper(url: str) -> dict[str, Any] | None:
    """What a keeper answers; that of us-east does not."""
    if "10.77.3." in url:
        return None
    return {
        "region": "eu-west",
        "problem": "",
        "purged": 0,
        "peers": ["eu-central", "us-east"],
        "lost": [{"name": "from_us_east", "why": "its slot is gone"}],
        "seeded": [{"name": "from_us_east", "why": "lost", "rows": 3, "seconds": 0.1}],
        "slot_bound_bytes": 100,
        "slot_alarm_bytes": 50,
        "recovery": [{"name": "here", "standby": False}],
        "streams": [{"name": "from_us_east", "enabled": True, "running": True, "received": "0/1",
                     "reported": "0/1", "silent_ms": 3.0}],
        "slots": [{"name": "us_east_from_eu_west", "active": False, "wal_status": "lost",
                   "invalidation_reason": "wal_removed", "kept_bytes": None}],
        "conflicts": [{"name": "from_us_east", "apply_error_count": 7,
                       **dict.fromkeys(CONFLICTS, 0), "confl_insert_exists": 7}],
        "heartbeats": [],
    }  # fmt: skip


def test_a_plan_finds_it_by_its_name() -> None:
    """A merge once took its line away, and no run of the conflict experiment could begin."""
    assert INSPECTIONS["mesh"] is MeshInspection


def watched(
    folder: Path, monkeypatch: pytest.MonkeyPatch, answered: Callable[[str], dict[str, Any] | None]
) -> MeshRecording:
    """What is recorded of keepers that answer like this, from a beginning to an end."""

    async def answer(self: JsonSource, url: str) -> dict[str, Any] | None:
        return answered(url)

    monkeypatch.setattr(JsonSource, "get", answer)
    monkeypatch.setattr(mesh_watch, "LOOK_S", 0.001)
    (folder / "metrics").mkdir()
    times = itertools.count(1_000)
    scene = Scene(
        world=cast("Any", None),
        deployment=DEPLOYMENT,
        folder=folder,
        history=folder / "history.jsonl",
        space=1,
        base_ns=0,
        now=lambda: next(times),
    )

    async def watch() -> None:
        inspection = MeshInspection(scene)
        await inspection.begin()
        await inspection.end()
        await inspection.close()

    asyncio.run(watch())
    lines = (folder / "metrics" / "mesh.jsonl").read_bytes().splitlines()
    return mesh_recording(orjson.loads(line) for line in lines)


def test_what_is_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = watched(tmp_path, monkeypatch, keeper)
    # The two that answer, at the beginning and at the end.
    assert len(recording.streams) == len(recording.slots) == 4
    assert {look.node for look in recording.streams} == {"eu-west-db1", "eu-central-db1"}
    stream, slot = recording.streams[0], recording.slots[0]
    assert (stream.runs, stream.errors, stream.conflicts["confl_insert_exists"]) == (True, 7, 7)
    assert (slot.lost, slot.kept_bytes, slot.bound_bytes) == (True, 0, 100)
    assert recording.seeded == {"eu-west-db1": 1, "eu-central-db1": 1}


@pytest.mark.parametrize(
    ("part", "down"),
    [("streams", {"running": False}), ("streams", {"received": None}), ("slots", {})],
)
def test_what_is_being_opened_in_the_end_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, down: dict[str, Any]
) -> None:
    asked = itertools.count()

    def opening(url: str) -> dict[str, Any] | None:
        found = keeper(url)
        if found is not None:
            active = {"active": True, "wal_status": "reserved", "invalidation_reason": None}
            found["slots"][0] |= active
            if next(asked) < 8:
                found[part][0] |= down if part == "streams" else {"active": False}
        return found

    recording = watched(tmp_path, monkeypatch, opening)
    runs, reads = (
        {look.node: up for look, up in looks}
        for looks in (
            [(look, look.runs) for look in recording.streams],
            [(look, look.active) for look in recording.slots],
        )
    )
    assert all(runs.values())
    assert all(reads.values())
