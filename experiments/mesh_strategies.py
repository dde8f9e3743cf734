"""Hypothesis strategies over the faults of a mesh, where every region takes writes.

Everything is short: nothing waits for a lease, and trials are many.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from experiments.strategies import moments
from testbed.runner.plan import Step
from testbed.topology.model import Topology

SLOW_MESH_LINK_S = 3.0
"""For how long a link of a mesh is slow: what shows it takes half a second of them."""

LONE_LOSS_S = 2.0
"""For how long a region of a mesh is without its only node, before it is started again."""

PARTITION_S = 1.0
"""The first fault comes this early: nothing waits for a lease, and trials are many."""


def partitions(topology: Topology) -> SearchStrategy[tuple[Step, ...]]:
    """One to three short cuts of links or regions, at times with clocks that are off."""
    regions = st.sampled_from([region.name for region in topology.regions])
    links = st.sampled_from([link.name for link in topology.links])
    at_s = _soon()
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
    at_s = _soon()
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
    return st.one_of(
        nodes.map(
            lambda node: (Step("process-kill", f"{node}/postgres", PARTITION_S, LONE_LOSS_S),)
        ),
        nodes.map(lambda node: (Step("node-kill", node, PARTITION_S, LONE_LOSS_S),)),
    )


def _soon() -> SearchStrategy[float]:
    """When one of several things begins, drawn in tenths of a second."""
    return st.integers(0, 10).map(lambda tenths: PARTITION_S + tenths / 10)


def _at_once(steps: list[Step]) -> list[Step]:
    """The same, as early as can be: before the first of them nothing is to be seen."""
    late_s = min(step.at_s for step in steps) - PARTITION_S
    return [replace(step, at_s=round(step.at_s - late_s, 1)) for step in steps]


def _with_skews(
    topology: Topology, disturbed: SearchStrategy[list[Step]]
) -> SearchStrategy[tuple[Step, ...]]:
    """What disturbs links, at times with clocks that are off by seconds as long as it lasts."""
    skews = st.dictionaries(
        st.sampled_from([node.name for node in topology.members("mesh")]),
        st.sampled_from([-3000, 2000, 5000]),
        max_size=2,
    )
    return st.tuples(disturbed.map(_at_once), skews).map(lambda both: _under_skews(*both))


def _under_skews(disturbed: list[Step], ahead_ms: dict[str, int]) -> tuple[Step, ...]:
    """Steps that last, and clocks that are off until the last of them has ended."""
    begins_s = PARTITION_S - 0.5
    ends_s = max(step.at_s + (step.duration_s or 0.0) for step in disturbed)
    off = [
        Step("clock-skew", node, begins_s, round(ends_s - begins_s, 1), {"ahead_ms": ahead})
        for node, ahead in ahead_ms.items()
    ]
    return tuple(sorted((*disturbed, *off), key=lambda step: step.at_s))


def _losses() -> SearchStrategy[float]:
    """When a writer is lost: clocks that were off are right again, which takes a writer."""
    return moments().map(lambda at_s: at_s + 1.0)


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
