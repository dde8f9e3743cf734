"""How long a failover may take: bounds computed from the deployment's own timers.

A bound is a sum of named parts, so that a report can say which timer it comes from. The parts
follow how Patroni and Consul work (Patroni 4.1, ``patroni/ha.py`` and ``patroni/dcs/consul.py``;
Consul's documentation of sessions, and HashiCorp's memberlist for failure detection).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.clients.system import system_of
from testbed.toolchain.added import WithAdded
from testbed.topology.model import Topology


@dataclass(frozen=True, slots=True)
class Bound:
    """An upper bound as a sum.

    Args:
        parts: What it consists of: name and milliseconds.
    """

    parts: tuple[tuple[str, float], ...]

    @property
    def total_ms(self) -> float:
        """The sum."""
        return sum(milliseconds for _, milliseconds in self.parts)

    def __str__(self) -> str:
        parts = " + ".join(f"{name} {ms / 1000:g}" for name, ms in self.parts)
        return f"{self.total_ms / 1000:.1f} s = {parts}"

    def plus(self, name: str, milliseconds: float) -> Bound:
        """This bound and one more part."""
        return Bound((*self.parts, (name, milliseconds)))


CONSUL_ELECTION_MS = 5000.0
"""A prototype measured elections of 2.8 to 4.4 s across the regions with raft_multiplier 1."""

PROMOTION_MS = 2000.0
"""pg_promote, the first checkpoint request and the new primary's first health check."""

FOLLOW_MS = 12_000.0
"""Under synchronous replication a new primary acknowledges nothing before a standby follows it.

The promoted node is a synchronous standby, which has everything that was acknowledged; another
standby may have received more than that, and is then stopped, rewound and started again first.
Seen here: 3 to 9 s from the promotion to the first acknowledgement.
"""

REST_TIMEOUT_MS = 3000.0
"""The leader race asks every member's REST API first; a black-holed one costs its time-out."""


def rto(kind: str, variables: Mapping[str, Any], timeout_ms: float) -> Bound:
    """The time from a fault to the first acknowledged write, in regions that reach a quorum.

    Args:
        kind: The fault's kind, as in the catalogue.
        variables: Of the deployment, by name.
        timeout_ms: After which a client gives up and connects anew.
    """
    if kind == "switchover":
        return _clients(Bound((("shutdown and hand-over", 8000.0),)), variables, timeout_ms)
    if kind in ("link-latency", "link-jitter", "link-bandwidth"):
        return _clients(Bound((("slower links", 3000.0),)), variables, timeout_ms)
    parts = Bound((("key gone", _key_gone_ms(kind, variables)),))
    parts = parts.plus("Consul election", CONSUL_ELECTION_MS)
    parts = parts.plus("loop_wait", 2000.0 * float(variables["patroni_loop_wait_s"]))
    parts = parts.plus("leader race", REST_TIMEOUT_MS).plus("promotion", PROMOTION_MS)
    if variables.get("replication") != "asynchronous":
        parts = parts.plus("standby follows", FOLLOW_MS)
    return _clients(parts, variables, timeout_ms)


def _key_gone_ms(kind: str, variables: Mapping[str, Any]) -> float:
    """Until Consul releases the lock of a primary that it no longer hears.

    Patroni asks for a session of half its ttl; Consul ends it between one and two of that after
    the last renewal. With the serfHealth check it ends as soon as the gossip declares the node
    dead, which needs the node's agent to be silent: not so when only PostgreSQL or Patroni is.
    """
    lease_ms = 1000.0 * float(variables["patroni_ttl_s"])
    silent_agent = kind in ("region-cut", "node-pause", "dcs-leader-loss", "node-kill")
    if variables.get("consul_session_checks") == "serf_health" and silent_agent:
        return min(lease_ms, _gossip_ms(3))
    return lease_ms


def _gossip_ms(members: int) -> float:
    """Until memberlist declares a silent member dead.

    One probe interval, an indirect probe, and the longest suspicion:
    ``suspicion_mult * max(1, log10(n)) * probe_interval * max_timeout_mult`` (4, 1 s, 6), which
    confirmations by others shorten; with fewer than three of them to be had it stays at its
    minimum of ``4 * max(1, log10(n))`` probe intervals. Doubled for what the probes' own
    awareness of bad health may add.
    """
    probe_ms = 1000.0
    return 2 * (probe_ms + 4 * max(1.0, math.log10(members)) * probe_ms)


def _clients(bound: Bound, variables: Mapping[str, Any], timeout_ms: float) -> Bound:
    """What follows once a primary is there: HAProxy sees it, and hung clients come back."""
    interval = float(variables["haproxy_check_interval_ms"])
    checks = interval * (float(variables["haproxy_check_rise"]) + 1)
    checks += float(variables["haproxy_check_timeout_ms"])
    return bound.plus("HAProxy checks", checks).plus("client time-outs", 2 * timeout_ms)


def recovery(variables: Mapping[str, Any]) -> Bound:
    """The time from the last heal until a new write is visible on every node.

    A healed Consul server needs its peers again (an election, and up to a reconnect interval of
    the gossip), a former primary is rewound and a standby may have to wait for a checkpoint.
    """
    return (
        Bound((("Consul rejoin", 20_000.0), ("Consul election", CONSUL_ELECTION_MS)))
        .plus("loop_wait", 4000.0 * float(variables["patroni_loop_wait_s"]))
        .plus("rewind and restart", 25_000.0)
        .plus("replication", 5000.0)
    )


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a system may take to be whole again.

    Args:
        rto: From a kind of fault, the variables and the clients' time-out in ms: the time from the
            fault to the first acknowledged write, in regions that keep a way to the majority.
        recovery: From the variables: the time from the last heal until a new write is visible on
            every node.
    """

    rto: Callable[[str, Mapping[str, Any], float], Bound]
    recovery: Callable[[Mapping[str, Any]], Bound]


_PATRONI = Bounds(rto, recovery)

BOUNDS: Mapping[str, Bounds] = WithAdded(
    "bounds", {"postgres": _PATRONI, "mesh": _PATRONI, "placement": _PATRONI}
)
"""System -> its bounds. A new one is a line here, or a line in another package's
``testbed.bounds``."""


def bounds_of(topology: Topology) -> Bounds:
    """The bounds of the system that a topology runs.

    Raises:
        KeyError: Nobody stated them.
    """
    return BOUNDS[system_of(topology)]
