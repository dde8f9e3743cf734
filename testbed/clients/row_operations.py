"""What operations on rows are in PostgreSQL's SQL: items, counters, elements and sessions.

In a mesh they are the tables and functions of its conflict resolution; a single cluster has items
of its own, for sessions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

import asyncpg

from testbed.clients.postgres_schema import ITEMS, SCHEMA
from testbed.clients.protocol import Completion, Invocation


async def _items_schema(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    await connection.execute(SCHEMA + ITEMS)
    return Completion("ok")


async def _item_write(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    await connection.execute(
        "insert into item (space, key, value) values ($1, $2, $3)"
        " on conflict (space, key) do update set value = excluded.value",
        space,
        what.key,
        what.value,
    )
    return Completion("ok")


async def _item_delete(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    await connection.execute("delete from item where space = $1 and key = $2", space, what.key)
    return Completion("ok")


async def _item_read(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    value = await connection.fetchval(
        "select value from item_seen where space = $1 and key = $2", space, what.key
    )
    return Completion("ok", value=value)


async def _watch(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    rows = await connection.fetch(
        "select key, value from item_seen where space = $1 and key >= 1000000 order by key", space
    )
    return Completion("ok", value={str(row[0]): row[1] for row in rows})


async def _bulk(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    number, rows, open_ms = what.value
    # Spaces of its own: no run's elements are among them.
    await connection.execute(
        "with added as (insert into set_element select -$1::bigint, $2::bigint * 1000000 + row"
        " from generate_series(1, greatest($3::bigint, 1)) as row returning 1)"
        " select pg_sleep($4::float8 / 1000) from (select count(*) from added) as written",
        space,
        number,
        rows,
        open_ms,
    )
    return Completion("ok", value=what.value)


async def _increment(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    await connection.execute("select increment($1, $2, $3)", space, what.key, what.value)
    return Completion("ok")


async def _total(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    value = await connection.fetchval(
        "select coalesce((select n from counter_seen where space = $1 and key = $2), 0)",
        space,
        what.key,
    )
    return Completion("ok", value=value)


async def _hand_over(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    await connection.execute("select hand_over($1, $2, $3)", space, what.key, what.value)
    return Completion("ok")


async def _take_over(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    await connection.execute("select take_over($1, $2)", space, what.key)
    return Completion("ok")


async def _include(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    await connection.execute("select include($1, $2)", space, what.key)
    return Completion("ok")


async def _exclude(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    await connection.execute("select exclude($1, $2)", space, what.key)
    return Completion("ok")


async def _member(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    value = await connection.fetchval(
        "select exists (select from element_seen where space = $1 and value = $2)", space, what.key
    )
    return Completion("ok", value=value)


ROW_OPERATIONS: Mapping[
    str, Mapping[str, Callable[[asyncpg.Connection, int, Invocation], Awaitable[Completion]]]
] = MappingProxyType(
    {
        "items": {
            "write": _item_write,
            "delete": _item_delete,
            "hand-over": _hand_over,
            "take-over": _take_over,
            "read": _item_read,
            "row": _item_read,
        },
        "elements": {
            "include": _include,
            "exclude": _exclude,
            "read": _member,
            "member": _member,
        },
        "sessions": {
            "schema": _items_schema,
            "write": _item_write,
            "pulse": _item_write,
            "watch": _watch,
            "bulk": _bulk,
            "read": _item_read,
            "row": _item_read,
        },
        "counters": {
            "increment": _increment,
            "hand-over": _hand_over,
            "read": _total,
            "total": _total,
        },
    }
)
"""Workload -> function name of an invocation -> the statement that performs it."""
