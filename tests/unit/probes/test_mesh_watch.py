"""What the inspection of a mesh writes is what its recording reads."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from testbed.measures.mesh_recording import CONFLICTS, mesh_recording
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


def test_what_is_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(self: JsonSource, url: str) -> dict[str, Any] | None:
        return keeper(url)

    monkeypatch.setattr(JsonSource, "get", answer)
    (tmp_path / "metrics").mkdir()
    times = itertools.count(1_000)
    scene = Scene(
        world=cast("Any", None),
        deployment=DEPLOYMENT,
        folder=tmp_path,
        history=tmp_path / "history.jsonl",
        space=1,
        base_ns=0,
        now=lambda: next(times),
    )

    async def watched() -> None:
        inspection = MeshInspection(scene)
        await inspection.begin()
        await inspection.end()
        await inspection.close()

    asyncio.run(watched())
    lines = (tmp_path / "metrics" / "mesh.jsonl").read_bytes().splitlines()
    recording = mesh_recording(orjson.loads(line) for line in lines)
    # The two that answer, at the beginning and at the end.
    assert len(recording.streams) == len(recording.slots) == 4
    assert {look.node for look in recording.streams} == {"eu-west-db1", "eu-central-db1"}
    stream, slot = recording.streams[0], recording.slots[0]
    assert (stream.runs, stream.errors, stream.conflicts["confl_insert_exists"]) == (True, 7, 7)
    assert (slot.lost, slot.kept_bytes, slot.bound_bytes) == (True, 0, 100)
    assert recording.seeded == {"eu-west-db1": 1, "eu-central-db1": 1}
