"""What observers measured of every link, as a run folder has it, for the tests of experiments."""

from __future__ import annotations

import json
from pathlib import Path

from testbed.topology.model import Topology

BUSY_MS = 90.0
"""So late are messages on a machine on which nothing that takes time is believed."""


def read_links(
    folder: Path, topology: Topology, late_ms: float = BUSY_MS, *, looks: int = 40
) -> Path:
    """Write a folder's readings: one a second of each link, of which one in ten is this late."""
    (folder / "metrics").mkdir(exist_ok=True)
    lines = [
        json.dumps({"time": int(second * 1e9), "source": link.source, "target": link.target,
                    "delay_ms": link.delay_ms + (late_ms if second % 10 == 0 else 1.0)})
        for second in range(looks)
        for link in topology.links
    ]  # fmt: skip
    (folder / "metrics" / "links.jsonl").write_text("\n".join([*lines, '{"time": 1']))
    return folder
