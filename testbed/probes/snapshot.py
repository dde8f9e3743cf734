"""What one look at a world from inside its network shows: plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DataNode:
    """A node with data, by its own word and by its primary's.

    Args:
        node: Its name.
        role: ``primary``, ``replica``, ``standby_leader``, or ``silent``.
        state: Patroni's word for how PostgreSQL is.
        timeline: PostgreSQL's timeline, or None.
        replication: How a primary sees it: ``streaming``, ...; empty when none does.
        synchronous: How a primary counts it: ``sync``, ``async``, ``quorum``, ``potential``;
            empty when none does.
        lag_bytes: WAL that it has not replayed yet; None for a primary and a silent node.
    """

    node: str
    role: str
    state: str
    timeline: int | None = None
    replication: str = ""
    synchronous: str = ""
    lag_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """A directed link: what was asked of it and what it does.

    Args:
        source: The region that sends.
        target: The region that receives.
        asked_delay_ms: One way, as the inventory has it.
        asked_jitter_ms: As the inventory has it.
        asked_kbytes_s: Bandwidth as the inventory has it, or None for no limit.
        delay_ms: As the observers measured it last; None when they cannot tell.
        silent_ms: Since anything last arrived; None when they cannot tell.
        cut: Whether a cut is in force.
        dropped_packets: What that cut has dropped so far.
        toxics: What was put on it besides the inventory's own, in words.
    """

    source: str
    target: str
    asked_delay_ms: float
    asked_jitter_ms: float
    asked_kbytes_s: int | None
    delay_ms: float | None
    silent_ms: float | None
    cut: bool
    dropped_packets: int
    toxics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that one look shows.

    Args:
        data_nodes: Every node with data, in the topology's order.
        consul_leaders: Whom each Consul server takes for the leader; None for nobody.
        links: Every directed link.
        problems: What keeps the system from steady state, a sentence each.
    """

    data_nodes: tuple[DataNode, ...]
    consul_leaders: Mapping[str, str | None]
    links: tuple[LinkStatus, ...]
    problems: tuple[str, ...]


def from_document(document: Mapping[str, Any]) -> Snapshot:
    """The reverse of ``dataclasses.asdict``, from plain JSON."""
    return Snapshot(
        data_nodes=tuple(DataNode(**row) for row in document["data_nodes"]),
        consul_leaders=document["consul_leaders"],
        links=tuple(
            LinkStatus(**{**row, "toxics": tuple(row["toxics"])}) for row in document["links"]
        ),
        problems=tuple(document["problems"]),
    )
