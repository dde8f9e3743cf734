"""The alert rules for Prometheus: what an operator would want to be woken by.

Every time in them is a multiple of the interval between two scrapes, so that one set of rules
serves a rehearsal of a minute as well as a cluster that is watched for months. They look at
what clients and observers see; that a fault was injected is no cause for an alert.
"""

from __future__ import annotations

from dataclasses import dataclass

import yaml

WRITES_UNAVAILABLE_S = 3.0
WRITES_SLOW_S = 0.5
LAG_S = 2.0
FAILING_RATIO = 0.1
SLOW_LINK_FACTOR = 1.5
SLOW_LINK_ADDED_S = 0.05


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Args:
        name: As Prometheus shows it.
        expression: In PromQL.
        hold_s: How long the expression must hold; 0 where it is a time itself.
        severity: ``critical`` (clients are hurt, or data is) or ``warning``.
        summary: One line for people, with Prometheus' own templates.
        action: What to look at first.
    """

    name: str
    expression: str
    hold_s: float
    severity: str
    summary: str
    action: str


def alerts(scrape_s: float = 1.0) -> tuple[Alert, ...]:
    """Every alert, for metrics that are scraped and rules that are evaluated at an interval."""
    return (*_clients(scrape_s), *_database(scrape_s), *_links(scrape_s), *_verdicts())


def _clients(scrape_s: float) -> tuple[Alert, ...]:
    """What clients see."""
    window, hold_s = _time(5 * scrape_s), 2 * scrape_s
    of_load = 'testbed_operations_total{kind!="other"}'
    failed = 'testbed_operations_total{kind!="other",outcome!="ok"}'
    write_buckets = 'testbed_operation_duration_seconds_bucket{kind="write"}'
    return (
        Alert(
            "TestbedWritesUnavailable",
            f"testbed_writes_unacknowledged_seconds > {max(WRITES_UNAVAILABLE_S, scrape_s):g}",
            0,
            "critical",
            "Clients of {{ $labels.region }} have had no write acknowledged for"
            " {{ $value | humanizeDuration }}",
            "Is there a primary, and does the region reach it? With a synchronous standby:"
            " does that one answer?",
        ),
        Alert(
            "TestbedOperationsFailing",
            f"sum by (world, region) (rate({failed}[{window}]))"
            f" / sum by (world, region) (rate({of_load}[{window}])) > {FAILING_RATIO:g}",
            hold_s,
            "critical",
            "{{ $value | humanizePercentage }} of the operations of {{ $labels.region }} fail or"
            " end unknown",
            "Which kind, and with which outcome? `info` is silence, `fail` is a refusal, `shed`"
            " is a client that never got to ask.",
        ),
        Alert(
            "TestbedWritesSlow",
            "histogram_quantile(0.9, sum by (world, region, le)"
            f" (rate({write_buckets}[{window}]))) > {WRITES_SLOW_S:g}",
            hold_s,
            "warning",
            "A tenth of the acknowledged writes of {{ $labels.region }} take"
            " {{ $value | humanizeDuration }} or more",
            "Which link is slow: from the region to the primary, or from there to its"
            " synchronous standby?",
        ),
    )


def _database(scrape_s: float) -> tuple[Alert, ...]:
    """What nodes say of themselves and of each other."""
    hold_s = 2 * scrape_s
    acknowledged = f"increase(testbed_acknowledged_writes_total[{_time(3 * scrape_s)}])"
    return (
        Alert(
            "TestbedNoPrimary",
            'sum by (world) (testbed_node_role{role="primary"}) == 0',
            hold_s,
            "critical",
            "No node of {{ $labels.world }} claims to be primary",
            "Does Consul have a leader? Is a replica left that may be promoted?",
        ),
        Alert(
            "TestbedTwoPrimaries",
            '(sum by (world) (testbed_node_role{role="primary"}) > 1'
            f" or count by (world) (sum by (world, node) ({acknowledged}) > 0) > 1)"
            ' and on (world) testbed_deployment_info{primaries="one"}',
            # Longer than the window: a hand-over from one node to the next is no overlap.
            4 * scrape_s,
            "critical",
            "{{ $value }} nodes of {{ $labels.world }} act as primary at the same time",
            "Fence the one on the older timeline at once: what it acknowledges will be lost.",
        ),
        Alert(
            "TestbedNodeSilent",
            'testbed_node_role{role="silent"} == 1',
            hold_s,
            "warning",
            "{{ $labels.node }} does not answer",
            "Does the host run? Do its programs?",
        ),
        Alert(
            "TestbedReplicationBroken",
            "testbed_replication_streaming == 0",
            hold_s,
            "warning",
            "Nothing streams to {{ $labels.receiver }}",
            "Does the receiver run, and does it reach {{ $labels.sender }}?",
        ),
        Alert(
            "TestbedReplicationLagging",
            f"testbed_replication_lag_seconds > {max(LAG_S, 2 * scrape_s):g}",
            0,
            "warning",
            "{{ $labels.receiver }} is {{ $value | humanizeDuration }} behind {{ $labels.sender }}",
            "Is the link narrow, the receiver stopped, or does it apply too slowly? Fail over to"
            " it, and so much is lost.",
        ),
    )


def _links(scrape_s: float) -> tuple[Alert, ...]:
    """What the observers of the regions measure."""
    hold_s = 2 * scrape_s
    return (
        Alert(
            "TestbedLinkDown",
            # Only while the observer of the sending region tells what it receives itself: one that
            # is dead sends nothing, which is no fault of the link.
            "testbed_link_up == 0 and on (world, source)"
            " label_replace(group by (world, target) (testbed_link_up),"
            ' "source", "$1", "target", "(.+)")',
            hold_s,
            "critical",
            "Nothing arrives from {{ $labels.source }} in {{ $labels.target }}",
            "Is the other direction silent too? A one-way cut looks different from each side.",
        ),
        Alert(
            "TestbedLinkSlow",
            "testbed_link_delay_seconds > testbed_link_asked_delay_seconds"
            f" * {SLOW_LINK_FACTOR:g} + {SLOW_LINK_ADDED_S:g}",
            hold_s,
            "warning",
            "From {{ $labels.source }} to {{ $labels.target }} it takes"
            " {{ $value | humanizeDuration }} one way",
            "Is the link full, or longer than it was?",
        ),
    )


def _verdicts() -> tuple[Alert, ...]:
    """What a finished run is judged to be."""
    return (
        Alert(
            "TestbedPromiseBroken",
            'testbed_verdict{validity="violation"} == 1',
            0,
            "critical",
            "{{ $labels.world }} broke the promise {{ $labels.promise }}",
            "The run's report draws the counterexample.",
        ),
    )


def render_alerts(scrape_s: float = 1.0) -> str:
    """The rule file, as Prometheus reads it."""
    rules = [
        {
            "alert": alert.name,
            "expr": alert.expression,
            "for": _time(alert.hold_s),
            "labels": {"severity": alert.severity},
            "annotations": {"summary": alert.summary, "action": alert.action},
        }
        for alert in alerts(scrape_s)
    ]
    group = {"name": "testbed", "interval": _time(scrape_s), "rules": rules}
    return yaml.safe_dump({"groups": [group]}, sort_keys=False, allow_unicode=True, width=1000)


def _time(value_s: float) -> str:
    """A duration as Prometheus writes it, to the millisecond."""
    whole_ms = round(value_s * 1000)
    return f"{whole_ms // 1000}s" if whole_ms % 1000 == 0 else f"{whole_ms}ms"
