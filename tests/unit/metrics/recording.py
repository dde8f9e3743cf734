"""Run folders made by hand, for metrics: as a run writes them, file by file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from testbed.runner.execute import prepare
from testbed.runner.folder import RunFolder
from testbed.runner.plan import Load, Plan
from testbed.topology.inventory import find, load

DEPLOYMENT = load(find("active-passive"))
WORLD = "run-1-lane0"
S = 1_000_000_000
"""A second in the clock of a run."""


def made(path: Path, deployment: str = "active-passive") -> RunFolder:
    """A run folder that nothing has happened in yet."""
    folder = RunFolder(path)
    plan = Plan(deployment, Load("set"), (), 0, 10.0)
    prepare(folder, plan, load(find(deployment)), WORLD, {})
    return folder


def add(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def invoke(process: int, time_s: float, region: str | None = None, **more: Any) -> dict[str, Any]:
    line = {"time": int(time_s * S), "process": process, "type": "invoke", "f": "add", **more}
    return line if region is None else {**line, "region": region}


def done(process: int, time_s: float, kind: str = "ok", **more: Any) -> dict[str, Any]:
    line = {"time": int(time_s * S), "process": process, "type": kind, "f": "add", **more}
    return {**line, "node": "eu-west-db1"} if kind == "ok" else line


def fault(time_s: float, phase: str, **more: Any) -> dict[str, Any]:
    value = {"step": 0, "phase": phase, "title": "region-cut eu-west", **more}
    return {"time": int(time_s * S), "process": "faults", "type": "info", "f": "region-cut",
            "value": value}  # fmt: skip


def link(time_s: float, source: str, target: str, silent_ms: float | None, delay_ms: float = 13.0):
    return {"time": int(time_s * S), "source": source, "target": target, "delay_ms": delay_ms,
            "tcp_age_ms": silent_ms, "udp_age_ms": silent_ms}  # fmt: skip


def role(time_s: float, node: str, role: str, term: int | None = 1) -> dict[str, Any]:
    return {"time": int(time_s * S), "node": node, "role": role, "state": "running", "term": term}


def stream(time_s: float, sender: str, receiver: str, lag_ms: float | None) -> dict[str, Any]:
    return {"time": int(time_s * S), "sender": sender, "receiver": receiver, "running": True,
            "synchronous": "async", "lag_bytes": 10, "lag_ms": lag_ms}  # fmt: skip
