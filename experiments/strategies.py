"""Hypothesis strategies over schedules of faults.

Everything drawn is data, and shrinks towards the shortest schedule of the simplest fault.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from faults.program import PROGRAMS
from faults.switchover import SWITCHOVERS
from testbed.clients.system import POSTGRES, system_of
from testbed.runner.plan import Step
from testbed.topology.model import Topology

FIRST_FAULT_S = 5.0
"""The load runs undisturbed before the first fault: the measure of what is normal."""


SLOW_LINK_S = 2.0
"""Slow links come this early: on a link that is cut already nothing could be shown."""

SLOW_LINK_DURATION_S = 20.0


def moments() -> SearchStrategy[float]:
    """When a fault comes; drawn in tenths of a second, for its place between the timers' ticks."""
    return st.integers(0, 20).map(lambda tenths: FIRST_FAULT_S + tenths / 10)


def region_cuts(topology: Topology) -> SearchStrategy[Step]:
    """A region is cut from all others: the primary's, the Consul leader's, or any."""
    targets = [
        "region-of:primary",
        *(["region-of:dcs-leader"] if topology.members("consul") else []),
    ]
    targets += [region.name for region in topology.regions]
    return st.builds(
        lambda target, at_s, duration_s: Step("region-cut", target, at_s, duration_s),
        st.sampled_from(targets),
        moments(),
        st.sampled_from([20.0, 25.0, 30.0]),
    )


def link_cuts(topology: Topology) -> SearchStrategy[Step]:
    """One link is cut, both ways or one."""
    return st.builds(
        lambda target, at_s, direction: Step(
            "link-cut", target, at_s, 15.0, {"direction": direction}
        ),
        st.sampled_from([link.name for link in topology.links]),
        moments(),
        st.sampled_from(["both", "one-way"]),
    )


def slow_links(topology: Topology) -> SearchStrategy[Step]:
    """One link gets slower: latency, jitter or bandwidth.

    Not by more than Consul's Raft bears with raft_multiplier 1, whose leader gives up its lease
    after 500 ms without an answer: beyond that no bound holds, which is an experiment of its own.
    """

    def step(kind: str, name: str) -> Callable[[str, int], Step]:
        return lambda link, value: Step(
            kind, link, SLOW_LINK_S, SLOW_LINK_DURATION_S, {name: value}
        )

    target = st.sampled_from([link.name for link in topology.links])
    return st.one_of(
        st.builds(step("link-latency", "added_ms"), target, st.sampled_from([50, 150])),
        st.builds(step("link-jitter", "jitter_ms"), target, st.sampled_from([20, 50])),
        st.builds(step("link-bandwidth", "kbytes_s"), target, st.sampled_from([256, 1024])),
    )


def process_faults(topology: Topology) -> SearchStrategy[Step]:
    """A program or a whole node of a role is killed or paused."""
    # Whoever may be primary, and in Patroni's deployments the leader of its store.
    groups = {"primary": POSTGRES if topology.members(POSTGRES) else system_of(topology)}
    if topology.members("consul"):
        groups["dcs-leader"] = "consul"
    programs = [
        f"role:{role}/{program.name}"
        for role, group in groups.items()
        for program in PROGRAMS.values()
        if program.group == group
    ]
    kills = st.builds(
        lambda target, at_s: Step("process-kill", target, at_s, 10.0),
        st.sampled_from(programs),
        moments(),
    )
    nodes = st.builds(
        lambda kind, target, at_s: Step(kind, target, at_s, 30.0),
        st.sampled_from(["node-kill", "node-pause"]),
        st.sampled_from([f"role:{role}" for role in groups]),
        moments(),
    )
    return st.one_of(kills, nodes) if programs else nodes


def switchovers() -> SearchStrategy[Step]:
    """The operators move the primary on purpose."""
    return moments().map(lambda at_s: Step("switchover", "role:primary", at_s))


def schedules(topology: Topology) -> SearchStrategy[tuple[Step, ...]]:
    """A schedule of one disturbance, sometimes upon links that are slower as well.

    Two disturbances at once can leave no quorum, where no promise of service holds; the faults
    that can be combined without that are the slow links.
    """
    moved = (switchovers(),) if system_of(topology) in SWITCHOVERS else ()
    disturbance = st.one_of(
        *moved,
        process_faults(topology),
        link_cuts(topology),
        region_cuts(topology),
    )
    background = st.one_of(st.none(), slow_links(topology))
    return st.tuples(disturbance, background).map(
        lambda pair: tuple(
            sorted((step for step in pair if step is not None), key=lambda step: step.at_s)
        )
    )
