"""Brings another region's changes to this node: from the first time on, and again after a loss.

A region is seeded in one way, whether the mesh is new, the region joins one that lives, or its slot
was lost:

1. a slot is made at the other region: it keeps what is committed from here on;
2. the other region's rows are read, which has what was committed before, and merged here as what
   arrives by a stream is: what is there already is the same again;
3. the subscription begins at the slot.

So no row is missed and none is there twice, and nobody stops writing. Strategies whose tables
cannot be merged are refused, where there is something to merge.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from mesh_way import Connection, Inbound, SeedError, connected, lost, one, timeline, until
from psycopg import sql

PEER_S_MAX = 60.0
BATCH_ROWS = 500
SEED_ORIGIN = "mesh_seed"
"""The origin of rows that are merged here for this region alone: no subscription asks for it."""


def digest_of(settings: dict[str, Any]) -> str:
    """What the tables of this mesh are known by."""
    return hashlib.sha256(Path(settings["schema"]).read_bytes()).hexdigest()


def published(settings: dict[str, Any]) -> list[str]:
    """The publications that there are: those with tables."""
    return [name for name, wanted in settings["publications"].items() if wanted["tables"]]


def seed(settings: dict[str, Any], way: Inbound) -> int | None:
    """Make a way, or make it anew.

    Args:
        settings: As ``mesh.json`` has them.
        way: Which.

    Returns:
        How many rows were read from the other region; None when somebody else just did it.

    Raises:
        SeedError: The other region does not know this one, or its rows cannot be merged.
        psycopg.Error: One of the two went away; the next try begins anew.
    """
    with connected(settings) as local:
        # One at a time on a node: the keeper may do it while the playbook is played.
        local.execute("SELECT pg_advisory_lock(hashtext('mesh seed'))")
        reason = lost(local, way)
        if reason is None:
            return None
        await_peer(settings, way)
        with way.connect() as remote:
            refuse_unmerged(settings, way, local, remote, reason)
            disable(local, way)
            replace_slot(remote, way)
            await_visible(remote)
            rows = merge_rows(settings, remote)
            subscribe(settings, local, way, remote)
    return rows


def await_peer(settings: dict[str, Any], way: Inbound) -> None:
    """Wait until the other region publishes, and knows of this one.

    It must forget no deleted row any more that this region has not seen.

    Raises:
        SeedError: It did not in time, or its tables are others.
    """
    wanted = digest_of(settings)

    def ready() -> bool:
        try:
            with way.connect() as remote:
                present = one(remote, "SELECT current_setting('mesh.schema', true)")
                if not present:
                    return False
                if present != wanted:
                    raise SeedError(
                        f"{way.peer} was made for another conflict resolution or another version "
                        f"of the tables than {way.region}: a mesh has one of them everywhere"
                    )
                names = {row[0] for row in remote.execute("SELECT pubname FROM pg_publication")}
                knows = one(remote, "SELECT 1 FROM member WHERE region = %s", way.region)
                return names >= set(published(settings)) and knows is not None
        except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
            return False

    until(
        f"{way.peer} to publish and to know of {way.region}; play the playbook on every region",
        ready,
        PEER_S_MAX,
    )


def refuse_unmerged(
    settings: dict[str, Any], way: Inbound, local: Connection, remote: Connection, reason: str
) -> None:
    """Refuse what would leave a hole: tables whose rows cannot be merged, and that have rows.

    Raises:
        SeedError: There are such rows.
    """
    for table in settings["unmerged"]:
        query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table))
        if one(remote, query) or one(local, query):
            raise SeedError(
                f"{way.name}: {reason}, and the rows of {table} cannot be merged under this "
                f"conflict_resolution: what {way.peer} wrote meanwhile would be missing in "
                f"{way.region} for ever. End this world and make a new one, or choose a strategy "
                f"with a change log"
            )


def disable(local: Connection, way: Inbound) -> None:
    """Stop what is left of a way, so that nothing of it is merged before the rows are."""
    if one(local, "SELECT 1 FROM pg_subscription WHERE subname = %s", way.name) is not None:
        name = sql.Identifier(way.name)
        local.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(name))
        # The old slot is replaced, and may be out of reach.
        local.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(name))


def subscribe(
    settings: dict[str, Any], local: Connection, way: Inbound, remote: Connection
) -> None:
    """A new subscription at the slot, in place of the stopped one.

    To that node alone: when another one is promoted, the region is seeded again anyway, and libpq
    asks no second node where a proxy accepts a connection to a dead one and then closes it.

    copy_data: the rows are here; origin: what came from elsewhere is not sent on; failover: a
    standby of the other region keeps the slot for the day it is promoted.
    """
    name = sql.Identifier(way.name)
    made = sql.SQL(
        "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} WITH (slot_name = {}, "
        "create_slot = false, copy_data = false, origin = none, failover = true)"
    ).format(
        name,
        sql.Literal(way.source(remote.info.host)),
        sql.SQL(", ").join(map(sql.Identifier, published(settings))),
        sql.Literal(way.slot),
    )
    there, here = timeline(remote), timeline(local)
    with local.transaction():
        local.execute("DELETE FROM way WHERE name = %s", (way.name,))
        local.execute("INSERT INTO way VALUES (%s, %s, %s)", (way.name, there, here))
        local.execute(sql.SQL("DROP SUBSCRIPTION IF EXISTS {}").format(name))
        local.execute(made)


def replace_slot(remote: Connection, way: Inbound) -> None:
    """A new logical slot at the other region, instead of one that is left from before.

    Not left to CREATE SUBSCRIPTION: a slot waits for the end of every transaction on the publisher,
    and where that one just creates a subscription here, both would wait for ever.
    """

    def free() -> bool:
        query = "SELECT active_pid FROM pg_replication_slots WHERE slot_name = %s"
        return one(remote, query, way.slot) is None

    until(f"the slot {way.slot} to be let go", free, PEER_S_MAX)
    remote.execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
        (way.slot,),
    )
    # Patroni drops idle slots that it does not know, but for those that fail over.
    remote.execute(
        "SELECT pg_create_logical_replication_slot(%s, 'pgoutput', failover => true)", (way.slot,)
    )


def await_visible(remote: Connection) -> None:
    """Wait for the end of every transaction that has begun at the other region.

    One that waits for a standby may have its commit in the log before the slot, and not be seen yet
    by who reads the rows.
    """
    begun = one(remote, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")

    def ended() -> bool:
        query = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= %s"
        return bool(one(remote, query, begun))

    until("the end of the transactions that run at the other region", ended, PEER_S_MAX)


def merge_rows(settings: dict[str, Any], remote: Connection) -> int:
    """Read another region's rows and merge them here alone; how many there were."""
    rows = 0
    with connected(settings) as local:
        begin_local_changes(local, SEED_ORIGIN)
        for table, into in settings["seeds"].items():
            home = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(into))
            for some in batches(remote, table):
                with local.cursor().copy(home) as target:
                    for row in some:
                        target.write(row)
                rows += len(some)
    return rows


def batches(remote: Connection, table: str) -> Iterator[list[bytes]]:
    """The rows of a table as COPY gives them, some at a time.

    A merged row stays locked until its batch is done, and the region's clients go on writing.
    """
    some: list[bytes] = []
    out = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
    with remote.cursor().copy(out) as source:
        for row in source:
            some.append(bytes(row))
            if len(some) == BATCH_ROWS:
                yield some
                some = []
    if some:
        yield some


def begin_local_changes(local: Connection, origin: str) -> None:
    """Make what the session changes arrive as from a stream: merged here, and sent nowhere.

    Args:
        local: To this node, as superuser.
        origin: Where the changes come from; one session at a time may say so.
    """
    if one(local, "SELECT pg_replication_origin_oid(%s)", origin) is None:
        local.execute("SELECT pg_replication_origin_create(%s)", (origin,))
    local.execute("SELECT pg_replication_origin_session_setup(%s)", (origin,))
    local.execute("SET session_replication_role = replica")
