"""Pictures and drills that the tests of consoles share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from testbed.drill.book import Book
from testbed.drill.drill import Drill
from testbed.drill.drill_file import load_drill
from testbed.drill.picture import picture
from testbed.drill.readings import Clients
from testbed.drill.stop_watch import StopWatch
from testbed.probes.snapshot import DataNode, LinkStatus, Snapshot
from testbed.topology.model import Deployment

DRILLS = Path(__file__).parents[3] / "experiments" / "drills"


def shipped(name: str = "primary-region-loss") -> tuple[Drill, Deployment]:
    return load_drill(DRILLS / f"{name}.yml")


def scene(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    """The picture of a moment in which eu-west is cut off."""
    drill, deployment = shipped()
    book = Book(tmp_path, lambda: 12_000_000_000)
    book.note("phase", "playing", "the drill has begun")
    book.note("inject", "eu-west is cut off", "is injected", secret=True)
    book.note("declare", "detected", "clients wait", who="ann")
    book.close()
    links = tuple(
        LinkStatus(
            link.source,
            link.target,
            link.delay_ms,
            link.jitter_ms,
            None,
            link.delay_ms,
            3200.0 if "eu-west" in (link.source, link.target) else 40.0,
            cut="eu-west" in (link.source, link.target),
            dropped_packets=7,
            toxics=("latency (delay_ms 250)",) if link.source == "us-east" else (),
        )
        for link in deployment.topology.links
    )
    snapshot = Snapshot(
        (
            DataNode("eu-west-db1", "silent", "no answer"),
            DataNode("eu-central-db1", "primary", "running", 2),
            DataNode("us-east-db1", "replica", "streaming", 2, "streaming", "async", 120_000),
        ),
        {},
        links,
        ("eu-west -> us-east: cut", "eu-west-db1: Patroni does not answer"),
    )
    clients = (
        Clients("eu-west", 0.0, 20.0, None),
        Clients("eu-central", 20.0, 0.0, 14.0),
        Clients("us-east", 19.0, 1.0, 96.0),
    )
    given: dict[str, Any] = {
        "drill": drill,
        "topology": deployment.topology,
        "world": "w",
        "phase": "playing",
        "now_ns": 12_000_000_000,
        "clients": clients,
        "signals": {"success_ratio": 0.0, "latency_ms_p99": 96.0, "lag_bytes": 120_000.0},
        "unsteady": ("success_ratio is 0, healthy is >= 0.95",),
        "snapshot": snapshot,
        "timeline": None,
        "stops": [StopWatch(drill.stop_conditions[0], since_s=2.0, value=0.0)],
        "book": book,
        "people": (),
    }
    return picture(**{**given, **changes})
