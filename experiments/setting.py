"""A recorded run with what every experiment's promises are asked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from experiments.bounds import bounds_of
from experiments.lag_measuring import Lag, measured
from experiments.link_delays import busy, undisturbed_ms
from testbed.checkers import adequacy
from testbed.checkers.adequacy import Requirements
from testbed.checkers.verdict import Verdict
from testbed.clients.system import data_nodes
from testbed.measures.load import load_span
from testbed.runner.recorded import RecordedRun
from testbed.workloads.catalogue import make, workload_class
from testbed.workloads.marker import MARK


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

    @cached_property
    def link_delays_ms(self) -> Mapping[str, Sequence[float]]:
        """What observers measured of each link while no fault held it, read once for all."""
        return undisturbed_ms(self.run)

    @cached_property
    def busy(self) -> str:
        """Why nothing that takes time can be said of the run; empty if it can."""
        return busy(self.run.deployment.topology, self.link_delays_ms)

    @property
    def regions(self) -> tuple[str, ...]:
        """Every region, in the topology's order."""
        return tuple(region.name for region in self.run.deployment.topology.regions)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node that holds data."""
        return tuple(node.name for node in data_nodes(self.run.deployment.topology))


def setting_of(run: RecordedRun) -> Setting:
    """What the promises of a run are asked with."""
    workload = workload_class(run.plan.load.workload)
    functions = (workload.writes | workload.reads | workload.replica_reads) - {MARK}
    writes = workload.writes - {MARK}
    # Final reads may have a function of the load's: only its writes say when it ended.
    span = load_span(run.history, writes)
    return Setting(run, writes, functions, span[1] if span else 0)


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


def recovery_bound_ms(setting: Setting) -> float:
    """How long a new write may take to every node after the last heal."""
    deployment = setting.run.deployment
    return bounds_of(deployment.topology).recovery(deployment.variables).total_ms
