"""Hypothesis strategies for data placement: what clients write, and what happens meanwhile.

Everything drawn is data. A schedule is one thing that can make data leave its jurisdiction: a
jurisdiction that fails in part or as a whole, a partition, work that operators do. Meanwhile other
versions of the policy, its edge cases, may be in force.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from experiments.placement_promises import NARROW, NARROWED
from faults.catalogue import problems
from faults.maintenance_works import WORKS
from testbed.runner.plan import Step
from testbed.topology.model import Deployment, Topology
from testbed.topology.placement_edits import EDITS, edited_class
from testbed.topology.placement_plan import cluster_of

FIRST_S = 3.0
"""Before it every kind of write has been made once, undisturbed."""

FAILOVER_S = 30.0
"""A node stays away for as long as a standby needs to take over when the lease must run out."""

KILLED_S = 3.0
"""How long a program that watches or stores stays away."""

MAINTAINED_S = 2.0
"""How long what operators made stays."""

WIDE_S, HELD_S, APART_S, TAKEN_S, TOGETHER_S, LEAK_S = 2.0, 10.0, 14.0, 36.0, 38.0, 44.0
"""When a policy is made wider, and how long it stays so once it is; when its standby gets nothing
more, the primary is killed, the standby could get something again, and something is written that
may cross no more. Each change of the policy takes 7 s, and twice as much on a busy machine."""

EDIT_S, CHANGED_S, EDITED_S = 2.0, 14.0, 20.0
"""When another version of the policy is put in force, how long that takes at most, and how long it
stays so at least: enough is written under it."""

MIXES: tuple[Mapping[str, int], ...] = tuple(
    MappingProxyType(mix)
    for mix in (
        {},
        {"moves_percent": 25},
        {"reclassified_percent": 20, "changes_percent": 18},
        {"large_percent": 16, "imports_percent": 16},
        {"undone_percent": 14, "mistakes_percent": 12},
        {"misplaced_percent": 25},
        {"deletes_percent": 14, "moves_percent": 18},
    )
)
"""What clients write more of than usual, in percent of their operations."""


def writes() -> SearchStrategy[Mapping[str, int]]:
    """Shares of the workload; the first is its own."""
    return st.sampled_from(MIXES)


def schedules(deployment: Deployment, *, patient: bool) -> SearchStrategy[tuple[Step, ...]]:
    """One thing that happens, the quick ones more often, and perhaps edge cases of the policy.

    Args:
        deployment: What it happens to.
        patient: Whether there is time for what takes three minutes.
    """
    topology = deployment.topology
    calm: list[SearchStrategy[tuple[Step, ...]]] = [
        partitions(topology),
        maintenances(topology),
        killed_programs(topology),
        moved_primaries(topology),
        lost_slots(topology),
    ]
    # Where a jurisdiction is lost, or a standby that is behind takes over, none is there to be
    # played in time.
    drawn = [*calm, lost_jurisdictions(topology), stale_standbys(topology)]
    if cases := edge_cases(deployment):
        drawn.append(policy_edits(topology, cases).map(edited))
        drawn.append(st.builds(spanning, st.one_of(calm), policy_edits(topology, cases)))
        if patient:
            some = st.lists(policy_edits(topology, cases), min_size=2, max_size=3)
            drawn.append(some.map(in_turn))
    replication = str(deployment.variables["replication"])
    if patient and stale_filters(topology, replication):
        works = st.sampled_from([work for work in NARROWED if work in (NARROW, *cases)])
        drawn.append(works.map(lambda work: stale_filters(topology, replication, work)))
    return st.one_of(drawn)


def edge_cases(deployment: Deployment) -> tuple[str, ...]:
    """The versions of a deployment's policy that it can publish and that can be judged."""
    policy, topology = deployment.policy, deployment.topology
    if policy is None or edited_class(policy) is None:
        return ()
    region = topology.regions[0].name
    return tuple(
        name for name in EDITS if not problems("maintenance", region, {"work": name}, topology)
    )


def policy_edits(topology: Topology, works: Sequence[str]) -> SearchStrategy[Step]:
    """Another version of the policy is put in force, and taken back."""
    return st.builds(
        lambda work, region: Step("maintenance", region, EDIT_S, EDITED_S, {"work": work}),
        st.sampled_from(works),
        st.sampled_from([region.name for region in topology.regions]),
    )


def edited(edit: Step) -> tuple[Step, ...]:
    """An edge case alone."""
    return (edit,)


def spanning(schedule: tuple[Step, ...], edit: Step) -> tuple[Step, ...]:
    """An edge case that is in force before something happens, and until it is over."""
    later = tuple(replace(step, at_s=step.at_s + CHANGED_S) for step in schedule)
    end_s = max(step.at_s + (step.duration_s or CHANGED_S) for step in later)
    return (replace(edit, duration_s=max(EDITED_S, end_s - EDIT_S)), *later)


def in_turn(edits: Sequence[Step]) -> tuple[Step, ...]:
    """Edge cases one after the other, each from the policy itself."""
    turn_s = EDITED_S + 2 * CHANGED_S
    return tuple(
        replace(edit, at_s=edit.at_s + number * turn_s) for number, edit in enumerate(edits)
    )


def partitions(topology: Topology) -> SearchStrategy[tuple[Step, ...]]:
    """A jurisdiction is cut off while clients everywhere go on writing, in wrong regions too."""
    regions = [region.name for region in topology.regions]
    return st.builds(
        lambda region, duration_s: (Step("region-cut", region, FIRST_S, duration_s),),
        st.sampled_from(regions[::-1]),
        st.sampled_from([3.0, 5.0]),
    )


def maintenances(topology: Topology) -> SearchStrategy[tuple[Step, ...]]:
    """Operators add a column, seed a subscriber anew, or restore a dump."""
    return st.builds(
        lambda region, work: (
            Step("maintenance", region, FIRST_S + 2.0, MAINTAINED_S, {"work": work}),
        ),
        st.sampled_from([region.name for region in topology.regions]),
        st.sampled_from([work for work in WORKS if work not in (NARROW, *EDITS)]),
    )


def killed_programs(topology: Topology) -> SearchStrategy[tuple[Step, ...]]:
    """What keeps the policy on a server, or what makes backups, is killed and comes back."""
    programs = [f"{node.name}/placement" for node in topology.members("placement")]
    programs += [f"{node.name}/store" for node in topology.members("stores")]
    return st.sampled_from(programs).map(
        lambda program: (Step("process-kill", program, FIRST_S, KILLED_S),)
    )


def lost_jurisdictions(topology: Topology) -> SearchStrategy[tuple[Step, ...]]:
    """Every server of a jurisdiction is killed: what is pinned to it is unavailable, not moved."""
    jurisdictions = list(dict.fromkeys(region.jurisdiction for region in topology.regions))
    return st.sampled_from(jurisdictions).map(lambda name: lost(topology, name, 6.0))


def lost(topology: Topology, jurisdiction: str, duration_s: float) -> tuple[Step, ...]:
    """All servers of one jurisdiction killed at once."""
    return tuple(
        Step("node-kill", node, FIRST_S, duration_s) for node in _servers(topology, jurisdiction)
    )


def moved_primaries(topology: Topology) -> SearchStrategy[tuple[Step, ...]]:
    """The primary of the first jurisdiction goes to another server of it, asked or killed."""
    asked = (Step("switchover", "role:primary", FIRST_S),)
    killed = (Step("node-kill", "role:primary", FIRST_S, FAILOVER_S),)
    several = len(_servers(topology, topology.regions[0].jurisdiction)) > 1
    return st.sampled_from([asked, asked, killed] if several else [killed])


def stale_standbys(topology: Topology) -> SearchStrategy[tuple[Step, ...]]:
    """A standby that was cut off from its primary, and so is behind, takes over from it."""
    inside = _regions(topology, topology.regions[0].jurisdiction)
    if len(inside) < 2:
        return st.just(())
    link = f"{inside[0]}->{inside[1]}"
    return st.just(
        (
            Step("link-cut", link, FIRST_S - 1.0, 3.0, {"direction": "both"}),
            Step("node-kill", "role:primary", FIRST_S + 1.0, FAILOVER_S),
        )
    )


def stale_filters(topology: Topology, replication: str, work: str = NARROW) -> tuple[Step, ...]:
    """A standby that missed that the policy was made narrower takes over; empty where none can.

    Args:
        topology: The deployment's.
        replication: Its mode.
        work: What makes it narrower when it is undone, one of ``NARROWED``.

    Its filters let cross what may not any more, and that is written as soon as it takes writes.
    Replication alone stands still: with Consul or Patroni cut off as well, the primary would give
    up by itself, or the standby could not take over.
    """
    first = topology.regions[0].jurisdiction
    inside = _regions(topology, first)
    clusters = {cluster_of(topology, topology.node(name)) for name in _servers(topology, first)}
    if len(inside) < 2 or len(clusters) != 1 or replication != "asynchronous":
        return ()
    still = {"service": "postgres", "direction": "both"}
    leak_s = TAKEN_S + FAILOVER_S - LEAK_S
    return (
        Step("maintenance", inside[0], WIDE_S, HELD_S, {"work": work}),
        Step("link-timeout", f"{inside[0]}->{inside[1]}", APART_S, TOGETHER_S - APART_S, still),
        Step("node-kill", "role:primary", TAKEN_S, FAILOVER_S),
        Step("maintenance", inside[0], LEAK_S, leak_s, {"work": "add_column"}),
    )


def lost_slots(topology: Topology) -> SearchStrategy[tuple[Step, ...]]:
    """What is kept for a jurisdiction is dropped: it gets what it missed by reading rows again."""
    regions = [region.name for region in topology.regions]
    return st.sampled_from(regions).map(lambda region: (Step("slot-drop", region, FIRST_S, 3.0),))


def _regions(topology: Topology, jurisdiction: str) -> list[str]:
    """Regions of a jurisdiction, in the inventory's order."""
    return [region.name for region in topology.regions if region.jurisdiction == jurisdiction]


def _servers(topology: Topology, jurisdiction: str) -> list[str]:
    """Database servers of a jurisdiction, in the inventory's order."""
    return [
        node.name
        for node in topology.members("postgres")
        if topology.region(node.region).jurisdiction == jurisdiction
    ]
