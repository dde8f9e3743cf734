"""What each operation of the workload ``personal_data`` is in PostgreSQL's SQL.

Rows and their columns come with the operation; names of tables and columns are the workload's own
plain words. Keys carry the run's number (``space``): a run never meets the rows of an earlier one.
"""

from __future__ import annotations

import decimal
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

import asyncpg

from testbed.clients.protocol import Completion, Invocation

SPACE_SIZE = 1_000_000
"""Keys of one run."""

LARGE = " ".join(str(number) for number in range(6000))
"""About 29 kB that compress well: with it a value is stored out of line and compressed."""

_TYPES: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "pseudonym": uuid.UUID,
        "national_id": uuid.UUID,
        "credit": decimal.Decimal,
        "amount": decimal.Decimal,
        "price": decimal.Decimal,
        "photo": bytes.fromhex,
        "profile": json.dumps,
    }
)
_UNDONE = "undone"
MANY_ROWS = 600
UNDECIDED_S = 0.5
# Rows by numbers that nobody else has.
_MANY = """
insert into customers (id, residency, notes)
select -(random() * 4e18)::bigint, $1, $2 || n from generate_series(1, $3::int) n
"""


def typed(columns: Mapping[str, Any], space: int) -> dict[str, Any]:
    """Columns as the driver takes them, from plain JSON."""
    found = {name: _TYPES.get(name, lambda value: value)(value) for name, value in columns.items()}
    if "id" in found:
        found["id"] = key_of(space, found["id"])
    return found


def key_of(space: int, identity: int) -> int:
    """The key of a row in one run."""
    return space * SPACE_SIZE + identity


async def _insert(connection: asyncpg.Connection, space: int, row: Mapping[str, Any]) -> None:
    columns = typed(row["columns"], space)
    names = ", ".join(columns)
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    await connection.execute(
        f"insert into {row['table']} ({names}) values ({places})",  # noqa: S608 - our own words
        *columns.values(),
    )


async def _insert_all(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    async with connection.transaction():
        for row in what.value["rows"]:
            await _insert(connection, space, row)
    return Completion("ok")


async def _copy(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    rows = [typed(row["columns"], space) for row in what.value["rows"]]
    await connection.copy_records_to_table(
        what.value["rows"][0]["table"],
        columns=list(rows[0]),
        records=[tuple(row.values()) for row in rows],
    )
    return Completion("ok")


async def _update(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    (row,) = what.value["rows"]
    columns, key = typed(row["columns"], space), typed(row["key"], space)
    if what.f == "enlarge":
        columns["notes"] = f"{columns['notes']} {LARGE}"
    first = len(columns) + 1
    wanted = ", ".join(f"{name} = ${number}" for number, name in enumerate(columns, 1))
    where = " and ".join(f"{name} = ${number}" for number, name in enumerate(key, first))
    status = await connection.execute(
        f"update {row['table']} set {wanted} where {where}",  # noqa: S608 - our own words
        *columns.values(),
        *key.values(),
    )
    return Completion("ok", value=int(status.split()[-1]))


async def _delete(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    deleted = 0
    async with connection.transaction():
        for row in what.value["rows"]:
            key = typed(row["key"], space)
            where = " and ".join(f"{name} = ${number}" for number, name in enumerate(key, 1))
            status = await connection.execute(
                f"delete from {row['table']} where {where}",  # noqa: S608 - our own words
                *key.values(),
            )
            deleted += int(status.split()[-1])
    return Completion("ok", value=deleted)


async def _undo(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    """A transaction that is larger than decoding's memory, and is given up after a while."""
    transaction = connection.transaction()
    await transaction.start()
    for row in what.value["rows"]:
        # What fails here ends the connection's transaction by itself.
        await _insert(connection, space, row)
    first = what.value["rows"][0]["columns"]
    await connection.execute(_MANY, first["residency"], first["notes"], MANY_ROWS)
    # It is decoded as far as it was written to the log; one that has ended is not sent any more.
    await connection.execute("select pg_sleep($1)", UNDECIDED_S)
    await transaction.rollback()
    return Completion("ok", value=_UNDONE)


async def _mistake(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    """A text where a number belongs, and a row without a key: the server's messages name them."""
    (row,) = what.value["rows"]
    ((name, token),) = row["columns"].items()
    try:
        # Tokens are letters and digits; as a literal it is in the statement's text as well.
        await connection.execute(
            f"insert into {row['table']} (id, residency, {name}) "  # noqa: S608 - our own words
            f"values ({key_of(space, what.key)}, 'ANY', '{token}')"
        )
        return Completion("fail", error="a text was taken for a number")
    except asyncpg.InvalidTextRepresentationError as error:
        said = [error.sqlstate]
    try:
        await connection.execute(
            f"insert into {row['table']} (residency, full_name) values ('ANY', $1)",  # noqa: S608
            token,
        )
    except asyncpg.NotNullViolationError as error:
        return Completion("ok", value=[*said, error.sqlstate])
    return Completion("fail", error="a row without a key was taken")


async def _sort(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    """Looks for a name by a literal, in a script and by a prepared statement; sorts it on disk.

    The statistics of statements keep the text of a script with its literals.
    """
    (row,) = what.value["rows"]
    ((name, token),) = row["key"].items()
    await connection.fetch(
        f"select id from {row['table']} where {name} = '{token}'"  # noqa: S608 - our own words
    )
    await connection.execute(
        f"do $do$ begin perform id from {row['table']} where {name} = '{token}'; end $do$"
    )
    prepared = await connection.prepare(
        f"select count(*) from {row['table']} where {name} = $1"  # noqa: S608 - our own words
    )
    await prepared.fetchval(token)
    async with connection.transaction():
        await connection.execute("set local work_mem = '64kB'")
        found = await connection.fetchval(
            "select count(*) from (select $1 || n as t from generate_series(1, 4000) n"
            " order by t desc offset 0) s",
            token,
        )
    return Completion("ok", value=found)


async def _rows(connection: asyncpg.Connection, space: int, what: Invocation) -> Completion:
    found = await connection.fetch(
        "select residency, count(*) from customers where id >= $1 and id < $2 group by residency",
        key_of(space, 0),
        key_of(space + 1, 0),
    )
    return Completion("ok", value={row[0]: row[1] for row in found})


PERSONAL_DATA: Mapping[
    str, Callable[[asyncpg.Connection, int, Invocation], Awaitable[Completion]]
] = MappingProxyType(
    {
        "register": _insert_all,
        "publish": _insert_all,
        "arrive": _insert_all,
        "misplace": _insert_all,
        "import": _copy,
        "change": _update,
        "enlarge": _update,
        "reclassify": _update,
        "forget": _delete,
        "depart": _delete,
        "undo": _undo,
        "mistake": _mistake,
        "sort": _sort,
        "rows": _rows,
    }
)
"""Function name of an invocation -> the statements that perform it."""
