"""Which alerts a run sets off: a real Prometheus watches it, and what fired is kept with it.

``metrics/alerts.json`` of the run folder: ``[{"alert", "labels", "from_s", "to_s"}]``, in the order
of their beginnings, in seconds of the run's clock.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from testbed.metrics.exporter import Exporter, served
from testbed.metrics.prometheus import Firing, watching
from testbed.runner.folder import FolderError, RunFolder, read_json, write_json


@contextlib.contextmanager
def alarmed(folder: RunFolder, port: int = 0, scrape_s: float = 1.0) -> Iterator[Exporter]:
    """Serve a run's metrics inside, and let Prometheus watch them; what fired is written after.

    Args:
        folder: Of the run, which begins inside; it need not be there yet.
        port: Where to serve; 0 for any that is free.
        scrape_s: Seconds between two scrapes, and two evaluations of the rules.

    Raises:
        MetricsError: The port is taken, or Prometheus is not installed.
        FolderError: What fired can't be written.
    """
    began_s = time.time()
    with served(port) as exporter, watching(exporter.port, scrape_s) as prometheus:
        exporter.follow(folder)
        yield exporter
        exporter.linger()
        firings = prometheus.firings(began_s, time.time())
    write_json(_path(folder), _document(firings, _base_s(folder)))


def fired(folder: RunFolder) -> tuple[Firing, ...] | None:
    """What fired during a run, in seconds of its clock; None where no Prometheus watched it.

    Raises:
        FolderError: The file is damaged.
    """
    path = _path(folder)
    if not path.exists():
        return None
    try:
        return tuple(
            Firing(one["alert"], dict(one["labels"]), float(one["from_s"]), float(one["to_s"]))
            for one in read_json(path)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FolderError(f"{path} is damaged: {error}") from error


def _path(folder: RunFolder) -> Path:
    return folder.metrics / "alerts.json"


def _base_s(folder: RunFolder) -> float:
    """Wall clock of the run's beginning; that of now, for one that never began."""
    try:
        base_ns = int(read_json(folder.ending)["clock_base_ns"])
    except (FolderError, KeyError, TypeError, ValueError):
        return time.time()
    return time.time() - time.monotonic() + base_ns / 1e9


def _document(firings: Sequence[Firing], base_s: float) -> list[dict[str, Any]]:
    return [
        {
            "alert": firing.name,
            "labels": firing.labels,
            "from_s": round(firing.from_s - base_s, 3),
            "to_s": round(firing.to_s - base_s, 3),
        }
        for firing in firings
    ]
