"""The way of another jurisdiction's changes to this one, and whether it is good."""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

POLL_S = 0.1
CONNECT_S_MAX = 5
APPLICATION = "placement_seed"
"""How this jurisdiction names itself where it reads another one's rows."""
SILENT_MS_MAX = 5000
"""For how long a question may stay unacknowledged before the link counts as cut."""

Connection = psycopg.Connection[Any]


class PlacementError(Exception):
    """Something cannot be brought about, or was not in time; the message says what."""


@dataclass(frozen=True)
class Way:
    """The way of another jurisdiction's changes to this one.

    Args:
        jurisdiction: This one.
        peer: The other one.
        addresses: Of the other one's servers, of which one takes writes.
        publication: What of the other one is read.
    """

    jurisdiction: str
    peer: str
    addresses: tuple[str, ...]
    publication: str

    @property
    def name(self) -> str:
        """The subscription's."""
        return f"from_{as_name(self.peer)}"

    @property
    def slot(self) -> str:
        """The slot's, at the other jurisdiction."""
        return f"placement_{as_name(self.jurisdiction)}"

    @property
    def source(self) -> str:
        """How to connect to the one of the other jurisdiction's servers that takes writes.

        At random, as the wan accepts a connection to a server that is gone, and then closes it:
        libpq takes that for an answer, and asks no other.
        """
        return (
            f"host={','.join(self.addresses)} port=5432 user=postgres dbname=testbed "
            f"target_session_attrs=read-write load_balance_hosts=random connect_timeout=5"
        )

    def connect(self, host: str = "", **others: str) -> Connection:
        """A connection to that server as superuser, which ends when the link is cut.

        Args:
            host: That server and no other; empty for whichever takes writes.
            others: More of libpq's parameters.

        Raises:
            psycopg.OperationalError: It is out of reach, or none of them takes writes.
        """
        return psycopg.connect(
            self.source,
            autocommit=True,
            host=host or ",".join(self.addresses),
            application_name=APPLICATION,
            connect_timeout=CONNECT_S_MAX,
            tcp_user_timeout=SILENT_MS_MAX,
            keepalives_idle=1,
            keepalives_interval=1,
            keepalives_count=5,
            **others,
        )


def ways(settings: dict[str, Any]) -> list[Way]:
    """The ways from every other jurisdiction, as ``placement.json`` has them."""
    part = settings["part"]
    return [
        Way(part["jurisdiction"], peer, tuple(addresses), settings["publication"])
        for peer, addresses in part["peers"].items()
    ]


def lost(local: Connection, way: Way) -> str | None:
    """Why a way must be made, or made anew; None when it is good.

    Args:
        local: To this server, as superuser.
        way: Which.

    Raises:
        psycopg.OperationalError: The other jurisdiction is away, and it cannot be said.
    """
    row = local.execute(
        "SELECT subenabled, subpublications FROM pg_subscription WHERE subname = %s", (way.name,)
    ).fetchone()
    if row is None:
        return "there is none yet"
    if not row[0]:
        return "it was given up half-way"
    if row[1] != [way.publication]:
        return f"it reads {', '.join(row[1])}, which is of another policy"
    with way.connect() as remote:
        slot = remote.execute(
            "SELECT coalesce(invalidation_reason, CASE wal_status WHEN 'lost' THEN 'lost' END) "
            "FROM pg_replication_slots WHERE slot_name = %s",
            (way.slot,),
        ).fetchone()
    if slot is None:
        return f"its slot {way.slot} is gone"
    if slot[0] is not None:
        return f"its slot {way.slot} is lost ({slot[0]})"
    return None


def one(connection: Connection, query: Any, *arguments: Any) -> Any:
    """The one value of a query; None without a row."""
    row = connection.execute(query, arguments).fetchone()
    return None if row is None else row[0]


def listed(names: list[str], of: str = "") -> sql.Composed:
    """Names with commas between them, each of a table if one is named."""
    parts = [sql.Identifier(*((of, name) if of else (name,))) for name in names]
    return sql.SQL(", ").join(parts)


def as_name(jurisdiction: str) -> str:
    """A jurisdiction's name as part of a slot's name."""
    return jurisdiction.lower().replace("-", "_")


@contextmanager
def connected(settings: dict[str, Any]) -> Iterator[Connection]:
    """A connection to this server as superuser, for as long as it is used."""
    with psycopg.connect(
        host=settings["socket"], user="postgres", dbname="testbed", autocommit=True
    ) as connection:
        yield connection


def until(what: str, holds: Callable[[], bool], limit_s: float) -> None:
    """Wait for something.

    Raises:
        PlacementError: It did not come about in time.
    """
    deadline = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline:
            raise PlacementError(f"waited {limit_s:.0f} s in vain for {what}")
        time.sleep(POLL_S)
