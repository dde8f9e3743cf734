"""What each operation of the workloads is in PostgreSQL's SQL.

Every operation is one autocommitted statement, so that its acknowledgement is the commit's.
Rows carry the run's number (``space``): a run never reads what an earlier one wrote.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

import asyncpg

from testbed.clients import postgres_position
from testbed.clients.personal_data_operations import PERSONAL_DATA
from testbed.clients.postgres_position import FORKS, POSITION, SEEN, SESSION_WRITE
from testbed.clients.protocol import Completion, Invocation
from testbed.history.history import REFUSED

Operation = Callable[[asyncpg.Connection, int, Invocation], Awaitable[Completion]]

_SCHEMA = """
create table if not exists set_element (
    space bigint not null, value bigint not null, primary key (space, value));
create table if not exists register (
    space bigint not null, key bigint not null, value bigint, primary key (space, key));
create table if not exists account (
    space bigint not null, id bigint not null, balance bigint not null, primary key (space, id));
create table if not exists mark (
    space bigint not null, number bigint not null, primary key (space, number));
create or replace function transfer(in_space bigint, source bigint, target bigint, amount bigint)
returns boolean language plpgsql as $body$
begin
    -- Locks are taken in the order of the identifiers: two transfers cannot deadlock.
    perform 1 from account where space = in_space and id in (source, target)
        order by id for update;
    update account set balance = balance - amount
        where space = in_space and id = source and balance >= amount;
    if not found then
        return false;
    end if;
    update account set balance = balance + amount where space = in_space and id = target;
    return true;
end $body$;
"""


_ITEMS = """
create table if not exists item (
    space bigint not null, key bigint not null, value bigint, primary key (space, key));
do $body$ begin
    -- A mesh has its own, which depends on its strategy.
    if to_regclass('item_seen') is null then
        create view item_seen as select space, key, value from item;
    end if;
end $body$;
"""


async def _schema(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    await connection.execute(_SCHEMA)
    return Completion("ok")


async def _items_schema(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    await connection.execute(_SCHEMA + _ITEMS)
    return Completion("ok")


async def _add(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    await connection.execute("insert into set_element values ($1, $2)", space, what.value)
    return Completion("ok")


async def _count(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    value = await connection.fetchval("select count(*) from set_element where space = $1", space)
    return Completion("ok", value=value)


async def _elements(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    rows = await connection.fetch(
        "select value from set_element where space = $1 order by value", space
    )
    return Completion("ok", value=[row[0] for row in rows])


async def _register_read(
    connection: asyncpg.Connection, space: int, what: Invocation
) -> Completion:
    value = await connection.fetchval(
        "select value from register where space = $1 and key = $2", space, what.key
    )
    return Completion("ok", value=value)


async def _register_write(
    connection: asyncpg.Connection, space: int, what: Invocation
) -> Completion:
    await connection.execute(
        "insert into register values ($1, $2, $3)"
        " on conflict (space, key) do update set value = excluded.value",
        space,
        what.key,
        what.value,
    )
    return Completion("ok")


async def _register_cas(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    old, new = what.value
    status = await connection.execute(
        "update register set value = $4 where space = $1 and key = $2 and value = $3",
        space,
        what.key,
        old,
        new,
    )
    if status == "UPDATE 1":
        return Completion("ok", value=what.value)
    return Completion("fail", error=f"{REFUSED}value differs")


async def _open_accounts(
    connection: asyncpg.Connection, space: int, what: Invocation
) -> Completion:
    await connection.execute(
        "insert into account select $1, id, $3 from generate_series(0, $2 - 1) as id"
        " on conflict do nothing",
        space,
        what.value["accounts"],
        what.value["balance"],
    )
    return Completion("ok")


async def _transfer(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    moved = await connection.fetchval(
        "select transfer($1, $2, $3, $4)",
        space,
        what.value["from"],
        what.value["to"],
        what.value["amount"],
    )
    if moved:
        return Completion("ok", value=what.value)
    return Completion("fail", error=f"{REFUSED}balance too small")


async def _balances(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    rows = await connection.fetch(
        "select id, balance from account where space = $1 order by id", space
    )
    return Completion("ok", value={str(row[0]): row[1] for row in rows})


async def _mark(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    await connection.execute(
        "insert into mark values ($1, $2) on conflict do nothing", space, what.value
    )
    return Completion("ok")


async def _marked(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    value = await connection.fetchval(
        "select exists (select 1 from mark where space = $1 and number = $2)", space, what.value
    )
    return Completion("ok", value=value)


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


_EVERY = {"schema": _schema, "mark": _mark, "marked": _marked}

OPERATIONS: Mapping[str, Mapping[str, Operation]] = MappingProxyType(
    {
        "set": {**_EVERY, "add": _add, "count": _count, "read": _elements},
        "register": {
            **_EVERY,
            "read": _register_read,
            "read-replica": _register_read,
            "write": _register_write,
            "cas": _register_cas,
        },
        "bank": {
            **_EVERY,
            "open-accounts": _open_accounts,
            "transfer": _transfer,
            "read": _balances,
            "read-replica": _balances,
        },
        # Of a mesh, whose strategy says what is in these tables.
        "items": {
            **_EVERY,
            "write": _item_write,
            "delete": _item_delete,
            "hand-over": _hand_over,
            "take-over": _take_over,
            "read": _item_read,
            "row": _item_read,
        },
        "elements": {
            **_EVERY,
            "include": _include,
            "exclude": _exclude,
            "read": _member,
            "member": _member,
        },
        "sessions": {
            **_EVERY,
            "schema": _items_schema,
            "write": _item_write,
            "pulse": _item_write,
            "watch": _watch,
            "bulk": _bulk,
            "read": _item_read,
            "row": _item_read,
        },
        "counters": {
            **_EVERY,
            "increment": _increment,
            "hand-over": _hand_over,
            "read": _total,
            "total": _total,
        },
        # Of a deployment with a placement policy, which makes these tables.
        "personal_data": {**_EVERY, **PERSONAL_DATA},
    }
)
"""Workload -> function name of an invocation -> the statement that performs it."""

_OF_CLUSTER: Mapping[str, Operation] = MappingProxyType(
    {
        POSITION: postgres_position.position_of_cluster,
        SEEN: postgres_position.seen_in_cluster,
        FORKS: postgres_position.forks_of_cluster,
        SESSION_WRITE: postgres_position.written_in_cluster,
    }
)

OPERATIONS_OF: Mapping[str, Mapping[str, Operation]] = MappingProxyType(
    {
        "postgres": _OF_CLUSTER,
        "mesh": {
            POSITION: postgres_position.position_of_mesh,
            SEEN: postgres_position.seen_in_mesh,
        },
        # Within a jurisdiction.
        "placement": _OF_CLUSTER,
    }
)
"""System -> what a session asks of a node, whatever the workload."""
