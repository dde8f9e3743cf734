"""The Grafana dashboard: built here, so that every query of it can be checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_COLUMNS = 24
_HEIGHT = 7
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_IN_WORLD = 'world=~"$world"'


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel.

    Args:
        expression: In PromQL.
        legend: Of each of its series, with Grafana's ``{{label}}``.
    """

    expression: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Args:
        title: Above it.
        description: What it shows, for people.
        unit: As Grafana names it: ``s``, ``bytes``, ``ops``, ``percentunit``, ``short``.
        queries: What it shows.
        kind: ``timeseries``, ``stat``, ``state-timeline`` or ``table``.
        width: In columns of 24.
    """

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    width: int = 12


def _rate(metric: str, matched: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}{{{_IN_WORLD}{matched}}}[$__rate_interval]))"


def _quantile(share: float) -> Query:
    buckets = _rate(
        "testbed_operation_duration_seconds_bucket", ',kind="write"', "world, region, le"
    )
    expression = f"histogram_quantile({share:g}, {buckets})"
    return Query(expression, f"{{{{region}}}} p{share * 100:g}")


def _plain(metric: str, legend: str, matched: str = "") -> Query:
    return Query(f"{metric}{{{_IN_WORLD}{matched}}}", legend)


PANELS: tuple[Panel, ...] = (
    Panel(
        "Firing alerts",
        "What Prometheus would wake somebody for now.",
        "short",
        (Query('ALERTS{alertstate="firing",alertname=~"Testbed.*"}', "{{alertname}}"),),
        "table",
    ),
    Panel(
        "Verdicts of the last run",
        "What each promise was judged to be.",
        "short",
        (_plain("testbed_verdict", "{{promise}}: {{validity}}"),),
        "table",
    ),
    Panel(
        "Faults",
        "Each fault from its injection to its heal.",
        "short",
        (_plain("testbed_fault_active", "{{kind}} {{target}}"),),
        "state-timeline",
        24,
    ),
    Panel(
        "Primaries",
        "Nodes that claim to be primary, and nodes that do not answer.",
        "short",
        (
            _plain("testbed_node_role", "{{node}} primary", ',role="primary"'),
            _plain("testbed_node_role", "{{node}} silent", ',role="silent"'),
        ),
        "state-timeline",
    ),
    Panel(
        "Links",
        "Each directed link: 1 while something arrives over it.",
        "short",
        (_plain("testbed_link_up", "{{source}} to {{target}}"),),
        "state-timeline",
    ),
    Panel(
        "Acknowledged operations",
        "By region and kind, a second.",
        "ops",
        (
            Query(
                _rate("testbed_operations_total", ',outcome="ok",kind!="other"', "region, kind"),
                "{{region}} {{kind}}s",
            ),
        ),
    ),
    Panel(
        "Operations that failed or are unknown",
        "By region and outcome, a second.",
        "ops",
        (
            Query(
                _rate("testbed_operations_total", ',outcome!="ok"', "region, outcome"),
                "{{region}} {{outcome}}",
            ),
        ),
    ),
    Panel(
        "Latency of writes",
        "Of acknowledged ones, from when they were due.",
        "s",
        (_quantile(0.5), _quantile(0.9), _quantile(0.99)),
    ),
    Panel(
        "Outage of writes so far",
        "Since when a region's clients have had no write acknowledged.",
        "s",
        (_plain("testbed_writes_unacknowledged_seconds", "{{region}}"),),
    ),
    Panel(
        "RTO",
        "The longest outage since each fault, and what was promised of it.",
        "s",
        (
            _plain("testbed_rto_seconds", "{{region}}, {{fault}}"),
            _plain("testbed_rto_bound_seconds", "{{region}}, {{fault}}: promised"),
        ),
    ),
    Panel(
        "RPO",
        "Acknowledged writes that are lost.",
        "short",
        (_plain("testbed_rpo_lost_writes", "lost writes"),),
        "stat",
        6,
    ),
    Panel(
        "Availability",
        "Acknowledged operations of those asked for, of the last run.",
        "percentunit",
        (_plain("testbed_availability_ratio", "{{region}}"),),
        "stat",
        6,
    ),
    Panel(
        "Replication lag",
        "Since when the sender has had something that the receiver lacks.",
        "s",
        (_plain("testbed_replication_lag_seconds", "{{sender}} to {{receiver}}"),),
    ),
    Panel(
        "Replication lag in bytes",
        "Log that the receiver has not replayed.",
        "bytes",
        (_plain("testbed_replication_lag_bytes", "{{sender}} to {{receiver}}"),),
    ),
    Panel(
        "Delay of links",
        "One way, as it is measured, and as the deployment asks for it.",
        "s",
        (
            _plain("testbed_link_delay_seconds", "{{source}} to {{target}}"),
            _plain("testbed_link_asked_delay_seconds", "{{source}} to {{target}}: asked"),
        ),
    ),
    Panel(
        "Operations under way",
        "Sent, and not at an end.",
        "short",
        (_plain("testbed_operations_in_flight", "{{region}}"),),
    ),
)


def render_dashboard() -> str:
    """The dashboard as Grafana imports it."""
    document: dict[str, Any] = {
        "title": "Testbed",
        "uid": "testbed",
        "tags": ["testbed"],
        "schemaVersion": 38,
        "editable": True,
        "refresh": "1s",
        "time": {"from": "now-5m", "to": "now"},
        "timepicker": {"refresh_intervals": ["1s", "5s", "30s"]},
        "annotations": {"list": [_fault_bands()]},
        "templating": {"list": [_source(), _world()]},
        "panels": list(_laid_out()),
    }
    return json.dumps(document, indent=2) + "\n"


def _fault_bands() -> dict[str, Any]:
    """Faults as bands over every panel."""
    return {
        "name": "Faults",
        "datasource": _SOURCE,
        "enable": True,
        "iconColor": "purple",
        "expr": f"testbed_fault_active{{{_IN_WORLD}}} == 1",
        "titleFormat": "{{kind}} {{target}}",
        "step": "1s",
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _world() -> dict[str, Any]:
    return {
        "name": "world",
        "label": "World",
        "type": "query",
        "datasource": _SOURCE,
        "query": "label_values(testbed_deployment_info, world)",
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _laid_out() -> Iterator[dict[str, Any]]:
    """The panels from left to right, in rows."""
    x = y = 0
    for number, panel in enumerate(PANELS, 1):
        if x + panel.width > _COLUMNS:
            x, y = 0, y + _HEIGHT
        yield _panel(number, panel, {"x": x, "y": y, "w": panel.width, "h": _HEIGHT})
        x += panel.width


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    instant = panel.kind in ("table", "stat")
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}}
        if panel.kind == "timeseries"
        else {},
        "targets": [
            {
                "refId": chr(ord("A") + place_in),
                "datasource": _SOURCE,
                "expr": query.expression,
                "legendFormat": query.legend,
                "instant": instant,
                "range": not instant,
                "format": "table" if panel.kind == "table" else "time_series",
            }
            for place_in, query in enumerate(panel.queries)
        ],
    }
