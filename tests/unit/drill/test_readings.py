"""Signals of a moment: the worst region, the slowest node, and what nobody can tell."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

from testbed.clients.protocol import Completion, Invocation
from testbed.drill.drill import Bound
from testbed.drill.readings import Clients, WatchedRecorder, broken, signals
from testbed.history.journal import Journal
from testbed.probes.snapshot import DataNode, Snapshot
from testbed.runner.clock import Clock

SNAPSHOT = Snapshot(
    (
        DataNode("a", "primary", "running", 1),
        DataNode("b", "replica", "streaming", 1, lag_bytes=7),
        DataNode("c", "silent", "no answer"),
    ),
    {},
    (),
    (),
)


def test_the_worst_region_and_the_slowest_node_count() -> None:
    found = signals([Clients("x", 9, 1, 20.0), Clients("y", 20, 0, 50.0)], SNAPSHOT)
    assert found == {
        "success_ratio": 0.9, "latency_ms_p99": 50.0, "lag_bytes": 7.0, "primaries": 1.0,
    }  # fmt: skip


def test_a_region_in_which_nothing_ended_is_not_served() -> None:
    found = signals([Clients("x", 0, 0, None), Clients("y", 20, 0, 50.0)], None)
    assert found["success_ratio"] == 0.0
    assert found["lag_bytes"] is None
    assert found["primaries"] is None


def test_a_bound_without_a_reading_is_broken() -> None:
    bounds = (Bound("success_ratio", "min", 0.9), Bound("lag_bytes", "max", 10))
    assert not broken(bounds, {"success_ratio": 0.9, "lag_bytes": 10.0})
    assert broken(bounds, {"success_ratio": 0.16666, "lag_bytes": None}) == (
        "success_ratio is 0.167, healthy is >= 0.9",
        "lag_bytes is no reading, healthy is <= 10",
    )


class Answering:
    """A client that gives one answer to everything."""

    ended = False

    def __init__(self, kind: Literal["ok", "fail", "info"]) -> None:
        self._kind = kind

    async def perform(self, invocation: Invocation) -> Completion:
        return Completion(self._kind)

    async def close(self) -> None:
        pass


def test_the_recorder_remembers_what_ended_lately(tmp_path: Path) -> None:
    with Journal(tmp_path / "history.jsonl") as journal:
        recorder = WatchedRecorder(journal, Clock())
        what = Invocation("add", 1)

        async def load() -> None:
            for kind in ("ok", "ok", "info"):
                await recorder.perform(Answering(kind), recorder.process(), "x", what)

        asyncio.run(load())
        # Never sent: nobody was served.
        recorder.shed(recorder.process(), "x", what, 0)
        mine, other = recorder.clients(["x", "y"])
    assert mine.success_ratio == 0.5
    assert other.success_ratio is None
    assert recorder.tally["x", "add", "ok"] == 2
