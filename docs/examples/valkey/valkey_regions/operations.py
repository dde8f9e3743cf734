"""What each operation of the workloads ``set`` and ``register`` is in Valkey's commands.

Keys carry the run's number: a run never reads what an earlier one wrote.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from valkey.asyncio.connection import Connection

from testbed.clients.protocol import Completion, Invocation
from testbed.history.history import REFUSED
from valkey_regions.wire import ask

Operation = Callable[[Connection, int, Invocation], Awaitable[Completion]]

_CAS = """
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('set', KEYS[1], ARGV[2]) return 1 end
return 0
"""


async def _schema(connection: Connection, space: int, what: Invocation) -> Completion:
    return Completion("ok")


async def _add(connection: Connection, space: int, what: Invocation) -> Completion:
    await ask(connection, "SADD", f"{space}:set", what.value)
    return Completion("ok")


async def _count(connection: Connection, space: int, what: Invocation) -> Completion:
    return Completion("ok", value=await ask(connection, "SCARD", f"{space}:set"))


async def _elements(connection: Connection, space: int, what: Invocation) -> Completion:
    return Completion(
        "ok", value=sorted(map(int, await ask(connection, "SMEMBERS", f"{space}:set")))
    )


async def _read(connection: Connection, space: int, what: Invocation) -> Completion:
    value = await ask(connection, "GET", f"{space}:register:{what.key}")
    return Completion("ok", value=None if value is None else int(value))


async def _write(connection: Connection, space: int, what: Invocation) -> Completion:
    await ask(connection, "SET", f"{space}:register:{what.key}", what.value)
    return Completion("ok")


async def _cas(connection: Connection, space: int, what: Invocation) -> Completion:
    old, new = what.value
    if await ask(connection, "EVAL", _CAS, 1, f"{space}:register:{what.key}", old, new):
        return Completion("ok", value=what.value)
    return Completion("fail", error=f"{REFUSED}value differs")


async def _mark(connection: Connection, space: int, what: Invocation) -> Completion:
    await ask(connection, "SET", f"{space}:mark:{what.value}", 1)
    return Completion("ok")


async def _marked(connection: Connection, space: int, what: Invocation) -> Completion:
    return Completion(
        "ok", value=await ask(connection, "EXISTS", f"{space}:mark:{what.value}") == 1
    )


OPERATIONS: dict[str, dict[str, Operation]] = {
    "set": {"add": _add, "count": _count, "read": _elements},
    "register": {"read": _read, "read-replica": _read, "write": _write, "cas": _cas},
}
"""Workload -> function -> what performs it."""

EVERY: dict[str, Operation] = {"schema": _schema, "mark": _mark, "marked": _marked}
"""What every workload asks for."""

WRITES = frozenset({"add", "write", "cas", "mark"})
"""What is acknowledged only when the replicas that are asked for have it."""
