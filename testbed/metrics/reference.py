"""The reference page of the metrics: ``python -m testbed.metrics.reference > PAGE``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from testbed.metrics.alerts import alerts
from testbed.metrics.catalogue import LIVE, METRICS
from testbed.metrics.dashboard import PANELS
from testbed.metrics.metric import Metric

_HEAD = """\
# Metrics

Every metric that `--metrics-port` serves and `metrics/run.prom` holds, every alert rule, and what
the dashboard shows. This page is made from the code (`python -m testbed.metrics.reference >
docs/reference/metrics.md`); a test compares the two. How to use them: [Watch with
Prometheus](../how-to/watch-with-prometheus.md).

Names and units follow Prometheus' conventions: seconds, bytes and ratios, `_total` on what only
grows. Every metric has the label `world`, the name of the world (`testbed status` lists them);
a run's world is `run-PID-laneN`.

## Metrics
"""

_LIVE = """\
What is present `while watched` is taken back when a run was judged or its world has ended: what
nobody knows any more is absent. In `run.prom` it stands as it was at the run's end. What a run was
judged to be stands until the next run of its world begins; what is counted goes on.
"""

_ALERTS = """\
## Alerts

`testbed metrics FOLDER` writes these rules as `alerts.yml`. The times below are for an interval of
one second between two scrapes; with `--scrape` the windows and waiting times grow in proportion. An
alert looks at what clients and observers see; that a fault was injected is no cause for one.
"""

_PANELS = """\
## Dashboard

`testbed metrics FOLDER` writes it as `dashboard.json`, for Grafana to import. Faults are drawn as
annotations over every panel; the variable `world` chooses among the worlds.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_metrics(), "", _LIVE, _ALERTS, *_alerts(), _PANELS, *_panels(), ""])


def _metrics() -> Iterator[str]:
    yield "| metric | type | labels | meaning | present |"
    yield "|---|---|---|---|---|"
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        present = "while watched" if metric in LIVE else "from then on"
        cells = (f"`{metric.name}`", metric.type.value, labels, _meaning(metric), present)
        yield f"| {' | '.join(cells)} |"


def _meaning(metric: Metric) -> str:
    if not metric.buckets:
        return metric.help
    bounds = ", ".join(f"{bound:g}" for bound in metric.buckets)
    return f"{metric.help} Buckets up to {bounds} s."


def _alerts() -> Iterator[str]:
    for alert in alerts():
        held = f", for {alert.hold_s:g} s" if alert.hold_s else ""
        yield f"### {alert.name}\n"
        yield f"{alert.severity.capitalize()}{held}. {alert.action}\n"
        yield f"```promql\n{alert.expression}\n```\n"


def _panels() -> Iterator[str]:
    yield "| panel | what it shows |"
    yield "|---|---|"
    for panel in PANELS:
        yield f"| {panel.title} | {panel.description} |"


if __name__ == "__main__":
    sys.stdout.write(page())
