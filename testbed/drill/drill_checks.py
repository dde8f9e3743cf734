"""What a drill's parts must be to each other: each contradiction as a sentence."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.clients.system import data_nodes
from testbed.drill.drill import Drill
from testbed.topology.model import Topology

PLAY_OF_LOADS = {"replication_lag": ("sessions",), "failover": ("set", "register", "bank")}
"""The workloads that an experiment's promises can be asked of."""


def contradictions(drill: Drill, topology: Topology) -> Iterator[str]:
    """What is wrong with a drill though each of its fields is good by itself."""
    regions = {region.name: region.jurisdiction for region in topology.regions}
    if not drill.injects:
        yield "injects: there is none, so there is nothing to play"
    if not drill.stop_conditions:
        yield "stop_conditions: there is none, so nothing would end the drill by itself"
    if drill.primary_region and drill.primary_region not in regions:
        yield f"primary_region: unknown region '{drill.primary_region}' ({_list(regions)})"
    able = {node.region for node in data_nodes(topology)}
    if drill.primary_region in regions and drill.primary_region not in able:
        yield f"primary_region: no node of '{drill.primary_region}' may be primary ({_list(able)})"
    if drill.objective.jurisdiction not in ("", *regions.values()):
        known = _list(set(regions.values()))
        yield f"objective.jurisdiction: no region is in '{drill.objective.jurisdiction}' ({known})"
    fitting = PLAY_OF_LOADS.get(drill.objective.promises)
    if fitting is not None and drill.load.workload and drill.load.workload not in fitting:
        yield (
            f"load.workload: '{drill.load.workload}' cannot be judged by the promises of "
            f"{drill.objective.promises} ({_list(fitting)})"
        )
    yield from _outside(drill, regions)
    yield from _times(drill)


def _outside(drill: Drill, regions: dict[str, str]) -> Iterator[str]:
    """What reaches beyond the blast radius."""
    radius = drill.blast_radius
    for region in radius.regions:
        if region not in regions:
            yield f"blast_radius.regions: unknown region '{region}' ({_list(regions)})"
    for number, inject in enumerate(drill.injects):
        for region in regions:
            # A link counts for the region that sends: the other end only hears less of it.
            named = inject.step.target.partition("->")[0]
            touched = named == region or named.startswith(f"{region}-")
            if touched and region not in radius.regions:
                known = _list(radius.regions)
                yield f"injects[{number}]: '{named}' is outside the blast radius ({known})"
    most = max((_held_at(drill, one.step.at_s) for one in drill.injects), default=0)
    if most > radius.faults_at_once > 0:
        yield f"blast_radius.faults_at_once: is {radius.faults_at_once}, but {most} overlap"


def _held_at(drill: Drill, at_s: float) -> int:
    steps = [inject.step for inject in drill.injects]
    return sum(one.at_s <= at_s < one.at_s + (one.duration_s or 0.001) for one in steps)


def _times(drill: Drill) -> Iterator[str]:
    times = [inject.step.at_s for inject in drill.injects]
    if times != sorted(times):
        yield "injects: must stand in the order of their at_s"
    end_s = max((i.step.at_s + (i.step.duration_s or 0) for i in drill.injects), default=0.0)
    if 0 < drill.blast_radius.duration_s < end_s:
        yield (
            f"blast_radius.duration_s: is {drill.blast_radius.duration_s:g}, but the injects take "
            f"{end_s:g} s"
        )


def _list(known: object) -> str:
    assert hasattr(known, "__iter__")
    return "known: " + ", ".join(sorted(known))
