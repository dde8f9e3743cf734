"""How a data subject is erased from running PostgreSQL clusters, replicas and old files included.

A delete leaves the row in dead tuples, in statistics and in the write-ahead log. What removes it:
DELETE; ANALYZE; VACUUM FULL of the tables and of ``pg_statistic``, once no replication slot keeps
old rows; then the log is cycled past every segment that was written before, with ``wal_recycle``
off meanwhile, so that none lives on under a later name; and every standby's own checkpoint, which
removes its segments; and the texts in every server's statistics of statements are reset. Dumps and
server logs are not touched by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from testbed.clients.personal_data_operations import typed
from testbed.clients.postgres import CONNECT_ERRORS
from testbed.probes.servers import connected, flush, primaries
from testbed.topology.model import Node, Topology
from testbed.topology.placement_plan import cluster_of
from testbed.world.protocol import WorldError

DATABASE = "testbed"

_LIMIT_S = 45.0
_POLL_S = 0.2
_SWITCHES = 8
_SETTINGS = {"wal_recycle": "off", "wal_keep_size": "0"}

_SEGMENTS = """
select min(name) as first, max(name) as last from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$'
"""
_KEPT_BACK = """
select count(*) from pg_replication_slots
where age(catalog_xmin) > age($1::text::xid) or age(xmin) > age($1::text::xid)
"""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row of the subject.

    Args:
        table: Name.
        key: Value by column of the key, as the workload writes it.
        residency: The jurisdiction that it is at home in.
    """

    table: str
    key: Mapping[str, Any]
    residency: str


class Erasing:
    """Erases one subject.

    Args:
        topology: Of a running world in which no client writes any more.
        rows: Every row of the subject.
        tables: Every table with personal data.
        space: Number of the run.
    """

    def __init__(
        self,
        topology: Topology,
        rows: Sequence[StoredRow],
        tables: Sequence[str],
        space: int,
    ) -> None:
        self._topology = topology
        self._nodes = topology.members("postgres")
        self._rows = tuple(rows)
        self._tables = tuple(tables)
        self._space = space

    async def delete(self) -> int:
        """Delete the rows at home and wait until no server holds them; how many there were.

        Raises:
            WorldError: A cluster has no primary, or some server still has a row.
        """
        deleted = 0
        for node in await self._primaries():
            home = cluster_of(self._topology, node)
            async with connected(node, DATABASE) as connection:
                for row in self._rows:
                    if row.residency == home:
                        deleted += await self._delete(connection, row)
        await self._until(self._gone, "the subject's rows were deleted, and are still on a replica")
        return deleted

    async def rewrite(self) -> None:
        """Rewrite what held them: tables, statistics, and the log of every node.

        Raises:
            WorldError: A server does not answer, or something keeps its old rows or log.
        """
        writable = await self._primaries()
        await asyncio.gather(*(self._rewrite_tables(node) for node in writable))
        try:
            await self._everywhere(
                f"alter system set {name} = {_SETTINGS[name]}" for name in _SETTINGS
            )
            await self._cycle()
        finally:
            await self._everywhere(f"alter system reset {name}" for name in _SETTINGS)
        for node in self._nodes:
            async with connected(node, DATABASE) as connection:
                await connection.execute("select pg_stat_statements_reset()")

    async def _primaries(self) -> tuple[Node, ...]:
        found: tuple[Node, ...] = ()

        async def complete() -> bool:
            nonlocal found
            found = await primaries(self._nodes)
            led = [cluster_of(self._topology, node) for node in found]
            wanted = {cluster_of(self._topology, node) for node in self._nodes}
            return set(led) == wanted and len(led) == len(wanted)

        await self._until(complete, "not every cluster has one primary")
        return found

    async def _delete(self, connection: asyncpg.Connection, row: StoredRow) -> int:
        where, values = self._where(row)
        status = await connection.execute(
            f"delete from {row.table} where {where}",  # noqa: S608 - our own words
            *values,
        )
        return int(status.split()[-1])

    def _where(self, row: StoredRow) -> tuple[str, list[Any]]:
        key = typed(row.key, self._space)
        return " and ".join(f"{name} = ${n}" for n, name in enumerate(key, 1)), list(key.values())

    async def _gone(self) -> bool:
        """Whether no server has any of the rows."""
        for node in self._nodes:
            async with connected(node, DATABASE) as connection:
                for row in self._rows:
                    where, values = self._where(row)
                    if await connection.fetchval(
                        f"select exists (select from {row.table} where {where})",  # noqa: S608
                        *values,
                    ):
                        return False
        return True

    async def _rewrite_tables(self, node: Node) -> None:
        async with connected(node, DATABASE) as connection:
            tables = ", ".join(self._tables)
            await connection.execute(f"analyze {tables}")
            last = await connection.fetchval("select pg_current_xact_id()::xid::text")

            async def free() -> bool:
                # What makes slots let go: a commit, and the running transactions behind it.
                await connection.execute("select pg_logical_emit_message(true, 'erasure', '')")
                await connection.execute("select pg_log_standby_snapshot()")
                return not await connection.fetchval(_KEPT_BACK, last)

            await self._until(free, f"replication slots on {node.name} keep old rows")
            for table in (*self._tables, "pg_statistic"):
                await connection.execute(f"vacuum (full, analyze) {table}")
            # The analysis of the last ones replaced rows of it again.
            await connection.execute("vacuum (full) pg_statistic")

    async def _everywhere(self, statements: Iterable[str]) -> None:
        several = tuple(statements)
        for node in self._nodes:
            async with connected(node) as connection:
                for statement in several:
                    await connection.execute(statement)
                await connection.execute("select pg_reload_conf()")

    async def _cycle(self) -> None:
        """Write so much log that no node has a segment, or room for one, from before."""
        writable = await self._primaries()
        # The newest name may be of a segment that is yet to be overwritten.
        newest = {node.name: (await self._segments(node))[1] for node in self._nodes}

        async def passed() -> bool:
            for node in writable:
                async with connected(node) as connection:
                    for _ in range(_SWITCHES):
                        await connection.execute("select pg_create_restore_point('erasure')")
                        await connection.execute("select pg_switch_wal()")
            if await flush(self._nodes):
                return False
            oldest = {node.name: (await self._segments(node))[0] for node in self._nodes}
            return all(oldest[name] > newest[name] for name in newest)

        await self._until(passed, "the write-ahead log from before is still kept on some node")

    async def _segments(self, node: Node) -> tuple[str, str]:
        async with connected(node) as connection:
            row = await connection.fetchrow(_SEGMENTS)
            # Without the timeline, which is the first of three parts.
            return str(row["first"])[8:], str(row["last"])[8:]

    @staticmethod
    async def _until(condition: Callable[[], Awaitable[bool]], problem: str) -> None:
        """Wait for a condition; a server that does not answer is asked again."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _LIMIT_S
        said = ""
        while True:
            try:
                if await condition():
                    return
            except CONNECT_ERRORS as error:
                said = f" ({error})"
            if loop.time() > deadline:
                raise WorldError(f"erasure: after {_LIMIT_S:.0f} s {problem}{said}")
            await asyncio.sleep(_POLL_S)
