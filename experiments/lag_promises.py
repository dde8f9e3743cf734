"""The promises of replication lag, each judged from what clients saw and what probes recorded."""

from __future__ import annotations

from experiments import physics
from experiments.in_time import in_time
from experiments.lag_measuring import Samples, floors_ms
from experiments.setting import Setting, adequate, healed_ns, recovery_bound_ms, required
from testbed.checkers import (
    bounded_staleness,
    lag_agreement,
    lag_floor,
    recovery,
    session_guarantees,
    session_losses,
    session_span,
)
from testbed.checkers.verdict import Validity, Verdict, merge
from testbed.clients.catalogue import writes_everywhere
from testbed.measures.lag_sample import LagSample

READS = ("read",)

REPLICATION_MS = 2000.0
"""What replication may add to the slowest way: apply, a busy machine, and a changed link."""

MOVING = frozenset({"switchover", "node-kill", "node-pause", "process-kill", "region-cut"})
"""What may move the primary, where there is one."""

MOVED_MS = 15_000.0
"""While the primary moves, a standby may have nobody to follow."""


def lagging(setting: Setting) -> tuple[Verdict, ...]:
    """Every promise of the replication lag experiment.

    Raises:
        HistoryError: The history contradicts itself.
        FolderError: What probes recorded is damaged.
    """
    run, found = setting.run, setting.lag.samples
    verdicts = [
        adequate(setting, required(setting)),
        physics.check(run, setting.writes),
        lag_floor.check(found, floors_ms(run), tuple(physics.changing(run.windows))),
        lag_agreement.check(in_order(setting)),
        *session_guarantees.check(run.history, READS),
        in_time(setting, bounded_staleness.check(run.history, staleness_bound_ms(setting), READS)),
        in_time(setting, _recovered(setting)),
    ]
    if not writes_everywhere(run.deployment.topology):
        if any(window.kind in MOVING for window in run.windows):
            verdicts.append(session_losses.check(run.history, setting.functions))
            verdicts.append(session_span.check(run.history, setting.writes, READS))
    elif run.deployment.variables["read_routing"] == "session" and _promoted(setting):
        verdicts.append(session_span.check(run.history, setting.writes, READS, run.region_of))
    return tuple(verdicts)


def _promoted(setting: Setting) -> bool:
    """Whether a region of a mesh lost a node that another one of it has to stand in for."""
    run = setting.run
    topology = run.deployment.topology
    hit = (window.resolved_node for window in run.windows if window.kind in MOVING)
    return any(
        len(topology.members("mesh", run.region_of[node])) > 1
        for node in hit
        if node in run.region_of
    )


def in_order(setting: Setting) -> Samples:
    """The samples of lag that must agree: those of what arrived in the order of its origin.

    A mesh begins the streams from and to a region anew when its primary has moved: rows are copied
    table by table, and what was made later may be seen sooner.
    """
    run, found = setting.run, setting.lag.samples
    if not writes_everywhere(run.deployment.topology):
        return found
    since: dict[str | None, int] = {}
    for window in run.windows:
        if window.kind in MOVING:
            name = window.resolved_node
            region = run.region_of.get(name, name)
            since[region] = min(window.inject_ns, since.get(region, window.inject_ns))

    def ordered(one: LagSample) -> bool:
        ends = (run.region_of.get(one.origin), run.region_of.get(one.seen_at))
        moved_ns = min((since[end] for end in ends if end in since), default=None)
        return moved_ns is None or (one.seen_to_ns is not None and one.seen_to_ns < moved_ns)

    return {name: tuple(filter(ordered, samples)) for name, samples in found.items()}


def staleness_bound_ms(setting: Setting) -> float:
    """How old a read may be: the slowest way under the schedule, and what replication adds."""
    run = setting.run
    way_ms = max(link.delay_ms + link.jitter_ms for link in run.deployment.topology.links)
    added_ms = 0.0
    for step in run.plan.schedule:
        added_ms += float(step.parameters.get("added_ms", 0))
        added_ms += float(step.parameters.get("jitter_ms", 0))
        if step.kind not in ("link-latency", "link-jitter"):
            # What a narrow or cut link holds back arrives when it is wide again at the latest.
            added_ms += 1000.0 * (step.duration_s or 0.0)
        if step.kind in MOVING:
            added_ms += MOVED_MS
    return way_ms + added_ms + REPLICATION_MS


def _recovered(setting: Setting) -> Verdict:
    """Every log's changes reach every node after the heal."""
    run = setting.run
    logs = (
        range(1, len(setting.regions) + 1) if writes_everywhere(run.deployment.topology) else (1,)
    )
    found = [
        recovery.check(
            run.history,
            setting.nodes,
            healed_ns=healed_ns(setting),
            bound_ms=recovery_bound_ms(setting),
            number=number,
        )
        for number in logs
    ]
    worst = merge(found)
    telling = next(one for one in found if one.validity is worst)
    if worst is Validity.VALID:
        return max(found, key=lambda one: one.numbers.get("recovery_ms_max", 0.0))
    return telling
