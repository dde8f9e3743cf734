"""What is open while files are searched: a large transaction, and a sort that does not fit memory.

Their files are there only as long as they are: what a transaction that is larger than decoding's
memory spills, and what a sort writes out. A search that is made later cannot find either, and shows
nothing of those that it would have found.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

import asyncpg

from testbed.clients.postgres import CONNECT_ERRORS
from testbed.history.residency import Canary
from testbed.probes.servers import connected
from testbed.topology.model import Node

DATABASE = "testbed"
OPEN = "open"
"""Purpose of the canaries."""

_ROWS = 4000
_SPILLED_S = 5.0
_POLL_S = 0.05
_WRITE = "create table held as select '{token}' || n as t from generate_series(1, {rows}) n"
_SORT = "declare held_sort no scroll cursor for select t from held order by reverse(t)"
_SPILLS = """
select count(*) from pg_replication_slots s, pg_ls_replslotdir(s.slot_name)
where s.slot_type = 'logical' and name like '%.spill'
"""


class Held:
    """Keeps one transaction open on each of several servers.

    Args:
        canaries: By the server that each is kept open on; a primary at the canary's home.
        spills: Whether what is decoded and does not fit memory is spilled, and not sent at once.
    """

    def __init__(self, canaries: Iterable[tuple[Node, Canary]], *, spills: bool) -> None:
        self._canaries = tuple(canaries)
        self._spills = spills
        self._open = contextlib.AsyncExitStack()

    async def open(self) -> tuple[Canary, ...]:
        """Begin; the canaries that are open now. One that is not leaves its control unshown."""
        found = []
        for node, canary in self._canaries:
            with contextlib.suppress(*CONNECT_ERRORS):
                connection = await self._open.enter_async_context(connected(node, DATABASE))
                await self._write(connection, canary.token)
                found.append(canary)
        return tuple(found)

    async def close(self) -> None:
        """Roll all of them back; idempotent."""
        await self._open.aclose()

    async def _write(self, connection: asyncpg.Connection, token: str) -> None:
        await connection.execute("begin")
        await connection.execute("set local work_mem = '64kB'")
        await connection.execute(_WRITE.format(token=token, rows=_ROWS))
        await connection.execute(_SORT)
        await connection.execute("fetch 1 from held_sort")
        # What is decoded is what was written to the log.
        await connection.execute("select pg_log_standby_snapshot()")
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _SPILLED_S
        while self._spills and not await connection.fetchval(_SPILLS):
            if loop.time() > deadline:
                return
            await asyncio.sleep(_POLL_S)
