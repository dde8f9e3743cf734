"""The promises of conflict resolution, each judged from what clients saw.

What is promised depends on the strategy: every one but the controls promises that regions end with
the same rows; who wins, and whether counters lose anything, differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

import orjson

from experiments import bounds
from experiments.conflict_meetings import met, rows_that_lost, shared
from experiments.setting import Setting, adequate, healed_ns, required
from testbed.checkers import (
    conflict_counters,
    convergence,
    final_counter,
    final_set,
    one_home,
    recovery,
    service,
    single_primary,
    stuck_streams,
    winner,
)
from testbed.checkers.expectation import Expectation
from testbed.checkers.verdict import Validity, Verdict, merge
from testbed.history.fault_window import FaultWindow
from testbed.measures.homes import Homes
from testbed.measures.mesh_recording import MeshRecording, mesh_recording
from testbed.runner.folder import FolderError
from testbed.runner.recorded import RecordedRun
from testbed.topology.model import Deployment

CONVERGENCE_MS = 20_000.0
"""From the last heal: a silent stream is given up after 5 s, and opened anew at once."""

KEEPS_INCREMENTS = frozenset({"crdt", "home_region", "none"})
HAS_HOMES = frozenset({"home_region", "none"})
"""``none`` promises nothing, and is asked for everything: each promise has its control."""
NAMES_NO_WINNER = frozenset({"none"})
OF_A_NODE = frozenset({"node-kill", "node-pause", "process-kill", "process-pause", "switchover"})
FINAL_READS = MappingProxyType({"items": "row", "counters": "total", "elements": "member"})
SURELY_WRITE = frozenset({"write", "increment"})
"""A delete of no row, or an add of what is there, is acknowledged and no conflict."""
PUBLISHES_TABLES = frozenset({"none", "last_write_wins_triggers"})
UNTIL_CHECKPOINT_BYTES = 128 << 20
"""``max_wal_size`` of the deployments: the bound of a slot is looked at by a checkpoint."""


def conflicts(setting: Setting) -> tuple[Verdict, ...]:
    """Every promise of the conflict resolution experiment.

    Raises:
        HistoryError: The history contradicts itself.
        FolderError: What was recorded of the mesh is damaged.
    """
    run = setting.run
    strategy = str(run.deployment.variables.get("conflict_resolution", "none"))
    verdicts = [
        adequate(setting, required(setting)),
        _conflicted(setting),
        flowing(setting, converged_within_ms(run.deployment, again=bool(_lost_whole(setting)))),
        _converged(setting),
    ]
    if run.plan.load.workload == "items":
        verdicts += _rows(setting, strategy)
    if run.plan.load.workload == "counters" and strategy in KEEPS_INCREMENTS:
        verdicts.append(final_counter.check(run.history, setting.nodes, reads=("total",)))
    if run.plan.load.workload == "elements":
        verdicts.append(final_set.check(run.history, setting.nodes))
    if "mesh" in run.plan.inspections:
        verdicts += _watched(setting, strategy)
    verdicts += _one_primary(setting)
    if run.windows:
        verdicts.append(service.check(run.history, tuple(_served(setting)), setting.writes))
    return tuple(verdicts)


def _rows(setting: Setting, strategy: str) -> Iterator[Verdict]:
    """Who won each row, and where it was written."""
    history = setting.run.history
    homes = Homes(history, setting.run.region_of) if strategy in HAS_HOMES else None
    if strategy not in NAMES_NO_WINNER:
        yield winner.check(history, setting.nodes, homes=homes)
    if homes is not None:
        yield one_home.check(history, homes, setting.nodes)


def _watched(setting: Setting, strategy: str) -> Iterator[Verdict]:
    """What the keepers of the mesh saw beside the load."""
    recorded = _recording(setting.run)
    yield stuck_streams.check(
        recorded,
        max(healed_ns(setting), setting.end_ns),
        until_checkpoint_bytes=UNTIL_CHECKPOINT_BYTES,
    )
    yield conflict_counters.check(
        recorded,
        shared(setting),
        met(setting, SURELY_WRITE),
        logged=strategy not in PUBLISHES_TABLES,
    )


def _one_primary(setting: Setting) -> Iterator[Verdict]:
    """Of the nodes of a region one takes writes at a time, where there are several."""
    topology = setting.run.deployment.topology
    clusters = {one.name: [n.name for n in topology.members("mesh", one.name)]
                for one in topology.regions}  # fmt: skip
    found = [
        (region, single_primary.check(setting.run.history, setting.writes, nodes=nodes))
        for region, nodes in clusters.items()
        if len(nodes) > 1
    ]
    if found:
        worst = merge(one for _, one in found)
        region, telling = next(pair for pair in found if pair[1].validity is worst)
        yield replace(telling, reason=f"{region}: {telling.reason}")


def _recording(run: RecordedRun) -> MeshRecording:
    """What the inspection left.

    Raises:
        FolderError: It is damaged, or not there.
    """
    path = run.folder.metrics / "mesh.jsonl"
    try:
        return mesh_recording(orjson.loads(line) for line in path.read_bytes().splitlines())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FolderError(f"{path} is damaged: {error}") from error


def _served(setting: Setting) -> Iterator[Expectation]:
    """Every region's writes, from the first fault on: they need no other region.

    One that loses a node of its own has its bound of a failover, where it has a standby. Without
    one it is promised nothing.
    """
    run = setting.run
    from_ns = min(window.inject_ns for window in run.windows)
    for region in sorted(set(setting.regions) - _lost_whole(setting)):
        yield Expectation(
            region,
            "the first fault",
            from_ns,
            setting.end_ns,
            bound_ms=_outage_ms(setting, region, from_ns),
        )


def converged_within_ms(deployment: Deployment, *, again: bool) -> float:
    """How long a region's changes may take after the last heal.

    Args:
        deployment: Its timers.
        again: Whether a region lost its only node, and has to start anew.
    """
    return CONVERGENCE_MS + (bounds.recovery(deployment.variables).total_ms if again else 0.0)


def _lost_whole(setting: Setting) -> set[str]:
    """Regions that lost the only node that they have."""
    run = setting.run
    hit = [_region_hit(run, window) for window in run.windows]
    topology = run.deployment.topology
    return {one for one in hit if one is not None and len(topology.members("mesh", one)) == 1}


def _region_hit(run: RecordedRun, window: FaultWindow) -> str | None:
    """The region whose node a fault took; None for a fault that takes none."""
    if window.kind not in OF_A_NODE:
        return None
    return run.region_of.get(str(window.details.get("resolved", "")).split("/")[0])


def _outage_ms(setting: Setting, region: str, from_ns: int) -> float:
    """Until how long after a moment a region may lack service for what happens to its own nodes."""
    run = setting.run
    bounds_ms = [
        (window.inject_ns - from_ns) / 1e6
        + bounds.rto(window.kind, run.deployment.variables, run.plan.load.timeout_ms).total_ms
        for window in run.windows
        if _region_hit(run, window) == region
    ]
    return max(bounds_ms, default=0.0)


def _conflicted(setting: Setting) -> Verdict:
    """Whether writes of several regions met while a fault kept them apart."""
    name, promise = "conflicts", "Regions wrote the same rows while they could not hear each other."
    met_rows = met(setting, setting.writes)
    numbers = {
        "rows_in_conflict": float(len(met_rows)),
        "rows_that_lost": rows_that_lost(setting),
    }
    if not met_rows:
        reason = "no row was written in two regions while a fault held: nothing was resolved"
        return Verdict(name, promise, Validity.UNKNOWN, reason, (), numbers)
    reason = f"{len(met_rows)} rows were written in several regions while a fault held"
    return Verdict(name, promise, Validity.VALID, reason, (), numbers)


def flowing(setting: Setting, bound_ms: float = CONVERGENCE_MS) -> Verdict:
    """Every region's changes reach every node after the heal: no stream is stuck.

    Args:
        setting: The run.
        bound_ms: How long that may take from the last heal on.
    """
    name = "replication"
    promise = "After healing the changes of every region reach every other within the bound."
    found = [
        recovery.check(
            setting.run.history,
            setting.nodes,
            healed_ns=healed_ns(setting),
            bound_ms=bound_ms,
            number=number,
        )
        for number in range(1, len(setting.regions) + 1)
    ]
    validity = merge(found)
    telling = [
        (region, one)
        for region, one in zip(setting.regions, found, strict=True)
        if one.validity is validity
    ]
    slowest = max(one.numbers.get("recovery_ms_max", 0.0) for one in found)
    numbers = {"converged_ms_max": slowest, "bound_ms": bound_ms}
    if validity is Validity.VALID:
        reason = f"the last change was at every node {slowest:.0f} ms after it was first tried"
        return Verdict(name, promise, validity, reason, (), numbers)
    reason = "; ".join(f"changes of {region}: {one.reason}" for region, one in telling)
    examples = tuple(each for _, one in telling for each in one.counterexample)
    return Verdict(name, promise, validity, reason, examples, numbers)


def _converged(setting: Setting) -> Verdict:
    final = FINAL_READS[setting.run.plan.load.workload]
    since_ns = max(healed_ns(setting), setting.end_ns)
    return convergence.check(
        setting.run.history, setting.nodes, since_ns, reads=(final,), writes=setting.writes
    )
