"""The promises of data placement, each judged from a run folder alone.

Two witnesses that know nothing of each other say where data was: clients, by who acknowledged and
counted their rows, and the search of every byte at rest and in motion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from experiments import bounds
from experiments.conflict_promises import CONVERGENCE_MS, flowing
from experiments.in_time import in_time
from experiments.setting import Setting, adequate, required
from testbed.checkers import at_home, erasure, placement, residency
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.erasure_record import ERASURE_FILE, read_erasure
from testbed.history.residency_record import (
    FILE,
    PUBLISHED,
    RecordError,
    read_record,
    written_canaries,
)
from testbed.topology.placement_plan import EVERYWHERE, cluster_of

NARROW, KILL = "narrow_policy", "node-kill"
"""A policy that is made narrower, and what makes a standby take over."""

NARROWED = (NARROW, "free_columns")
"""What makes a policy narrower when it is undone: by a column without a value, or a whole one."""

KEEPS_BEHIND = frozenset({"link-cut", "link-timeout"})
"""What keeps a standby from what its primary writes."""

FINAL = "rows"
"""The workload's final reads."""


def placed(setting: Setting) -> tuple[Verdict, ...]:
    """Every promise of the data placement experiment.

    Raises:
        HistoryError: The history contradicts itself.
    """
    homes, free = homes_of(setting), free_of(setting)
    history, variables = setting.run.history, setting.run.deployment.variables
    verdicts = [
        adequate(setting, required(setting)),
        *searched(setting),
        at_home.check_writes(history, homes, setting.writes, free=free),
        at_home.check_rows(history, homes, setting.nodes, free=free, reads=FINAL),
    ]
    if not _behind(setting):
        # A jurisdiction's cluster recovers first, then its streams do.
        bound_ms = bounds.recovery(variables).total_ms + CONVERGENCE_MS
        verdicts.append(in_time(setting, flowing(setting, bound_ms)))
    if narrowed(setting):
        verdicts.append(published_anew(setting))
    if "erasure" in setting.run.plan.inspections:
        verdicts.append(erased(setting))
    return tuple(verdicts)


def _behind(setting: Setting) -> bool:
    """Whether a standby takes over that is behind.

    What it lacks, asynchronous replication loses, and a stream that builds on it may stop. Where
    data is, is promised all the same.
    """
    kinds = {step.kind for step in setting.run.plan.schedule}
    return KILL in kinds and not kinds.isdisjoint(KEEPS_BEHIND)


def narrowed(setting: Setting) -> bool:
    """Whether the schedule has a standby take over that missed a change of the policy."""
    schedule = setting.run.plan.schedule
    works = {step.parameters.get("work") for step in schedule}
    return not works.isdisjoint(NARROWED) and any(step.kind == KILL for step in schedule)


def published_anew(setting: Setting) -> Verdict:
    """That a server with older filters did take over, and was brought to the policy's.

    What it sent before, the search of the wan says: it must be nothing that may not cross.
    """
    name = "filters_renewed"
    promise = "A server that takes over with older filters publishes by the policy's own."
    killed = [
        operation.time
        for operation in setting.run.history
        if operation.f == KILL and dict(operation.value or {}).get("phase") == "injected"
    ]
    try:
        deeds = read_record(setting.run.folder.path / FILE).deeds
    except RecordError as error:
        return Verdict(name, promise, Validity.UNKNOWN, str(error))
    renewed = [
        deed for deed in deeds if deed.what == PUBLISHED and killed and deed.time_ns > min(killed)
    ]
    if not renewed:
        reason = "no server that took over had older filters: the schedule showed nothing of them"
        return Verdict(name, promise, Validity.UNKNOWN, reason)
    reason = f"{renewed[0].node} took over with older filters, and published anew"
    return Verdict(name, promise, Validity.VALID, reason, (), {"renewed": float(len(renewed))})


def erased(setting: Setting) -> Verdict:
    """What was found of a subject that was erased."""
    try:
        record = read_erasure(setting.run.folder.path / ERASURE_FILE)
    except RecordError as error:
        return Verdict(erasure.NAME, erasure.PROMISE, Validity.UNKNOWN, str(error))
    verdict = erasure.check(
        record.erasure, record.canaries, record.before, record.after, record.nodes
    )
    if record.problem:
        return replace(verdict, reason=f"{record.problem}; {verdict.reason}")
    return verdict


def searched(setting: Setting) -> tuple[Verdict, ...]:
    """What the search found; a deployment that is known to be broken is never found clean.

    Raises:
        HistoryError: The history contradicts itself.
    """
    try:
        record = read_record(setting.run.folder.path / FILE)
        verdict = placement.check(record, written_canaries(setting.run.history))
    except (RecordError, TypeError) as error:
        return (Verdict(residency.NAME, residency.PROMISE, Validity.UNKNOWN, str(error)),)
    mutant = str(setting.run.deployment.variables.get("placement_mutant", "none"))
    if mutant != "none" and verdict.validity is Validity.VALID:
        # Whatever kept it from its work: that nothing was found shows nothing.
        reason = f"the deployment is broken on purpose ({mutant}), and nothing of it was found"
        verdict = replace(verdict, validity=Validity.UNKNOWN, reason=reason)
    return verdict, placement.check_heirs(record)


def homes_of(setting: Setting) -> Mapping[str, str]:
    """The jurisdiction of every node that holds data, or the free word where nothing is pinned."""
    topology = setting.run.deployment.topology
    clusters = {node.name: cluster_of(topology, node) for node in topology.members("postgres")}
    return {
        node: free_of(setting) if cluster == EVERYWHERE else cluster
        for node, cluster in clusters.items()
    }


def free_of(setting: Setting) -> str:
    """The residency of rows that are at home nowhere."""
    policy = setting.run.deployment.policy
    return policy.free if policy is not None else ""
