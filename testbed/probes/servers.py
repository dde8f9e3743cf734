"""PostgreSQL servers asked past the wan as their superuser: what inspections do between runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable

import asyncpg

from testbed.clients.postgres import CONNECT_ERRORS
from testbed.clients.postgres_entry import NODE_PORT
from testbed.history.residency import Unsearchable
from testbed.topology.model import Node

_ANSWER_S = 20.0
_REPLAY_S = 15.0
_POLL_S = 0.05

_REPLAYED = "select pg_last_wal_replay_lsn() >= $1::text::pg_lsn"


@contextlib.asynccontextmanager
async def connected(node: Node, database: str = "postgres") -> AsyncIterator[asyncpg.Connection]:
    """A connection of the superuser to a node's own server.

    Raises:
        CONNECT_ERRORS: It does not answer.
    """
    connection = await asyncpg.connect(
        host=node.address,
        port=NODE_PORT,
        user="postgres",
        database=database,
        ssl=False,
        timeout=_ANSWER_S,
        command_timeout=_ANSWER_S,
    )
    try:
        yield connection
    finally:
        connection.terminate()


async def primaries(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Those nodes whose servers take writes now, in their order; one that is silent does not."""

    async def writable(node: Node) -> bool:
        with contextlib.suppress(*CONNECT_ERRORS):
            async with connected(node) as connection:
                return not await connection.fetchval("select pg_is_in_recovery()")
        return False

    several = tuple(nodes)
    answers = await asyncio.gather(*(writable(node) for node in several))
    return tuple(node for node, answer in zip(several, answers, strict=True) if answer)


async def flush(nodes: Iterable[Node]) -> list[Unsearchable]:
    """Make every server write to its files what it holds in memory.

    Primaries come first: a standby writes its memory out only at a checkpoint of its primary's that
    it has replayed.

    Returns:
        The servers that did not; their memory may hold anything.
    """
    several = tuple(nodes)
    writable = await primaries(several)
    places: dict[str, str] = {}
    problems: list[Unsearchable] = []
    for node in writable:
        try:
            async with connected(node) as connection:
                await connection.execute("checkpoint")
                places[node.address] = str(
                    await connection.fetchval("select pg_current_wal_flush_lsn()::text")
                )
        except CONNECT_ERRORS as error:
            problems.append(_unflushed(node, error))
    standbys = [node for node in several if node not in writable]
    for found in await asyncio.gather(*(_flush_standby(node, places) for node in standbys)):
        problems += found
    return problems


async def _flush_standby(node: Node, places: dict[str, str]) -> list[Unsearchable]:
    try:
        async with connected(node) as connection:
            sender = await connection.fetchval("select sender_host from pg_stat_wal_receiver")
            deadline = asyncio.get_running_loop().time() + _REPLAY_S
            place = places.get(str(sender), "")
            while place and not await connection.fetchval(_REPLAYED, place):
                if asyncio.get_running_loop().time() > deadline:
                    return [_unflushed(node, "it has not replayed its primary's checkpoint")]
                await asyncio.sleep(_POLL_S)
            await connection.execute("checkpoint")
    except CONNECT_ERRORS as error:
        return [_unflushed(node, error)]
    return []


def _unflushed(node: Node, reason: object) -> Unsearchable:
    return Unsearchable(
        f"{node.name}: the memory of its PostgreSQL", f"it was not written to disk: {reason}"
    )
