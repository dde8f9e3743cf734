"""Every metric that the testbed exposes, with its labels: the one place that names them."""

from __future__ import annotations

from testbed.metrics.metric import Metric, MetricType

_COUNTER, _GAUGE, _HISTOGRAM = MetricType.COUNTER, MetricType.GAUGE, MetricType.HISTOGRAM

DEPLOYMENT = Metric(
    "testbed_deployment_info",
    _GAUGE,
    "1 while a world of this deployment is watched. `primaries` is `one`, or `many` where each"
    " region takes writes of its own.",
    ("deployment", "primaries"),
)
RUN = Metric(
    "testbed_run_info",
    _GAUGE,
    "1 for the run that the other series of this world tell of: its folder's name, experiment"
    " and workload.",
    ("run", "experiment", "workload"),
)

OPERATIONS = Metric(
    "testbed_operations_total",
    _COUNTER,
    "Operations of clients that came to an end. `kind` is `write`, `read` or `other` (set-up,"
    " marks, final reads); `outcome` is `ok`, `fail` (surely not done), `info` (unknown) or"
    " `shed` (due, but never sent: every client process of the region hung).",
    ("region", "kind", "outcome"),
)
DURATION = Metric(
    "testbed_operation_duration_seconds",
    _HISTOGRAM,
    "How long acknowledged operations took, from when they were due (not from when they were"
    " sent: a stall counts for everything that was due during it).",
    ("region", "kind"),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0),
)
IN_FLIGHT = Metric(
    "testbed_operations_in_flight",
    _GAUGE,
    "Operations that were sent and have not come to an end.",
    ("region",),
)
UNACKNOWLEDGED = Metric(
    "testbed_writes_unacknowledged_seconds",
    _GAUGE,
    "Since when the clients of a region have asked for writes and got no acknowledgement: the"
    " outage so far. 0 when the last one was acknowledged, or none is asked for.",
    ("region",),
)
ACKNOWLEDGED = Metric(
    "testbed_acknowledged_writes_total",
    _COUNTER,
    "Acknowledged writes by the node that acknowledged them.",
    ("region", "node"),
)

ROLE = Metric(
    "testbed_node_role",
    _GAUGE,
    "1 for the role that a node claims, 0 for the others. `silent`: it does not answer.",
    ("region", "node", "role"),
)
TERM = Metric(
    "testbed_node_term",
    _GAUGE,
    "The term that a node is on (PostgreSQL: the timeline): it grows with every promotion.",
    ("region", "node"),
)

LINK_UP = Metric(
    "testbed_link_up",
    _GAUGE,
    "1 while messages arrive over a directed link (the last one less than a second ago), else"
    " 0. Absent while the receiving region's observer does not answer: nobody knows then.",
    ("source", "target"),
)
LINK_SILENT = Metric(
    "testbed_link_silence_seconds",
    _GAUGE,
    "Since when nothing has arrived over a directed link.",
    ("source", "target"),
)
LINK_DELAY = Metric(
    "testbed_link_delay_seconds",
    _GAUGE,
    "One-way delay of a directed link, the median of the latest messages.",
    ("source", "target"),
)
LINK_ASKED = Metric(
    "testbed_link_asked_delay_seconds",
    _GAUGE,
    "One-way delay that the deployment asks of a directed link.",
    ("source", "target"),
)

LAG = Metric(
    "testbed_replication_lag_seconds",
    _GAUGE,
    "Since when the sending node has had something that the receiving node lacks. It goes on"
    " growing while the receiver does not answer.",
    ("source", "target", "sender", "receiver"),
)
LAG_BYTES = Metric(
    "testbed_replication_lag_bytes",
    _GAUGE,
    "Bytes of log that the receiving node has not replayed. Absent while one of them does not"
    " answer, and for logical replication.",
    ("source", "target", "sender", "receiver"),
)
STREAMING = Metric(
    "testbed_replication_streaming",
    _GAUGE,
    "1 while replication to a node streams, else 0.",
    ("source", "target", "sender", "receiver"),
)

FAULT = Metric(
    "testbed_fault_active",
    _GAUGE,
    "1 from the injection of a fault to its heal, then 0.",
    ("kind", "target"),
)
EVIDENCE = Metric(
    "testbed_fault_shown",
    _GAUGE,
    "Whether evidence shows what a fault should do: `phase` is `effect` (it bites) or `absence`"
    " (it is gone). 0 makes the run inconclusive.",
    ("kind", "target", "phase"),
)

RTO = Metric(
    "testbed_rto_seconds",
    _GAUGE,
    "The longest time without an acknowledged write since a fault, by region: while the run"
    " goes on so far, after its judgement as it was judged.",
    ("region", "fault"),
)
RTO_BOUND = Metric(
    "testbed_rto_bound_seconds",
    _GAUGE,
    "What was promised of that time; known after the judgement.",
    ("region", "fault"),
)
LOST = Metric(
    "testbed_rpo_lost_writes",
    _GAUGE,
    "Acknowledged writes that are lost; known after the judgement.",
)
RPO = Metric(
    "testbed_rpo_seconds",
    _GAUGE,
    "From the first lost acknowledgement to the last; known after the judgement.",
)
AVAILABILITY = Metric(
    "testbed_availability_ratio",
    _GAUGE,
    "Acknowledged operations of those asked for, 0 to 1; known after the judgement.",
    ("region",),
)
VERDICT = Metric(
    "testbed_verdict",
    _GAUGE,
    "1 for what a promise of the run was judged to be: `valid`, `violation` or `unknown`.",
    ("promise", "validity"),
)
RUNS = Metric(
    "testbed_runs_total",
    _COUNTER,
    "Runs that were judged: `valid`, `violation`, `unknown`, or `error` (the environment failed).",
    ("validity",),
)

METRICS: tuple[Metric, ...] = (
    DEPLOYMENT,
    RUN,
    OPERATIONS,
    DURATION,
    IN_FLIGHT,
    UNACKNOWLEDGED,
    ACKNOWLEDGED,
    ROLE,
    TERM,
    LINK_UP,
    LINK_SILENT,
    LINK_DELAY,
    LINK_ASKED,
    LAG,
    LAG_BYTES,
    STREAMING,
    FAULT,
    EVIDENCE,
    RTO,
    RTO_BOUND,
    LOST,
    RPO,
    AVAILABILITY,
    VERDICT,
    RUNS,
)

LIVE: tuple[Metric, ...] = (
    DEPLOYMENT,
    IN_FLIGHT,
    UNACKNOWLEDGED,
    ROLE,
    TERM,
    LINK_UP,
    LINK_SILENT,
    LINK_DELAY,
    LAG,
    LAG_BYTES,
    STREAMING,
    FAULT,
)
"""What nobody knows any more once a world is not watched: taken back then, rather than left to
stand for ever."""
