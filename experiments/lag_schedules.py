"""Schedules under which replicas fall behind: slow links, narrow links, and a moved primary."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from testbed.runner.plan import Step
from testbed.topology.model import Topology

FIRST_S = 2.0
"""The load runs undisturbed before the first fault."""

WINDOW_S = 4.0
GAP_S = 2.0
"""Between two windows: what the first one held back arrives meanwhile."""

SLOW_MS = 150
"""Consul's leader still hears its followers in time."""


def one_after_the_other(topology: Topology, kbytes_s: int) -> tuple[Step, ...]:
    """Every pair of regions in turn is joined by a narrow link.

    A narrow link holds back the stream of changes, which is one connection, and no request of a
    client. Whichever node is the primary, and whichever standby it waits for: once in the schedule
    the third one is behind, while clients hear of their writes and ask the third one at once.

    Args:
        topology: Its regions.
        kbytes_s: How narrow: less than the load writes.
    """
    pairs = [
        (one.name, other.name)
        for number, one in enumerate(topology.regions)
        for other in topology.regions[number + 1 :]
    ]
    return tuple(
        Step(
            "link-bandwidth",
            f"{one}->{other}",
            FIRST_S + place * (WINDOW_S + GAP_S),
            WINDOW_S,
            {"kbytes_s": kbytes_s, "direction": "both"},
        )
        for place, (one, other) in enumerate(pairs)
    )


def failover(topology: Topology) -> tuple[Step, ...]:
    """The primary moves, while one region hears all others late."""
    last = topology.regions[-1].name
    links = [link.name for link in topology.links if link.target == last]
    # One after the other: the trials that show that a link is slow would disturb each other.
    slow = [
        Step("link-latency", name, FIRST_S + 1.5 * number, 10.0, {"added_ms": SLOW_MS})
        for number, name in enumerate(links)
    ]
    moved_s = FIRST_S + 1.5 * len(links) + 2.0
    return (*slow, Step("switchover", "role:primary", moved_s))


def disturbed(topology: Topology, *, switchover: bool) -> SearchStrategy[tuple[Step, ...]]:
    """One to three links that are slow or narrow, sometimes with a moved primary.

    Args:
        topology: Its links.
        switchover: Whether there is one primary to move.
    """
    at_s = st.integers(0, 30).map(lambda tenths: FIRST_S + tenths / 10)
    links = st.sampled_from([link.name for link in topology.links])

    def of(kind: str, name: str, values: SearchStrategy[int]) -> SearchStrategy[Step]:
        return st.builds(
            lambda link, at, lasting, value: Step(kind, link, at, float(lasting), {name: value}),
            links, at_s, st.integers(3, 8), values,
        )  # fmt: skip

    # Whole numbers, so that the search can climb in steps.
    slow = st.one_of(
        of("link-latency", "added_ms", st.integers(50, SLOW_MS)),
        # The greater, the narrower: a simpler example is a wider link.
        of("link-bandwidth", "kbytes_s", st.integers(0, 448).map(lambda less: 512 - less)),
    )
    disturbances = st.lists(slow, min_size=1, max_size=3, unique_by=lambda step: step.target)
    moved = at_s.map(lambda at: Step("switchover", "role:primary", at + 2.0))
    primary = st.one_of(st.none(), moved) if switchover else st.none()
    return st.tuples(disturbances, primary).map(
        lambda both: tuple(
            sorted((*both[0], *([both[1]] if both[1] else [])), key=lambda step: step.at_s)
        )
    )
