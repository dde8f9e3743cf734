"""How far a PostgreSQL node is, asked so that the answer can be trusted.

Of a standby: what it has replayed can be read there; what it has received bounds what a read has
shown, as replay never overtakes it. Of a primary: all of its log but the transactions that have
not ended, such as those that wait for a standby, which may show them sooner. One whose backend
waits for its client or a lock, or sleeps, has not committed, so that nobody can have seen it: it
does not count, or one transaction that stays open would keep every session from reading at the
primary. Of a node in a mesh: the progress of each stream that it applies. An apply worker moves
its progress a moment before its transaction becomes visible; so the progress counts only if, asked
afterwards, no worker is inside a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import orjson

from testbed.clients.position import CLUSTER, Place, Standing
from testbed.clients.protocol import Completion, Invocation

POSITION = "position"
"""Asks a node how far it is; the value is what ``standing_of`` reads."""

SEEN = "read-seen"
"""Reads a key, and asks how far the node was when it had been read."""

FORKS = "forks"
"""Asks a node where its timeline's ancestors were left; the value has each one's last place."""

SESSION_WRITE = "write-placed"
"""Writes a key; the value is a place in the log before that of the commit."""

OF_CLUSTER = """
    not pg_is_in_recovery() as "primary",
    case when pg_is_in_recovery() then pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')
        else pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') end::bigint as held,
    case when pg_is_in_recovery() then greatest(
            pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0'),
            pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'))
        else pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') end::bigint as shown,
    case when pg_is_in_recovery() then greatest(
            (select received_tli from pg_stat_wal_receiver),
            (select timeline_id from pg_control_checkpoint()))
        else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end as timeline,
    coalesce(
        (select min(id::text::bigint) from pg_snapshot_xip(pg_current_snapshot()) as id
            where not exists (select from pg_stat_activity where backend_xid = id::xid
                and (wait_event_type in ('Client', 'Lock') or wait_event = 'PgSleep'))),
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint) as finished,
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint as begun
"""

# The target list is evaluated from left to right: progress first, then whether it is visible.
OF_MESH = """
    not pg_is_in_recovery() as "primary",
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint as held,
    (select json_object_agg(s.subname, pg_wal_lsn_diff(o.remote_lsn, '0/0')::bigint)::text
        from pg_subscription s join pg_replication_origin_status o
        on o.external_id = 'pg_' || s.oid) as streams,
    not exists (select from pg_stat_activity
        where backend_type = 'logical replication apply worker'
        and backend_xid is not null) as settled
"""

_VALUE = "select (select value from item_seen where space = $1 and key = $2) as value,"


async def position_of_cluster(
    connection: asyncpg.Connection, space: int, what: Invocation
) -> Completion:
    """How far a node of a cluster with one primary is."""
    return Completion("ok", value=dict(await connection.fetchrow(f"select {OF_CLUSTER}")))


async def position_of_mesh(
    connection: asyncpg.Connection, space: int, what: Invocation
) -> Completion:
    """How far a node of a mesh is."""
    return Completion("ok", value=dict(await connection.fetchrow(f"select {OF_MESH}")))


async def forks_of_cluster(
    connection: asyncpg.Connection, space: int, what: Invocation
) -> Completion:
    """Bytes of log at the end of each timeline that a node's own one came from."""
    text = await connection.fetchval("select timeline_history($1)", what.value)
    return Completion("ok", value=forks(text or ""))


def forks(history: str) -> dict[int, int]:
    """A timeline history file: the end of each ancestor, in bytes, by its number."""
    found = {}
    for line in history.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0].isdigit():
            high, _, low = words[1].partition("/")
            found[int(words[0])] = (int(high, 16) << 32) + int(low, 16)
    return found


async def written_in_cluster(
    connection: asyncpg.Connection, space: int, what: Invocation
) -> Completion:
    """Write a key. The statement sees the log as it is before its own commit is in it."""
    place = await connection.fetchval(
        "insert into item (space, key, value) values ($1, $2, $3)"
        " on conflict (space, key) do update set value = excluded.value"
        " returning pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint",
        space,
        what.key,
        what.value,
    )
    return Completion("ok", value=place)


async def seen_in_cluster(
    connection: asyncpg.Connection, space: int, what: Invocation
) -> Completion:
    """A key's value at a node of a cluster, and how far the node is."""
    row = await connection.fetchrow(f"{_VALUE} {OF_CLUSTER}", space, what.key)
    return Completion("ok", value=dict(row))


async def seen_in_mesh(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    """A key's value at a node of a mesh, and how far the node is."""
    row = await connection.fetchrow(f"{_VALUE} {OF_MESH}", space, what.key)
    return Completion("ok", value=dict(row))


def standing_of(row: Mapping[str, Any], region: str, regions: Sequence[str]) -> Standing:
    """How far a node is, from what it answered.

    Args:
        row: The value of a ``POSITION`` or ``SEEN``.
        region: The node's region.
        regions: All regions, for the names of a mesh's streams.
    """
    if "streams" not in row:
        timeline = int(row["timeline"] or 0)
        held, shown = Place(timeline, row["held"] or 0), Place(timeline, row["shown"] or 0)
        if row["primary"]:
            return Standing({CLUSTER: held}, {CLUSTER: shown}, True, finished=row["finished"])
        return Standing({CLUSTER: held}, {CLUSTER: shown}, False, begun=row["begun"])
    streams = orjson.loads(row["streams"] or "{}")
    names = {f"from_{name.replace('-', '_')}": name for name in regions}
    shown_there = {
        names[stream]: Place(0, lsn)
        for stream, lsn in streams.items()
        if stream in names and lsn is not None
    }
    own = {region: Place(0, row["held"])}
    held_there = shown_there if row["settled"] else {}
    return Standing({**held_there, **own}, {**shown_there, **own}, bool(row["primary"]))
