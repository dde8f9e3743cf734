"""The alert rules, judged by Prometheus' own promtool."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from testbed.metrics.alerts import Alert, alerts, render_alerts
from testbed.metrics.catalogue import METRICS
from tests.unit.metrics.alert_scenarios import SCENARIOS, Scenario

ALERTS = {alert.name: alert for alert in alerts()}
KNOWN = {name: metric for metric in METRICS for name in metric.exposed}


def promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["promtool", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def document(scenario: Scenario) -> dict[str, object]:
    """A scenario as promtool reads it: every alert is asked for, also those that must not fire."""
    asked = []
    for name, alert in ALERTS.items():
        expected = [
            {
                "exp_labels": {**firing.labels, "severity": alert.severity},
                "exp_annotations": {"summary": firing.summary, "action": action(alert, firing)},
            }
            for firing in scenario.fires
            if firing.name == name
        ]
        when = {"eval_time": f"{scenario.at_s}s", "alertname": name, "exp_alerts": expected}
        asked.append(when)
    series = [{"series": name, "values": values} for name, values in scenario.series.items()]
    return {"interval": "1s", "input_series": series, "alert_rule_test": asked}


def action(alert: Alert, firing: object) -> str:
    labels = getattr(firing, "labels", {})
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels[found[1]], alert.action)


def tried(folder: Path, rules: str, scenario: Scenario) -> subprocess.CompletedProcess[str]:
    (folder / "alerts.yml").write_text(rules)
    tests = {
        "rule_files": ["alerts.yml"],
        "evaluation_interval": "1s",
        "tests": [document(scenario)],
    }
    (folder / "scenario.yml").write_text(yaml.safe_dump(tests))
    return promtool("test", "rules", folder / "scenario.yml")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.title)
def test_what_fires_and_what_does_not(scenario: Scenario, tmp_path: Path) -> None:
    done = tried(tmp_path, render_alerts(), scenario)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_fires_in_a_scenario_and_is_silent_in_another() -> None:
    firing = [{each.name for each in scenario.fires} for scenario in SCENARIOS]
    assert set().union(*firing) == ALERTS.keys()


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_that_never_fires_is_noticed(name: str, tmp_path: Path) -> None:
    """The negative control of the scenarios: each rule in turn is made to say nothing."""
    rules = yaml.safe_load(render_alerts())
    for rule in rules["groups"][0]["rules"]:
        if rule["alert"] == name:
            rule["expr"] = f"({rule['expr']}) and on () vector(1) < 0"
    scenario = next(s for s in SCENARIOS if any(each.name == name for each in s.fires))
    assert tried(tmp_path, yaml.safe_dump(rules), scenario).returncode == 1


@pytest.mark.parametrize("scrape_s", [0.5, 1.0, 15.0])
def test_prometheus_accepts_the_rules_at_any_interval(scrape_s: float, tmp_path: Path) -> None:
    path = tmp_path / "alerts.yml"
    path.write_text(render_alerts(scrape_s))
    done = promtool("check", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_an_alert_asks_for_metrics_and_labels_that_there_are(alert: Alert) -> None:
    names = set(re.findall(r"testbed_\w+", alert.expression))
    assert names
    assert names <= KNOWN.keys()
    labels = {
        "world",
        "le",
        *(label for name in names for label in KNOWN[name].labels),
    }
    matched = set(re.findall(r'(\w+)(?:=|!=)"', alert.expression))
    grouped = re.findall(r"(?:by|on) \(([^)]*)\)", alert.expression)
    used = matched | {label for group in grouped for label in group.split(", ")}
    assert used <= labels
