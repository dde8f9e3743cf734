"""Each alert fires when its fault is injected, and only then: a real Prometheus watches a cluster.

One world, one run. Its replication is asynchronous and nothing is fenced, so that promises are
broken: it is the control of a primary that ignores the loss of its lease as well.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from testbed.history.fault_window import FaultWindow, fault_windows
from testbed.history.journal import read
from testbed.metrics.alerts import alerts
from testbed.metrics.dashboard import render_dashboard
from testbed.metrics.prometheus import Firing, Prometheus, free_port, watching
from tests.live.experiments.command import Command, verdicts

pytestmark = pytest.mark.live

LINK = {"source": "eu-west", "target": "us-east"}
REPLICA = "us-east-db1"

PLAN = {
    "version": 1,
    "deployment": "active-passive",
    "variables": {"replication": "asynchronous", "fencing": "none"},
    "load": {"workload": "set", "rate_ops_s": 20.0},
    "schedule": [
        {"kind": "link-latency", "target": "eu-west->us-east", "at_s": 4, "duration_s": 8,
         "parameters": {"added_ms": 450}},
        {"kind": "process-pause", "target": f"{REPLICA}/postgres", "at_s": 16, "duration_s": 7},
        {"kind": "node-kill", "target": "role:primary", "at_s": 28, "duration_s": 9},
        {"kind": "region-cut", "target": "region-of:primary", "at_s": 70, "duration_s": 16},
    ],
    "seed": 1,
    "duration_s": 90,
    # Both stay primary: nobody has to wait for what never comes.
    "recovery_s": 5,
}  # fmt: skip

SETTLING_S = 8.0
"""After a fault is healed: the windows of the rules, and what is caught up."""

REJOINING_S = 30.0
"""After a primary that was cut off is reached again: it is rewound and follows."""


@dataclass(frozen=True)
class Cause:
    """An alert that a fault brings: surely, or perhaps, as a consequence of a consequence."""

    alert: str
    labels: dict[str, str] = field(default_factory=dict)
    surely: bool = True


def perhaps(alert: str, **labels: str) -> Cause:
    return Cause(alert, labels, surely=False)


CAUSES: dict[str, tuple[Cause, ...]] = {
    "link-latency": (
        Cause("TestbedLinkSlow", LINK),
        Cause("TestbedWritesSlow", {"region": "us-east"}),
    ),
    "process-pause": (
        Cause("TestbedReplicationLagging", {"receiver": REPLICA}),
        perhaps("TestbedReplicationBroken", receiver=REPLICA),
        perhaps("TestbedNodeSilent", node=REPLICA),
        perhaps("TestbedOperationsFailing", region="us-east"),
    ),
    "node-kill": (
        Cause("TestbedNodeSilent", {"node": "eu-west-db1"}),
        Cause("TestbedNoPrimary"),
        Cause("TestbedWritesUnavailable", {"region": "us-east"}),
        Cause("TestbedOperationsFailing", {"region": "us-east"}),
        Cause("TestbedReplicationBroken"),
        perhaps("TestbedOperationsFailing"),
        perhaps("TestbedWritesUnavailable"),
        perhaps("TestbedReplicationLagging"),
        perhaps("TestbedWritesSlow"),
    ),
    "region-cut": (
        Cause("TestbedLinkDown"),
        Cause("TestbedTwoPrimaries"),
        Cause("TestbedWritesUnavailable"),
        perhaps("TestbedOperationsFailing"),
        perhaps("TestbedReplicationBroken"),
        perhaps("TestbedReplicationLagging"),
        perhaps("TestbedWritesSlow"),
        perhaps("TestbedNodeSilent"),
        perhaps("TestbedNoPrimary"),
    ),
}


@dataclass(frozen=True)
class Watched:
    """What Prometheus saw of the run.

    Args:
        firings: Every alert that fired.
        windows: The faults.
        base_s: Wall clock of the run's beginning.
        textfile: ``run.prom``.
        unanswered: Queries of the dashboard that nothing answered.
        verdicts: Of the run, by promise.
    """

    firings: tuple[Firing, ...]
    windows: tuple[FaultWindow, ...]
    base_s: float
    textfile: str
    unanswered: tuple[str, ...]
    verdicts: dict[str, dict[str, Any]]

    def wall_s(self, time_ns: int) -> float:
        return self.base_s + time_ns / 1e9

    def shown(self) -> str:
        faults = [
            f"{(w.inject_ns) / 1e9:6.1f} to {(w.absence_ns or 0) / 1e9:6.1f} {w.title}"
            for w in self.windows
        ]
        fired = [
            f"{f.from_s - self.base_s:6.1f} to {f.to_s - self.base_s:6.1f} {f.name} {f.labels}"
            for f in self.firings
        ]
        return "\n".join(["", *faults, *fired])


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("alerts")
    (folder / "state").mkdir()
    (folder / "plan.json").write_text(json.dumps(PLAN))
    command, out, port = Command(folder / "state"), folder / "suite", free_port()
    began_s = time.time()
    with watching(port) as prometheus:
        words = ("replay", str(folder / "plan.json"), "--out", str(out))
        code, output = command.run(*words, "--metrics-port", str(port))
        assert code == 1, output
        firings = prometheus.firings(began_s, time.time())
        empty = tuple(unanswered(prometheus, began_s))
    run = out / "runs" / "lane0-001"
    base_ns = json.loads((run / "ending.json").read_text())["clock_base_ns"]
    base_s = time.time() - time.monotonic() + base_ns / 1e9
    windows = fault_windows(read(run / "history.jsonl"))
    textfile = (run / "metrics" / "run.prom").read_text()
    yield Watched(firings, windows, base_s, textfile, empty, verdicts(run))
    assert command.left_behind() == []


def dashboard_queries() -> Iterator[str]:
    """Every query that Grafana makes for the dashboard: of its variables, panels and bands."""
    document = json.loads(render_dashboard())
    for variable in document["templating"]["list"]:
        if variable["type"] == "query":
            yield re.sub(r"label_values\((.*), (.*)\)", r'\1{\2!=""}', variable["query"])
    for panel in document["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (band["expr"] for band in document["annotations"]["list"])


def unanswered(prometheus: Prometheus, began_s: float) -> Iterator[str]:
    """Queries of the dashboard that had no answer at any time of the run."""
    for query in dashboard_queries():
        expression = query.replace("$world", ".*").replace("$__rate_interval", "5s")
        if not prometheus.query_range(expression, began_s, time.time()):
            yield expression


def matches(cause: Cause, firing: Firing) -> bool:
    return cause.alert == firing.name and cause.labels.items() <= firing.labels.items()


def explains(watched: Watched, firing: Firing, moment_s: float) -> bool:
    """Whether a fault that brings such an alert held at a moment, or had just ended."""
    return any(
        matches(cause, firing)
        and watched.wall_s(window.inject_ns) <= moment_s <= watched.wall_s(gone_ns(window))
        for window in watched.windows
        for cause in CAUSES[window.kind]
    )


def lasts(watched: Watched, firing: Firing) -> bool:
    """Whether an alert began with the last fault: two primaries stay until somebody decides."""
    return firing.from_s >= watched.wall_s(watched.windows[-1].inject_ns)


def gone_ns(window: FaultWindow) -> int:
    """When nothing of a fault should be seen any more."""
    # That what was killed answers again is the evidence of its absence.
    ended_ns = window.absence_ns if window.kind == "node-kill" else window.healed_ns
    settling_s = REJOINING_S if window.kind == "region-cut" else SETTLING_S
    return (ended_ns or 0) + int(settling_s * 1e9)


def test_each_alert_fires_while_its_fault_holds(watched: Watched) -> None:
    missing = [
        (window.title, cause.alert, cause.labels)
        for window in watched.windows
        for cause in CAUSES[window.kind]
        if cause.surely
        and not any(
            matches(cause, firing)
            and watched.wall_s(window.inject_ns) <= firing.from_s <= watched.wall_s(gone_ns(window))
            for firing in watched.firings
        )
    ]
    assert missing == [], watched.shown()


def test_no_alert_fires_at_any_other_time(watched: Watched) -> None:
    unexplained = [
        firing
        for firing in watched.firings
        if firing.name != "TestbedPromiseBroken"
        and not (
            explains(watched, firing, firing.from_s)
            and (lasts(watched, firing) or explains(watched, firing, firing.to_s))
        )
    ]
    assert unexplained == [], watched.shown()


def test_a_broken_promise_fires_when_it_is_judged(watched: Watched) -> None:
    broken = [each for each in watched.firings if each.name == "TestbedPromiseBroken"]
    assert "durability" in {each.labels["promise"] for each in broken}
    last_ns = max(window.absence_ns or 0 for window in watched.windows)
    assert all(each.from_s > watched.wall_s(last_ns) for each in broken)


def test_every_alert_was_seen(watched: Watched) -> None:
    unseen = {alert.name for alert in alerts()} - {each.name for each in watched.firings}
    assert unseen == set(), watched.shown()


def test_two_primaries_are_caught(watched: Watched) -> None:
    """The negative control of fencing: clients were answered by both for a while."""
    single = watched.verdicts["single-primary"]
    assert single["validity"] == "violation"
    assert single["numbers"]["dual_primary_ms"] > 1000


def test_the_textfile_says_afterwards_what_was_judged(watched: Watched) -> None:
    assert 'testbed_verdict{promise="durability",validity="violation"' in watched.textfile
    assert re.search(r"^testbed_rpo_lost_writes\{.*\} [1-9]", watched.textfile, re.MULTILINE)


def test_every_query_of_the_dashboard_has_an_answer(watched: Watched) -> None:
    assert watched.unanswered == ()
