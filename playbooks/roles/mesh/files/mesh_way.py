"""The way of another region's changes to this node, and whether it is good."""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

POLL_S = 0.1
CONNECT_S_MAX = 2
SILENT_MS_MAX = 5000
"""For how long a question may stay unacknowledged before the link counts as cut."""

Connection = psycopg.Connection[Any]


class SeedError(Exception):
    """A region cannot be seeded; the message says why, and what to do."""


@dataclass(frozen=True)
class Inbound:
    """The way of another region's changes to this one.

    Args:
        region: This one.
        peer: The other one.
        addresses: Of the other one's nodes, of which one takes writes.
        moves: Whether a standby may take over, at either end.
    """

    region: str
    peer: str
    addresses: tuple[str, ...]
    moves: bool = False

    @property
    def name(self) -> str:
        """The subscription's."""
        return f"from_{self.peer.replace('-', '_')}"

    @property
    def slot(self) -> str:
        """The slot's, at the other region."""
        return f"{self.region.replace('-', '_')}_{self.name}"

    def source(self, *addresses: str) -> str:
        """How to connect to the one of these nodes of the other region that takes writes."""
        return (
            f"host={','.join(addresses)} port=5432 user=postgres dbname=testbed "
            f"target_session_attrs=read-write connect_timeout=5"
        )

    def connect(self) -> Connection:
        """A connection to that node as superuser, which ends when the link is cut.

        Raises:
            psycopg.OperationalError: It is out of reach, or none of them takes writes.
        """
        return psycopg.connect(
            self.source(*self.addresses),
            autocommit=True,
            connect_timeout=CONNECT_S_MAX,
            tcp_user_timeout=SILENT_MS_MAX,
            keepalives_idle=1,
            keepalives_interval=1,
            keepalives_count=5,
        )


def inbounds(settings: dict[str, Any]) -> list[Inbound]:
    """The ways from every other region, as ``mesh.json`` has them."""
    return [
        Inbound(
            settings["region"],
            peer,
            tuple(addresses),
            moves=len(addresses) > 1 or int(settings["own_nodes"]) > 1,
        )
        for peer, addresses in settings["peers"].items()
    ]


def one(connection: Connection, query: Any, *arguments: Any) -> Any:
    """The one value of a query; None without a row."""
    row = connection.execute(query, arguments).fetchone()
    return None if row is None else row[0]


def lost(local: Connection, way: Inbound) -> str | None:
    """Why a way must be made, or made anew; None when it is good.

    Args:
        local: To this node, as superuser.
        way: Which.

    Raises:
        psycopg.OperationalError: The other region is away, and it cannot be said.
    """
    enabled = one(local, "SELECT subenabled FROM pg_subscription WHERE subname = %s", way.name)
    if enabled is None:
        return "there is none yet"
    if not enabled:
        return "it was given up half-way"
    begun = local.execute("SELECT there, here FROM way WHERE name = %s", (way.name,)).fetchone()
    with way.connect() as remote:
        row = remote.execute(
            "SELECT coalesce(invalidation_reason, CASE wal_status WHEN 'lost' THEN 'lost' END) "
            "FROM pg_replication_slots WHERE slot_name = %s",
            (way.slot,),
        ).fetchone()
        now = (timeline(remote), timeline(local))
    if row is None:
        return f"its slot {way.slot} is gone"
    if row[0] is not None:
        return f"its slot {way.slot} is lost ({row[0]})"
    # A node that is alone has everything that it had, whatever its timeline.
    if way.moves and begun != now:
        return f"a standby was promoted since it began, in {way.peer} or in {way.region}"
    return None


def timeline(connection: Connection) -> int:
    """The timeline that a node writes: another one after each promotion."""
    query = "SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint"
    return int(one(connection, query))


@contextmanager
def connected(settings: dict[str, Any]) -> Iterator[Connection]:
    """A connection to this node as superuser, for as long as it is used."""
    with psycopg.connect(
        host=settings["socket"], user="postgres", dbname="testbed", autocommit=True
    ) as connection:
        yield connection


def until(what: str, holds: Callable[[], bool], limit_s: float) -> None:
    """Wait for something.

    Raises:
        SeedError: It did not come about in time.
    """
    deadline = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline:
            raise SeedError(f"waited {limit_s:.0f} s in vain for {what}")
        time.sleep(POLL_S)
