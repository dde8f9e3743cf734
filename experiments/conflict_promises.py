"""The promises of conflict resolution, each judged from what clients saw.

What is promised depends on the strategy: every one but the controls promises that regions end with
the same rows; who wins, and whether counters lose anything, differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

from experiments import bounds
from experiments.conflict_expectations import lost_whole, served
from experiments.conflict_meetings import met, rows_that_lost, shared
from experiments.in_time import in_time
from experiments.setting import Setting, adequate, healed_ns, required
from testbed.checkers import (
    adequacy,
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
from testbed.checkers.verdict import Validity, Verdict, merge
from testbed.measures.homes import Homes
from testbed.measures.mesh_recording import MeshRecording, mesh_recording
from testbed.runner.folder import FolderError, read_lines
from testbed.runner.recorded import RecordedRun
from testbed.topology.model import Deployment

CONVERGENCE_MS = 20_000.0
"""From the last heal: a silent stream is given up after 5 s, and opened anew at once."""

KEEPS_INCREMENTS = frozenset({"crdt", "home_region", "none"})
HAS_HOMES = frozenset({"home_region", "none"})
"""``none`` promises nothing, and is asked for everything: each promise has its control."""
NAMES_NO_WINNER = frozenset({"none"})
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
    needed = required(setting)
    bound_ms = converged_within_ms(run.deployment, again=bool(lost_whole(setting)))
    flow = in_time(setting, flowing(setting, bound_ms))
    ended = [_converged(setting), *_ended(setting, strategy)]
    verdicts = [adequate(setting, needed), _conflicted(setting), flow]
    if "mesh" in run.plan.inspections:
        recorded = _recording(run)
        verdicts.append(_not_stuck(setting, recorded))
        ended.append(_counted(setting, strategy, recorded))
    if flow.validity is not Validity.VALID:
        # On a busy machine what regions lack in the end may be on its way.
        ended = [in_time(setting, one) if _of_what_lacks(one) else one for one in ended]
    verdicts += [*ended, *_one_primary(setting)]
    if run.windows:
        found = service.check(run.history, tuple(served(setting)), setting.writes)
        unserved = adequacy.unserved_before(run.history, needed)
        verdicts.append(in_time(setting, found, unserved))
    return tuple(verdicts)


def _ended(setting: Setting, strategy: str) -> Iterator[Verdict]:
    """What the strategy promises of the rows that regions end with."""
    history, workload = setting.run.history, setting.run.plan.load.workload
    if workload == "items":
        homes = Homes(history, setting.run.region_of) if strategy in HAS_HOMES else None
        if strategy not in NAMES_NO_WINNER:
            yield winner.check(history, setting.nodes, homes=homes)
        if homes is not None:
            yield one_home.check(history, homes, setting.nodes)
    if workload == "counters" and strategy in KEEPS_INCREMENTS:
        yield final_counter.check(history, setting.nodes, reads=("total",))
    if workload == "elements":
        yield final_set.check(history, setting.nodes)


def _of_what_lacks(verdict: Verdict) -> bool:
    """Whether a verdict may be of what has not arrived, and not of what did or was acknowledged."""
    if verdict.name == one_home.NAME:
        return all(one["anomaly"] == one_home.WON for one in verdict.counterexample)
    if verdict.name == conflict_counters.NAME:
        return not verdict.numbers.get("counted")
    return True


def _not_stuck(setting: Setting, recorded: MeshRecording) -> Verdict:
    """Whether the keepers of the mesh saw something stuck."""
    found = stuck_streams.check(
        recorded,
        max(healed_ns(setting), setting.end_ns),
        until_checkpoint_bytes=UNTIL_CHECKPOINT_BYTES,
    )
    # Connections that are lost, or opened late, may be a busy machine's doing.
    late = all(
        "down_ms" in one or ("failures" in one and not one["conflicts"])
        for one in found.counterexample
    )
    return in_time(setting, found) if late else found


def _counted(setting: Setting, strategy: str, recorded: MeshRecording) -> Verdict:
    """Whether PostgreSQL counted the conflicts that there were."""
    return conflict_counters.check(
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
    if not path.exists():
        raise FolderError(f"{path} is missing: what the mesh was like is not known")
    try:
        return mesh_recording(read_lines(path, dict))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FolderError(f"{path} is damaged: {error}") from error


def converged_within_ms(deployment: Deployment, *, again: bool) -> float:
    """How long a region's changes may take after the last heal.

    Args:
        deployment: Its timers.
        again: Whether a region lost its only node, and has to start anew.
    """
    return CONVERGENCE_MS + (bounds.recovery(deployment.variables).total_ms if again else 0.0)


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
    numbers = {"bound_ms": bound_ms}
    if validity is Validity.VALID:
        # What never arrived took no time.
        slowest = max(one.numbers["recovery_ms_max"] for one in found)
        numbers["converged_ms_max"] = slowest
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
