"""How far every node is, looked at many times a second beside the load: the servers' own word.

Each node is asked past the wan for its place in each log, by LSN, and for the newest heartbeat row
of each other node. Heartbeats are rows of the table of marks: each node that takes writes gets one
ten times a second, its number the run's clock in ns. Everything is written to
``metrics/replication.jsonl`` with the times before and after the question, and judged from there.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import asyncpg
import orjson

from testbed.clients.postgres import CONNECT_ERRORS
from testbed.clients.postgres_entry import NODE_PORT
from testbed.clients.postgres_position import OF_CLUSTER, OF_MESH
from testbed.history.appender import Appender, JournalError
from testbed.probes.inspection import Scene
from testbed.topology.model import Node
from testbed.world.protocol import WorldError

NAME = "replication"
FILE = "replication.jsonl"

SAMPLE_S = 0.025
BEAT_S = 0.1
REPORTED_EVERY = 20
"""The servers' own figure of lag moves slowly: every so many samples are enough."""
_ANSWER_S = 2.0
_AGAIN_S = 0.25

_BEATS = """
    (select json_object_agg(s, (select max(number) from mark where space = s))::text
        from unnest($1::bigint[]) as s) as beats
"""

_REPORTED = """
select coalesce(s.slot_name, r.application_name) as name,
    (extract(epoch from r.replay_lag) * 1000)::float8 as replay_lag_ms
from pg_stat_replication r left join pg_replication_slots s on s.active_pid = r.pid
where r.replay_lag is not null
"""


class ReplicationInspection:
    """Samples and heartbeats of every node, until it is ended.

    Args:
        scene: The run.
    """

    def __init__(self, scene: Scene) -> None:
        topology = scene.deployment.topology
        self._scene = scene
        self._nodes = topology.members("postgres")
        place = OF_MESH if topology.members("mesh") else OF_CLUSTER
        self._question = f"select {place}, {_BEATS}"
        # Below all spaces of runs: no workload reads them.
        self._spaces = {
            node.name: -(scene.space * 100 + number) for number, node in enumerate(self._nodes)
        }
        self._primaries: set[str] = set()
        self._log: Appender | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Begin to ask.

        Raises:
            WorldError: The file cannot be written.
        """
        try:
            self._log = Appender(self._scene.folder / "metrics" / FILE)
        except JournalError as error:
            raise WorldError(str(error)) from error
        for node in self._nodes:
            self._tasks.append(asyncio.create_task(self._kept(node, self._sample)))
            self._tasks.append(asyncio.create_task(self._kept(node, self._beat)))

    async def end(self) -> None:
        """Stop asking.

        Raises:
            WorldError: What was seen could not be recorded.
        """
        failed = [task.exception() for task in self._tasks if task.done() and not task.cancelled()]
        await self.close()
        for error in failed:
            if error is not None:
                raise WorldError(f"replication was not watched to the end: {error}") from error

    async def close(self) -> None:
        """Stop asking; idempotent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if self._log is not None:
            self._log.close()
            self._log = None

    async def _kept(self, node: Node, work: Any) -> None:
        """Do the work on a connection, and on a new one when that is lost."""
        while True:
            connection: asyncpg.Connection | None = None
            with contextlib.suppress(*CONNECT_ERRORS):
                async with asyncio.timeout(_ANSWER_S):
                    connection = await asyncpg.connect(
                        host=node.address,
                        port=NODE_PORT,
                        user="testbed",
                        database="testbed",
                        ssl=False,
                    )
                try:
                    await work(node, connection)
                finally:
                    connection.terminate()
            await asyncio.sleep(_AGAIN_S)

    async def _sample(self, node: Node, connection: asyncpg.Connection) -> None:
        spaces = list(self._spaces.values())
        names = {str(space): name for name, space in self._spaces.items()}
        number = 0
        while True:
            before = self._scene.now()
            row = await self._answer(connection, self._question, spaces)
            after = self._scene.now()
            (self._primaries.add if row["primary"] else self._primaries.discard)(node.name)
            beats = orjson.loads(row.pop("beats"))
            if "streams" in row:
                row["streams"] = orjson.loads(row["streams"] or "{}")
            told = {
                **row,
                "beats": {names[space]: value for space, value in beats.items() if value},
            }
            self._append({"node": node.name, "before": before, "after": after, **told})
            if row["primary"] and number % REPORTED_EVERY == 0:
                await self._reported(node, connection)
            number += 1
            await asyncio.sleep(SAMPLE_S)

    async def _reported(self, node: Node, connection: asyncpg.Connection) -> None:
        """The server's own figure of each receiver's lag."""
        timer = asyncio.get_running_loop().call_later(_ANSWER_S, connection.terminate)
        try:
            rows = await connection.fetch(_REPORTED)
        finally:
            timer.cancel()
        if rows:
            told = {row["name"]: row["replay_lag_ms"] for row in rows}
            self._append({"node": node.name, "time": self._scene.now(), "reported": told})

    async def _beat(self, node: Node, connection: asyncpg.Connection) -> None:
        # Its commit waits for no standby: when it was made is known to a millisecond.
        await connection.execute("set synchronous_commit = local")
        space = self._spaces[node.name]
        while True:
            if node.name in self._primaries:
                number = self._scene.now()
                await self._answer(
                    connection, "insert into mark values ($1, $2) returning number", space, number
                )
                end = self._scene.now()
                self._append({"node": node.name, "beat": number, "end": end})
            await asyncio.sleep(BEAT_S)

    async def _answer(
        self, connection: asyncpg.Connection, question: str, *arguments: Any
    ) -> dict[str, Any]:
        """The row of a question; a connection that does not answer in time is ended."""
        timer = asyncio.get_running_loop().call_later(_ANSWER_S, connection.terminate)
        try:
            return dict(await connection.fetchrow(question, *arguments))
        finally:
            timer.cancel()

    def _append(self, document: dict[str, Any]) -> None:
        if self._log is not None:
            self._log.append(document)
