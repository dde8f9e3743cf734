"""Brings what another jurisdiction lets cross to this one: at first, and again after a loss.

1. a slot is made at the other jurisdiction, with a snapshot of the moment from which it keeps;
2. the rows of that snapshot are read, through the row filters and column lists of the publication,
   and only those that were written there: what came there from elsewhere comes from elsewhere;
3. here, in one transaction under the subscription's own origin, what came from there is made the
   same: gone is deleted, changed is updated, new is inserted, and a column that is not sent any
   more is emptied. What clients of this jurisdiction wrote is not touched;
4. the subscription goes on at the slot.

So no change is missed, none comes twice, and nobody stops writing. Whose a row is says the origin
of the transaction that wrote it, which PostgreSQL keeps (``track_commit_timestamp``).
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from placement_way import Connection, PlacementError, Way, connected, listed, lost, one, until
from psycopg import sql

FREED_S_MAX = 20.0

_ORIGIN = "coalesce((pg_xact_commit_timestamp_origin({}xmin)).roident, 0)"
_KEY = """
SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
WHERE i.indrelid = %s::regclass AND i.indisprimary AND a.attnum = ANY (i.indkey)
"""
_COLUMNS = """
SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""
_PUBLISHED = """
SELECT tablename, attnames::text[], rowfilter FROM pg_publication_tables WHERE pubname = %s
"""
_FOLLOWED = """
SELECT r.srrelid::regclass::text FROM pg_subscription_rel r
JOIN pg_subscription s ON s.oid = r.srsubid WHERE s.subname = %s
"""
_WORKERS = """
SELECT count(*) FROM pg_stat_subscription WHERE subname = %s AND pid IS NOT NULL
"""


@dataclass(frozen=True)
class Sent:
    """What is sent of a table."""

    table: str
    columns: list[str]
    row_filter: str | None


def seed(settings: dict[str, Any], way: Way, patience_s: float) -> int | None:
    """Make a way, or make it anew.

    Args:
        settings: As ``placement.json`` has them.
        way: Which.
        patience_s: How long to wait for the other jurisdiction to publish by this policy.

    Returns:
        How many rows were read from the other jurisdiction; None when somebody else just did it.

    Raises:
        PlacementError: The other jurisdiction does not publish by this policy, or not in time.
        psycopg.Error: One of the two went away; the next try begins anew.
    """
    # Before anything is held: who waits here may be of a policy that is just being changed.
    until(f"{way.peer} to publish {way.publication}", lambda: is_published(way), patience_s)
    with connected(settings) as local:
        # One at a time on a server: the keeper may do it while the playbook is played.
        local.execute("SELECT pg_advisory_lock(hashtext('placement seed'))")
        if lost(local, way) is None:
            return None
        stand_still(settings, local, way)
        with way.connect() as remote:
            free_slot(remote, way)
            # The snapshot lives until this connection is used again.
            with way.connect(remote.info.host, replication="database") as maker:
                point, snapshot = make_slot(maker, way)
                remote.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                remote.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
                return take_over(local, remote, way, point)


def is_published(way: Way) -> bool:
    """Whether a jurisdiction's primary answers and publishes by this policy."""
    try:
        with way.connect() as remote:
            query = "SELECT 1 FROM pg_publication WHERE pubname = %s"
            return one(remote, query, way.publication) is not None
    except psycopg.OperationalError:
        return False


def stand_still(settings: dict[str, Any], local: Connection, way: Way) -> None:
    """A subscription that reads nothing: a new one, or that which is left.

    It stays the same one for good, as its origin says which rows came by it.
    """
    name = sql.Identifier(way.name)
    if one(local, "SELECT 1 FROM pg_subscription WHERE subname = %s", way.name) is None:
        # origin: what came from elsewhere is not sent on; failover: the publisher's standbys keep
        # the slot as well, for the day on which one takes over.
        made = sql.SQL(
            "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} WITH (slot_name = NONE, "
            "create_slot = false, enabled = false, copy_data = false, origin = none, "
            "failover = true, streaming = {})"
        )
        publication, streaming = sql.Identifier(way.publication), settings["streaming"]
        source = sql.Literal(way.source)
        local.execute(made.format(name, source, publication, sql.Literal(streaming)))
        return
    local.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(name))
    # The old slot is replaced, and may be out of reach.
    local.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(name))

    def ended() -> bool:
        return one(local, _WORKERS, way.name) == 0

    until(f"the end of the workers of {way.name}", ended, FREED_S_MAX)


def free_slot(remote: Connection, way: Way) -> None:
    """Drop a slot that is left from before."""
    query = "SELECT active_pid FROM pg_replication_slots WHERE slot_name = %s"
    until(f"the slot {way.slot} to be let go", lambda: one(remote, query, way.slot) is None,
          FREED_S_MAX)  # fmt: skip
    remote.execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
        (way.slot,),
    )


def make_slot(maker: Connection, way: Way) -> tuple[str, sql.Literal]:
    """A new slot; from which position on it keeps changes, and the snapshot of what was before.

    Not left to CREATE SUBSCRIPTION: a slot waits for the end of every transaction on the publisher,
    and where that one just creates a subscription here, both would wait for ever.
    """
    made = sql.SQL(
        "CREATE_REPLICATION_SLOT {} LOGICAL pgoutput (SNAPSHOT 'export', FAILOVER true)"
    ).format(sql.Identifier(way.slot))
    row = maker.execute(made).fetchone()
    if row is None:
        raise PlacementError(f"{way.peer} said nothing of the slot {way.slot} that it made")
    return str(row[1]), sql.Literal(row[2])


def take_over(local: Connection, remote: Connection, way: Way, point: str) -> int:
    """Make what came from there the same as there, and go on at the slot; the rows there."""
    known = {row[0] for row in local.execute(_FOLLOWED, (way.name,)).fetchall()}
    sent = [Sent(*row) for row in remote.execute(_PUBLISHED, (way.publication,)).fetchall()]
    if not sent:
        raise PlacementError(f"{way.peer} does not publish {way.publication} any more")
    if new := sorted(_names(sent) - known):
        raise PlacementError(
            f"{way.peer} publishes {', '.join(new)}, which {way.name} was not made for: end this "
            f"world and make a new one"
        )
    query = "SELECT 'pg_' || oid FROM pg_subscription WHERE subname = %s"
    origin = one(local, query, way.name)
    # Backwards too: a standby that took over there may be behind.
    local.execute("SELECT pg_replication_origin_advance(%s, %s)", (origin, point))
    local.execute("SELECT pg_replication_origin_session_setup(%s)", (origin,))
    number = one(local, "SELECT pg_replication_origin_oid(%s)", origin)
    name = sql.Identifier(way.name)
    with local.transaction():
        local.execute("SELECT pg_replication_origin_xact_setup(%s, now())", (point,))
        # What arrives by a stream passes no triggers of clients either.
        local.execute("SET LOCAL session_replication_role = replica")
        # Of a table that is not published any more, nothing of theirs stays.
        gone = [Sent(name, _key(local, name), "false") for name in sorted(known - _names(sent))]
        rows = sum(make_same(local, remote, table, number) for table in (*sent, *gone))
        for change in ("SET (slot_name = {slot})", "SET PUBLICATION {read} WITH (refresh = false)",
                       "ENABLE"):  # fmt: skip
            statement = sql.SQL("ALTER SUBSCRIPTION {name} " + change)  # type: ignore[arg-type]
            slot, read = sql.Identifier(way.slot), sql.Identifier(way.publication)
            local.execute(statement.format(name=name, slot=slot, read=read))
    return rows


def _names(sent: list[Sent]) -> set[str]:
    return {table.table for table in sent}


def _key(local: Connection, table: str) -> list[str]:
    return [row[0] for row in local.execute(_KEY, (table,)).fetchall()]


def make_same(local: Connection, remote: Connection, sent: Sent, origin: int) -> int:
    """Make one table's rows that came from there the same as they are there; how many are there."""
    table, draft = sql.Identifier(sent.table), sql.Identifier(f"seed_{sent.table}")
    key = _key(local, sent.table)
    every = [row[0] for row in local.execute(_COLUMNS, (sent.table,)).fetchall()]
    rows = copy_rows(local, remote, sent, draft)
    same = sql.SQL("({}) = ({})").format(listed(key, sent.table), listed(key, f"seed_{sent.table}"))
    theirs = sql.SQL(_ORIGIN.format("{}.") + " = {}").format(table, sql.Literal(origin))
    parts: dict[str, sql.Composable] = {
        "table": table, "draft": draft, "same": same, "theirs": theirs,
        "columns": listed(sent.columns),
    }  # fmt: skip
    local.execute(
        sql.SQL(
            "DELETE FROM {table} WHERE {theirs} AND NOT EXISTS (SELECT FROM {draft} WHERE {same})"
        ).format(**parts)
    )
    if changing := [column for column in every if column not in key]:
        local.execute(updated(sent, changing, parts))
    local.execute(
        sql.SQL(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM {draft} ON CONFLICT DO NOTHING"
        ).format(**parts)
    )
    return rows


def updated(sent: Sent, changing: list[str], parts: dict[str, sql.Composable]) -> sql.Composed:
    """The statement that changes rows that came from there to what they are there."""
    # An empty column is what an insert by the stream leaves where nothing is sent.
    new = sql.SQL(", ").join(
        sql.Identifier(f"seed_{sent.table}", column) if column in sent.columns else sql.SQL("NULL")
        for column in changing
    )
    return sql.SQL(
        "UPDATE {table} SET ({set}) = ROW ({new}) FROM {draft} WHERE {same} AND {theirs} "
        "AND ROW ({old}) IS DISTINCT FROM ROW ({new})"
    ).format(**parts, set=listed(changing), new=new, old=listed(changing, sent.table))


def copy_rows(local: Connection, remote: Connection, sent: Sent, draft: sql.Identifier) -> int:
    """Copy what is sent of a table, and was written there, into a draft; how many rows."""
    parts = {"draft": draft, "columns": listed(sent.columns), "table": sql.Identifier(sent.table)}
    local.execute(
        sql.SQL(
            "CREATE TEMP TABLE {draft} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA"
        ).format(**parts)
    )
    own = sql.SQL(f"{_ORIGIN.format('')} = 0")  # type: ignore[arg-type]
    where = sql.SQL("{} AND {}").format(sql.SQL(sent.row_filter or "true"), own)  # type: ignore[arg-type]
    out = sql.SQL("COPY (SELECT {columns} FROM {table} WHERE {where}) TO STDOUT")
    home = sql.SQL("COPY {draft} FROM STDIN").format(**parts)
    rows = 0
    with (
        remote.cursor().copy(out.format(**parts, where=where)) as source,
        local.cursor().copy(home) as target,
    ):
        for row in source:
            target.write(row)
            rows += 1
    return rows
