"""The dashboard asks for what there is, in queries that Prometheus understands."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from testbed.metrics.catalogue import METRICS
from testbed.metrics.dashboard import PANELS, render_dashboard

KNOWN = {name: metric for metric in METRICS for name in metric.exposed}
DOCUMENT = json.loads(render_dashboard())
EXPRESSIONS = [target["expr"] for panel in DOCUMENT["panels"] for target in panel["targets"]] + [
    each["expr"] for each in DOCUMENT["annotations"]["list"]
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_query_asks_for_a_metric_and_labels_that_there_are(expression: str) -> None:
    if expression.startswith("ALERTS{"):
        return
    names = set(re.findall(r"testbed_\w+", expression))
    assert names
    assert names <= KNOWN.keys()
    known = {"world", "le", *(label for name in names for label in KNOWN[name].labels)}
    used = set(re.findall(r"[{,](\w+)(?:=|!=)", expression))
    grouped = re.findall(r"by \(([^)]*)\)", expression)
    assert used | {label for group in grouped for label in group.split(", ")} <= known


@pytest.mark.parametrize("panel", PANELS, ids=lambda each: each.title)
def test_every_legend_names_labels_that_its_series_have(panel) -> None:
    for query in panel.queries:
        legend = set(re.findall(r"\{\{(\w+)\}\}", query.legend))
        grouped = re.findall(r"by \(([^)]*)\)", query.expression)
        if grouped:
            assert legend <= {label for group in grouped for label in group.split(", ")}
        elif not query.expression.startswith("ALERTS"):
            (name,) = set(re.findall(r"testbed_\w+", query.expression))
            assert legend <= {*KNOWN[name].labels}


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5s")}
        for number, expression in enumerate(EXPRESSIONS)
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_is_on_the_dashboard_or_only_tells_what_is_watched() -> None:
    shown = {name for each in EXPRESSIONS for name in re.findall(r"testbed_\w+", each)}
    unseen = {metric.name for metric in METRICS if not shown & set(metric.exposed)}
    assert unseen == {
        "testbed_deployment_info",
        "testbed_run_info",
        "testbed_runs_total",
        "testbed_acknowledged_writes_total",
        "testbed_node_term",
        "testbed_link_silence_seconds",
        "testbed_replication_streaming",
        "testbed_fault_shown",
        "testbed_rpo_seconds",
    }


def test_panels_lie_side_by_side_and_none_over_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DOCUMENT["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells
        taken |= cells
    assert len({panel["id"] for panel in DOCUMENT["panels"]}) == len(PANELS)


def test_every_query_follows_the_chosen_world() -> None:
    for panel in DOCUMENT["panels"]:
        for target in panel["targets"]:
            assert "$world" in target["expr"] or target["expr"].startswith("ALERTS")


def lost(given: Any, read: Any, place: str = "") -> Iterator[str]:
    """Where something that was given is not what was read, or is not there at all."""
    if isinstance(given, dict) and isinstance(read, dict):
        for name, value in given.items():
            yield from lost(value, read.get(name), f"{place}/{name}")
    elif isinstance(given, list) and isinstance(read, list) and len(given) == len(read):
        for number, (one, other) in enumerate(zip(given, read, strict=True)):
            yield from lost(one, other, f"{place}/{number}")
    elif given != read:
        yield place


def test_grafanas_own_models_know_every_field_and_value() -> None:
    register_default_plugins()
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(DOCUMENT)))
    # Of annotations the models have what every source has; these two are Prometheus's own.
    band = "/annotations/list/0"
    assert set(lost(DOCUMENT, read)) == {f"{band}/titleFormat", f"{band}/step"}
