"""Schedules under which replicas fall behind: slow links, narrow links, and a moved primary."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from testbed.runner.plan import Step
from testbed.topology.model import Topology

FIRST_S = 2.0
"""The load runs undisturbed before the first fault."""

WINDOW_S = 3.5
GAP_S = 1.0
"""Between two windows: what the first one held back arrives meanwhile."""

CRASH_AT_S = 4.0
"""Sessions have to be well served before, or their losses are those of a busy machine."""

CRASH_S = 30.0

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


def crash() -> tuple[Step, ...]:
    """The primary's node is lost, and comes back as a standby once another one has taken over."""
    return (Step("node-kill", "role:primary", CRASH_AT_S, CRASH_S),)


@dataclass(frozen=True)
class Burden:
    """What the load carries besides its sessions.

    Args:
        rate_ops_s: Of each region's clients.
        rows: Of a long transaction; 0 for none that is large.
        open_ms: How long such a transaction stays open once it has written.
    """

    rate_ops_s: int = 50
    rows: int = 0
    open_ms: int = 0


@dataclass(frozen=True)
class Trial:
    """One thing that the search tries.

    Args:
        schedule: The faults.
        burden: What the load carries.
        what: What is disturbed, where trials can be compared; None where they cannot.
        levels: How badly, each from mild to bad.
    """

    schedule: tuple[Step, ...]
    burden: Burden = Burden()
    what: tuple[str, str, bool] | None = None
    levels: tuple[int, ...] = ()

    def milder_than(self, other: Trial) -> bool:
        """Whether another trial disturbs the same, and nothing of it less."""
        return (
            self.what is not None
            and self.what == other.what
            and all(mine <= its for mine, its in zip(self.levels, other.levels, strict=True))
        )


# From mild to bad, and few of each: the search climbs by one at a time, and a step that is smaller
# than what chance adds to a lag leads nowhere.
OPEN_MS = (0, 500, 2000)
RATES_OPS_S = (25, 50, 100)
LASTING_S = (3.0, 4.0, 5.0)
ROWS = (0, 250, 1000, 3000, 10_000)
KBYTES_S = (512, 384, 256, 192, 128, 96, 64)
ADDED_MS = (50, 65, 80, 100, 115, 130, SLOW_MS)
_LEVELS = (OPEN_MS, RATES_OPS_S, LASTING_S, ROWS, KBYTES_S)

BEGINS_S = 1.0


def can_move(topology: Topology) -> bool:
    """Whether the node that ``role:primary`` means has a standby to hand over to."""
    region = topology.regions[0].name if topology.members("mesh") else None
    return len(topology.members("postgres", region)) > 1


def trials(topology: Topology) -> SearchStrategy[Trial]:
    """A link that is slow or narrow, under some burden, sometimes with a moved primary.

    Every trial draws the same numbers in the same order, and what decides most comes last, where
    the search begins to climb.

    Args:
        topology: Its links, and whether it has a primary to move.
    """
    return st.builds(
        _trial,
        st.sampled_from([False, False, True]) if can_move(topology) else st.just(False),
        st.sampled_from([link.name for link in topology.links]),
        st.sampled_from(["link-latency", "link-bandwidth", "link-bandwidth"]),
        st.tuples(*(st.integers(0, len(values) - 1) for values in _LEVELS)),
    )


def _trial(moved: bool, link: str, kind: str, levels: tuple[int, ...]) -> Trial:
    opened, rate, lasting, rows, strength = levels
    burden = Burden(RATES_OPS_S[rate], ROWS[rows], OPEN_MS[opened])
    narrow = kind == "link-bandwidth"
    parameters = {"kbytes_s": KBYTES_S[strength]} if narrow else {"added_ms": ADDED_MS[strength]}
    disturbed = Step(kind, link, BEGINS_S, LASTING_S[lasting], parameters)
    later = (Step("switchover", "role:primary", BEGINS_S + 1.0),) if moved else ()
    return Trial((disturbed, *later), burden, (link, kind, moved), levels)
