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
from testbed.clients.postgres_schema import SCHEMA
from testbed.clients.protocol import Completion, Invocation
from testbed.clients.row_operations import ROW_OPERATIONS
from testbed.history.history import REFUSED

Operation = Callable[[asyncpg.Connection, int, Invocation], Awaitable[Completion]]


async def _schema(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    await connection.execute(SCHEMA)
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
        **{name: {**_EVERY, **of} for name, of in ROW_OPERATIONS.items()},
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
