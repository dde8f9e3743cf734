"""The promises of failover, each judged from what clients saw.

What a promise needs beside the history (who may reach a quorum, how long a failover may take) is
computed here from the plan, the topology and the deployment's timers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

from experiments import bounds, physics
from experiments.lag_measuring import Lag, measured
from testbed.checkers import (
    adequacy,
    bank,
    durability,
    monotonic,
    recovery,
    recovery_time,
    register,
    service,
    single_primary,
)
from testbed.checkers.adequacy import Requirements
from testbed.checkers.expectation import Expectation, after_heal, during
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.fault_window import FaultWindow
from testbed.measures.load import load_span
from testbed.runner.recorded import RecordedRun
from testbed.workloads.catalogue import make, workload_class
from testbed.workloads.marker import MARK

REPLICATION_MS = 150.0
"""What replication itself may add to the longest delay of a link: for the estimate of a loss."""


@dataclass(frozen=True)
class Setting:
    """A recorded run with what its promises are asked with.

    Args:
        run: As read from its folder.
        writes: Functions of the load that only a primary acknowledges.
        functions: Every function of the load.
        end_ns: When the last operation of the load was due.
    """

    run: RecordedRun
    writes: frozenset[str]
    functions: frozenset[str]
    end_ns: int

    @cached_property
    def lag(self) -> Lag:
        """Replication lag, measured once for all that ask.

        Raises:
            FolderError: What probes recorded is damaged.
            HistoryError: The history contradicts itself.
        """
        return measured(self.run)

    @property
    def regions(self) -> tuple[str, ...]:
        """Every region, in the topology's order."""
        return tuple(region.name for region in self.run.deployment.topology.regions)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node that holds data."""
        members = self.run.deployment.topology.members("postgres")
        return tuple(node.name for node in members)


def setting_of(run: RecordedRun) -> Setting:
    """What the promises of a run are asked with."""
    workload = workload_class(run.plan.load.workload)
    functions = (workload.writes | workload.reads | workload.replica_reads) - {MARK}
    writes = workload.writes - {MARK}
    # Final reads may have a function of the load's: only its writes say when it ended.
    span = load_span(run.history, writes)
    return Setting(run, writes, functions, span[1] if span else 0)


def failover(setting: Setting) -> tuple[Verdict, ...]:
    """Every promise of the failover experiment.

    Raises:
        HistoryError: The history contradicts itself.
    """
    run = setting.run
    needed = required(setting)
    unserved = adequacy.unserved_before(run.history, needed)
    verdicts = [
        adequate(setting, needed),
        physics.check(run, setting.writes),
        *_WORKLOAD_PROMISES[run.plan.load.workload](setting),
        single_primary.check(run.history, setting.writes),
        _recovered(setting),
    ]
    expected = tuple(expectations(setting))
    if run.plan.schedule:
        found = recovery_time.check(run.history, expected, setting.writes)
        verdicts.append(_believed(found, unserved))
    lasting = tuple(_lasting(expected))
    if lasting:
        found = service.check(run.history, lasting, setting.writes)
        verdicts.append(_believed(found, unserved))
    return tuple(verdicts)


def _believed(verdict: Verdict, unserved: Sequence[str]) -> Verdict:
    """A promise of service cannot be broken by what was not served before the fault either."""
    if verdict.validity is not Validity.VIOLATION or not unserved:
        return verdict
    reason = f"{unserved[0]}, so that this is not the fault's doing alone: {verdict.reason}"
    return replace(verdict, validity=Validity.UNKNOWN, reason=reason)


def expectations(setting: Setting) -> Iterator[Expectation]:
    """Who is expected to be served again when: every region for every fault.

    A region that a fault cuts off from the primary or from the quorum is expected to be served
    once the fault is healed. While a fault holds every standby that may take over, nobody can be
    served: what is lost meanwhile may last that much longer.
    """
    run = setting.run
    holding = tuple(one for one in run.windows if _holds_every_standby(setting, one))
    for window in run.windows:
        bound = bounds.rto(window.kind, run.deployment.variables, run.plan.load.timeout_ms)
        for other in holding:
            held_ms = ((other.healed_ns or setting.end_ns) - window.inject_ns) / 1e6
            if other is not window and other.inject_ns <= window.inject_ns and held_ms > 0:
                bound = bound.plus(f"until {other.title} is healed", held_ms)
        cut_off = frozenset(setting.regions if window in holding else _cut_off(setting, window))
        for region in setting.regions:
            if region not in cut_off:
                yield during(
                    window,
                    region,
                    bound_ms=bound.total_ms,
                    windows=run.windows,
                    end_ns=setting.end_ns,
                )
                continue
            if window in holding and _cut_off_still(setting, window, region):
                continue
            healed = after_heal(
                window,
                region,
                bound_ms=bound.total_ms,
                windows=run.windows,
                end_ns=setting.end_ns,
            )
            if healed is not None:
                yield healed


def _cut_off_still(setting: Setting, window: FaultWindow, region: str) -> bool:
    """Whether another fault cuts a region off when one is healed: its own heal is waited for."""
    healed_ns = window.healed_ns or setting.end_ns
    return any(
        region in _cut_off(setting, other)
        for other in setting.run.windows
        if other is not window
        and other.inject_ns <= healed_ns < (other.healed_ns or setting.end_ns)
    )


def _cut_off(setting: Setting, window: FaultWindow) -> Iterator[str]:
    """The regions that a fault leaves without a way to the primary."""
    resolved = str(window.details.get("resolved", "")).split("->")
    if window.kind == "region-cut" or (
        window.kind == "dcs-leader-loss" and "region-cut" in window.title
    ):
        for name in resolved[:1]:
            yield from _minority(setting, setting.run.region_of.get(name, name))
    elif window.kind == "link-cut" and len(resolved) == 2:
        # Clients go straight to the primary: one end of a cut link has no way to it when it is
        # at the other end, though both ends reach the quorum by the third region.
        primaries = _acknowledging_regions(setting, window)
        for region, other in (resolved, resolved[::-1]):
            if other in primaries or not primaries:
                yield region


def _holds_every_standby(setting: Setting, window: FaultWindow) -> bool:
    """Whether a fault leaves no node that may confirm a commit or take over.

    Only where commits always wait for a standby, in regions that are stated.
    """
    run = setting.run
    variables = run.deployment.variables
    regions = variables.get("synchronous_regions") or setting.regions
    if variables.get("replication") != "synchronous_strict":
        return False
    earlier = [
        pair
        for pair in run.history.of(setting.writes, "ok")
        if (pair.end_ns or 0) < window.inject_ns
    ]
    primary = max(earlier, key=lambda pair: pair.end_ns or 0).node if earlier else None
    able = {node for node in setting.nodes if run.region_of[node] in regions} - {primary}
    held = str(window.details.get("resolved", ""))
    if window.kind not in ("node-pause", "node-kill", "region-cut"):
        return False
    return bool(able) and all(held in (node, run.region_of[node]) for node in able)


def _minority(setting: Setting, cut: str) -> Iterator[str]:
    """Of a region and all others, those without the majority of the store's servers."""
    topology = setting.run.deployment.topology
    inside = len(topology.members("consul", cut))
    alone = 2 * inside > len(topology.members("consul"))
    yield from (region for region in setting.regions if (region == cut) is not alone)


def _acknowledging_regions(setting: Setting, window: FaultWindow) -> set[str]:
    """The regions whose nodes acknowledged writes while a fault held."""
    until_ns = setting.end_ns if window.heal_ns is None else window.heal_ns
    return {
        setting.run.region_of.get(str(pair.node), "")
        for pair in setting.run.history.of(setting.writes, "ok")
        if window.inject_ns <= (pair.end_ns or 0) <= until_ns
    }


def _lasting(expected: tuple[Expectation, ...]) -> Iterator[Expectation]:
    """The expectations that last longer than their bound: only those say that service stays."""
    for one in expected:
        if one.to_ns - one.from_ns > (one.bound_ms + 1000) * 1e6:
            yield one


def required(setting: Setting) -> Requirements:
    """What a run must show to be judged."""
    run = setting.run
    return Requirements(
        regions=setting.regions,
        nodes=setting.nodes,
        functions=setting.functions,
        rate_ops_s=run.plan.load.rate_ops_s,
        final=frozenset(
            what.f
            for what in make(
                run.plan.load.workload, run.plan.load.parameters, run.deployment.topology
            ).final()
        ),
        faults=len(run.plan.schedule),
    )


def adequate(setting: Setting, required: Requirements) -> Verdict:
    """Whether it shows that."""
    run = setting.run
    lateness_ms = run.pressure.lateness_ms_p99 if run.pressure is not None else None
    return adequacy.check(run.history, required, lateness_ms=lateness_ms)


def healed_ns(setting: Setting) -> int:
    """When the last fault was healed; the end of the load without one."""
    ends = [
        window.healed_ns or window.heal_ns or window.injected_ns or window.inject_ns
        for window in setting.run.windows
    ]
    return max(ends, default=setting.end_ns)


def _recovered(setting: Setting) -> Verdict:
    run = setting.run
    return recovery.check(
        run.history,
        setting.nodes,
        healed_ns=healed_ns(setting),
        bound_ms=bounds.recovery(run.deployment.variables).total_ms,
    )


def _set_promises(setting: Setting) -> tuple[Verdict, ...]:
    delay_ms = max(link.delay_ms for link in setting.run.deployment.topology.links)
    return (
        durability.check(setting.run.history, setting.nodes, delay_ms + REPLICATION_MS),
        monotonic.check_counts(setting.run.history),
    )


def _register_promises(setting: Setting) -> tuple[Verdict, ...]:
    return (
        register.check(setting.run.history),
        monotonic.check_versions(setting.run.history),
    )


def _bank_promises(setting: Setting) -> tuple[Verdict, ...]:
    return (bank.check(setting.run.history),)


_WORKLOAD_PROMISES: Mapping[str, Callable[[Setting], tuple[Verdict, ...]]] = MappingProxyType(
    {"set": _set_promises, "register": _register_promises, "bank": _bank_promises}
)
