"""A real Prometheus over a run folder that grows: no cluster, so that every second is known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.metrics.alarms import alarmed, fired
from testbed.metrics.exporter import Exporter, MetricsError
from testbed.metrics.prometheus import watching
from testbed.runner.folder import RunFolder
from tests.unit.metrics.recording import add, fault, made, role

pytestmark = pytest.mark.live

SCRAPE_S = 0.2
NODE = "us-east-db1"


def eventually(condition: Callable[[], object], what: str, limit_s: float = 20.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit_s:g} s: {what}"
        time.sleep(0.05)


def scraped_for(exporter: Exporter, seconds: float) -> None:
    """Wait until Prometheus has scraped, and go on for a time."""
    eventually(lambda: len(exporter.scrapes), "a scrape")
    time.sleep(seconds)


def test_what_fires_is_kept_in_seconds_of_the_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    base_ns = time.monotonic_ns()

    def now_s() -> float:
        return (time.monotonic_ns() - base_ns) / 1e9

    with alarmed(folder, scrape_s=SCRAPE_S) as exporter:
        made(tmp_path / "run")
        add(folder.roles, [role(now_s(), "eu-west-db1", "primary"), role(now_s(), NODE, "replica")])
        scraped_for(exporter, 2.0)
        injected_s = now_s()
        add(folder.history, [fault(injected_s, "inject")])
        add(folder.roles, [role(injected_s, NODE, "silent", None)])
        time.sleep(2.5)
        healed_s = now_s()
        add(folder.roles, [role(healed_s, NODE, "replica")])
        time.sleep(2.0)
        folder.ending.write_text(json.dumps({"clock_base_ns": base_ns}))
    firings = fired(folder)
    assert firings is not None
    assert {each.name for each in firings} == {"TestbedNodeSilent"}
    (firing,) = firings
    assert firing.labels["node"] == NODE
    assert injected_s < firing.from_s < injected_s + 2.0
    assert healed_s - 1.0 < firing.to_s < healed_s + 1.0


def test_a_run_that_never_begins_sets_nothing_off(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.metrics.mkdir(parents=True)
    with alarmed(folder, scrape_s=SCRAPE_S) as exporter:
        scraped_for(exporter, 0.5)
    assert fired(folder) == ()


def test_a_prometheus_that_is_not_there_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MetricsError, match="package is `prometheus`"), watching(1):
        pass
