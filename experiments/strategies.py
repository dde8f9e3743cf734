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

SLOW_MESH_LINK_S = 4.0
"""For how long a link of a mesh is slow: what shows it takes a second of them."""

LONE_LOSS_S = 2.0
"""For how long a region of a mesh is without its only node, before it is started again."""

PARTITION_S = 1.0
"""Partitions of a mesh come this early: nothing waits for a lease, and trials are many."""


def _moments() -> SearchStrategy[float]:
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
        _moments(),
        st.sampled_from([20.0, 25.0, 30.0]),
    )


def link_cuts(topology: Topology) -> SearchStrategy[Step]:
    """One link is cut, both ways or one."""
    return st.builds(
        lambda target, at_s, direction: Step(
            "link-cut", target, at_s, 15.0, {"direction": direction}
        ),
        st.sampled_from([link.name for link in topology.links]),
        _moments(),
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
        _moments(),
    )
    nodes = st.builds(
        lambda kind, target, at_s: Step(kind, target, at_s, 30.0),
        st.sampled_from(["node-kill", "node-pause"]),
        st.sampled_from([f"role:{role}" for role in groups]),
        _moments(),
    )
    return st.one_of(kills, nodes) if programs else nodes


def switchovers() -> SearchStrategy[Step]:
    """The operators move the primary on purpose."""
    return _moments().map(lambda at_s: Step("switchover", "role:primary", at_s))


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


def partitions(topology: Topology) -> SearchStrategy[tuple[Step, ...]]:
    """One to three short cuts of links or regions, at times with clocks that are off."""
    regions = st.sampled_from([region.name for region in topology.regions])
    links = st.sampled_from([link.name for link in topology.links])
    at_s = st.integers(0, 10).map(lambda tenths: PARTITION_S + tenths / 10)
    duration_s = st.sampled_from([1.0, 2.0, 3.0])
    region_cut = st.builds(
        lambda target, at, lasting: Step("region-cut", target, at, lasting),
        regions, at_s, duration_s,
    )  # fmt: skip
    link_cut = st.builds(
        lambda target, at, lasting, direction: Step(
            "link-cut", target, at, lasting, {"direction": direction}
        ),
        links, at_s, duration_s, st.sampled_from(["both", "one-way"]),
    )  # fmt: skip
    cuts = st.lists(st.one_of(link_cut, region_cut), min_size=1, max_size=3, unique_by=_target)
    return _with_skews(topology, cuts)


def slowed(topology: Topology) -> SearchStrategy[tuple[Step, ...]]:
    """One or two links of a mesh are slow for a while, at times with clocks that are off.

    Without cuts: on a link that is cut already nothing could be shown. Without jitter: it takes
    longer to be shown than a link is slow here.
    """
    links = st.sampled_from([link.name for link in topology.links])
    at_s = st.integers(0, 10).map(lambda tenths: PARTITION_S + tenths / 10)
    latency = st.builds(
        lambda target, at, added_ms: Step(
            "link-latency", target, at, SLOW_MESH_LINK_S, {"added_ms": added_ms}
        ),
        links, at_s, st.sampled_from([100, 150]),
    )  # fmt: skip
    slow = st.lists(
        latency,
        min_size=1,
        max_size=2,
        # Both ways count as one: what shows that one is slow crosses the other.
        unique_by=lambda step: frozenset(step.target.split("->")),
    )
    return _with_skews(topology, slow)


def lone_losses(topology: Topology) -> SearchStrategy[tuple[Step, ...]]:
    """A region of a mesh loses its only node for a moment, or the server on it."""
    nodes = st.sampled_from([node.name for node in topology.members("mesh")])
    at_s = st.integers(0, 10).map(lambda tenths: PARTITION_S + tenths / 10)
    return st.one_of(
        st.builds(
            lambda node, at: (Step("process-kill", f"{node}/postgres", at, LONE_LOSS_S),),
            nodes,
            at_s,
        ),
        st.builds(lambda node, at: (Step("node-kill", node, at, LONE_LOSS_S),), nodes, at_s),
    )


def _with_skews(
    topology: Topology, disturbed: SearchStrategy[list[Step]]
) -> SearchStrategy[tuple[Step, ...]]:
    """What disturbs links, at times with clocks that are off."""
    skews = st.lists(_clock_skews(topology), max_size=2, unique_by=_target)
    return st.tuples(disturbed, skews).map(
        lambda both: tuple(sorted((*both[0], *both[1]), key=lambda step: step.at_s))
    )


def _clock_skews(topology: Topology) -> SearchStrategy[Step]:
    """A region's clock is off by seconds while links are cut."""
    return st.builds(
        lambda target, ahead_ms: Step(
            "clock-skew", target, PARTITION_S - 0.5, 5.0, {"ahead_ms": ahead_ms}
        ),
        st.sampled_from([node.name for node in topology.members("mesh")]),
        st.sampled_from([-3000, 2000, 5000]),
    )


def _losses() -> SearchStrategy[float]:
    """When a writer is lost: clocks that were off are right again, which takes a writer."""
    return _moments().map(lambda at_s: at_s + 1.0)


def writer_losses(topology: Topology) -> SearchStrategy[Step]:
    """A node of a mesh is lost whose region has another one, or the program that takes writes.

    Which node of a region takes writes depends on what happened before in its world.
    """
    nodes = ["role:primary", *(node.name for node in topology.members("mesh"))]
    return st.one_of(
        st.builds(
            lambda target, at: Step("node-kill", target, at, 30.0),
            st.sampled_from(nodes),
            _losses(),
        ),
        st.builds(
            lambda target, program, at: Step("process-kill", f"{target}/{program}", at, 10.0),
            st.sampled_from(nodes),
            st.sampled_from(["postgres", "patroni"]),
            _losses(),
        ),
        _losses().map(lambda at: Step("switchover", "role:primary", at)),
    )


def _target(step: Step) -> tuple[str, str]:
    return step.kind, step.target
