"""Alerts that fired during a run, kept with it, and what a drill asks of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.checkers.verdict import Validity
from testbed.drill.drill_file import DrillFileError, load_drill
from testbed.drill.outcome import _alerted
from testbed.metrics.alarms import fired
from testbed.metrics.prometheus import Firing, Prometheus, configuration
from testbed.runner.folder import FolderError
from tests.unit.metrics.recording import made

DRILLS = Path(__file__).parents[3] / "experiments" / "drills"


def test_no_file_is_not_the_same_as_no_alert(tmp_path: Path) -> None:
    folder = made(tmp_path / "run")
    assert fired(folder) is None
    (folder.metrics / "alerts.json").write_text("[]")
    assert fired(folder) == ()
    line = {"alert": "TestbedLinkDown", "labels": {"source": "a"}, "from_s": 1.5, "to_s": 2}
    (folder.metrics / "alerts.json").write_text(json.dumps([line]))
    assert fired(folder) == (Firing("TestbedLinkDown", {"source": "a"}, 1.5, 2.0),)
    (folder.metrics / "alerts.json").write_text('[{"alert": "TestbedLinkDown"}]')
    with pytest.raises(FolderError, match="damaged"):
        fired(folder)


def at(name: str, from_s: float) -> Firing:
    return Firing(name, {}, from_s, from_s + 1)


def test_every_alert_of_the_objective_must_fire_after_the_inject() -> None:
    wanted = ("TestbedLinkDown", "TestbedNodeSilent")
    both = (at("TestbedLinkDown", 12.0), at("TestbedNodeSilent", 13.5))
    verdict = _alerted(wanted, both, 10 * 10**9, "")
    assert verdict.validity is Validity.VALID
    assert "TestbedLinkDown after 2.0 s" in verdict.reason
    assert verdict.numbers == {"first_alert_s": 2.0}
    late = _alerted(wanted, both, 13 * 10**9, "")
    assert late.validity is Validity.VIOLATION
    assert "TestbedLinkDown did not fire; what did: TestbedNodeSilent" in late.reason
    assert _alerted(wanted, (), 10 * 10**9, "").validity is Validity.VIOLATION
    assert _alerted(wanted, (), 10 * 10**9, "it was halted").validity is Validity.UNKNOWN
    assert _alerted(wanted, both, None, "").validity is Validity.UNKNOWN


@pytest.mark.parametrize("path", sorted(DRILLS.glob("*.yml")), ids=lambda each: each.stem)
def test_every_shipped_drill_says_which_alerts_belong_to_it(path: Path) -> None:
    drill, _ = load_drill(path)
    assert drill.objective.alerts


def test_an_alert_that_there_is_not_is_refused(tmp_path: Path) -> None:
    text = (DRILLS / "slow-link.yml").read_text().replace("TestbedLinkSlow", "TestbedLinkSlwo")
    path = tmp_path / "drill.yml"
    path.write_text(text)
    with pytest.raises(DrillFileError, match=r"objective.alerts: no alert 'TestbedLinkSlwo'"):
        load_drill(path)


def test_the_configuration_scrapes_loopback_at_the_interval() -> None:
    text = configuration(9464, 0.5)
    assert "127.0.0.1:9464" in text
    assert "scrape_interval: 500ms" in text


def test_one_that_stops_and_fires_again_is_there_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    series = {
        "metric": {
            "__name__": "ALERTS",
            "alertstate": "firing",
            "alertname": "TestbedLinkDown",
            "source": "a",
        },
        "values": [[10, "1"], [11, "1"], [15, "1"]],
    }

    def query_range(*_: Any) -> list[dict[str, Any]]:
        return [series]

    prometheus = Prometheus("127.0.0.1:1", 1.0)
    monkeypatch.setattr(prometheus, "query_range", query_range)
    assert prometheus.firings(0, 20) == (
        Firing("TestbedLinkDown", {"source": "a"}, 10, 11),
        Firing("TestbedLinkDown", {"source": "a"}, 15, 15),
    )
