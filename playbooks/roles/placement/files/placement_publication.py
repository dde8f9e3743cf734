"""What a jurisdiction's primary publishes: what the policy lets cross, and nothing else.

The publication's name is that of the policy's version, and subscribers ask for it by name. So a
server whose filters are older than the policy, such as a standby that was behind and took over, has
not what is asked for, and sends nothing until its keeper has published anew. What was not sent
meanwhile no slot has: the slots are dropped, and subscribers are seeded again.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

from typing import Any

from placement_way import Connection, one, until
from psycopg import sql

MARK = {"table": "mark", "columns": [], "row_filter": ""}
"""The testbed's own table, which every server gets."""
FREED_S_MAX = 20.0

_PUBLISHED = """
SELECT tablename, attnames::text[], coalesce(rowfilter, '') FROM pg_publication_tables
WHERE pubname = %s ORDER BY 1
"""
_OTHERS = r"SELECT pubname FROM pg_publication WHERE pubname LIKE 'placement%%' AND pubname <> %s"
_OWN_SLOTS = "slot_type = 'logical' AND NOT temporary AND slot_name LIKE 'placement\\_%'"


def stale(connection: Connection, settings: dict[str, Any]) -> list[str] | None:
    """Which publications must be replaced, perhaps none; None where all is as the policy has it.

    Args:
        connection: To this server, as superuser.
        settings: As ``placement.json`` has them.
    """
    name = settings["publication"]
    wanted = sorted(
        (table["table"], _columns(settings, table), _filtered(table)) for table in _every(settings)
    )
    present = [
        (table, frozenset(columns), condition)
        for table, columns, condition in connection.execute(_PUBLISHED, (name,)).fetchall()
    ]
    others = [row[0] for row in connection.execute(_OTHERS, (name,)).fetchall()]
    if present == wanted and not others:
        return None
    return [*others, *([name] if present else [])]


def publish(connection: Connection, settings: dict[str, Any]) -> list[str] | None:
    """Publish what may cross and nothing else; as ``stale`` says what was not so before.

    Args:
        connection: To this server, a primary, as superuser.
        settings: As ``placement.json`` has them.

    Raises:
        PlacementError: Who reads what was published before does not let it go.
    """
    # The keeper may do it while the playbook is played.
    connection.execute("SELECT pg_advisory_lock(hashtext('placement publication'))")
    try:
        replaced = stale(connection, settings)
        if replaced is not None:
            _replace(connection, settings, replaced)
        return replaced
    finally:
        connection.execute("SELECT pg_advisory_unlock(hashtext('placement publication'))")


def _replace(connection: Connection, settings: dict[str, Any], replaced: list[str]) -> None:
    name = sql.Identifier(settings["publication"])
    tables = sql.SQL(", ").join(_published(table) for table in _every(settings))
    # Truncation is not published: it heeds no row filter.
    made = sql.SQL("CREATE PUBLICATION {} FOR TABLE {} WITH (publish = 'insert,update,delete')")
    if replaced:
        # Before: who seeds itself from what is published anew must not lose its new slot.
        drop_slots(connection)
    with connection.transaction():
        for old in replaced:
            connection.execute(sql.SQL("DROP PUBLICATION {}").format(sql.Identifier(old)))
        connection.execute(made.format(name, tables))


def drop_slots(connection: Connection) -> list[str]:
    """Drop what is kept for other jurisdictions, so that each is seeded again; the slots' names."""
    query = f"SELECT slot_name FROM pg_replication_slots WHERE {_OWN_SLOTS}"  # noqa: S608
    names = [row[0] for row in connection.execute(query.encode()).fetchall()]
    for name in names:
        # Its reader comes again until there is none left to come to.
        def gone(name: str = name) -> bool:
            connection.execute(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                "WHERE slot_name = %s AND active",
                (name,),
            )
            connection.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                "WHERE slot_name = %s AND NOT active",
                (name,),
            )
            query = "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s"
            return one(connection, query, name) is None

        until(f"the slot {name} to be let go", gone, FREED_S_MAX)
    return names


def _every(settings: dict[str, Any]) -> list[dict[str, Any]]:
    return [*settings["part"]["publishes"], MARK]


def _columns(settings: dict[str, Any], table: dict[str, Any]) -> frozenset[str]:
    """The columns that are published of a table."""
    if table["columns"]:
        return frozenset(table["columns"])
    tables = {known["name"]: known["columns"] for known in settings["part"]["tables"]}
    return frozenset(tables.get(table["table"], ("space", "number")))


def _filtered(table: dict[str, Any]) -> str:
    """A row filter as PostgreSQL shows it."""
    parts = [f"({part}::text)" for part in table["row_filter"].split(" OR ") if part]
    return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})" if parts else ""


def _published(table: dict[str, Any]) -> sql.Composed:
    """A table in CREATE PUBLICATION."""
    columns = sql.SQL(", ").join(map(sql.Identifier, table["columns"]))
    named = sql.SQL(" ({})").format(columns) if table["columns"] else sql.SQL("")
    where = sql.SQL(f" WHERE ({table['row_filter']})" if table["row_filter"] else "")
    return sql.SQL("{}{}{}").format(sql.Identifier(table["table"]), named, where)
