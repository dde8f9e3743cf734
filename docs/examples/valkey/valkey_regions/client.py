"""Valkey as a client sees it: one connection, every outcome told apart."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from valkey.asyncio.connection import Connection
from valkey.exceptions import ResponseError

from testbed.clients.protocol import Completion, Endpoint, Invocation
from valkey_regions.operations import EVERY, OPERATIONS, WRITES
from valkey_regions.wire import LOST, NAME, ask, ask_once, fields, opened


class ValkeyClient:
    """One connection of one process.

    Args:
        endpoint: Where to enter: ``writer`` asks a sentinel for the primary first.
        sentinels: Those that it may ask, the nearest first.
        ways: How this client's region reaches each node's server, by the node's address.
        nodes: Node name by address.
        workload: Name of the workload.
        space: Number of the run.
        timeout_ms: For the connection and for each operation.
        replicas: How many must have a write before it is acknowledged.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        sentinels: Sequence[Endpoint],
        ways: Mapping[str, Endpoint],
        nodes: Mapping[str, str],
        workload: str,
        space: int,
        timeout_ms: int,
        replicas: int,
    ) -> None:
        self._endpoint, self._sentinels, self._ways, self._nodes = endpoint, sentinels, ways, nodes
        self._operations = {**EVERY, **OPERATIONS.get(workload, {})}
        self._space, self._replicas = space, replicas
        self._timeout_s = timeout_ms / 1000
        self._connection: Connection | None = None
        self._node: str | None = None if endpoint.name == "writer" else nodes[endpoint.host]
        self._term: int | None = None
        self._ended = False

    @property
    def ended(self) -> bool:
        """True when its connection was open once and is no more."""
        return self._ended

    async def perform(self, invocation: Invocation) -> Completion:
        """Connect if need be, perform, and say what became of it."""
        operation = self._operations.get(invocation.f)
        if operation is None:
            return Completion("fail", error=f"valkey has no operation '{invocation.f}'")
        if self._ended:
            return Completion("fail", error="connection ended", node=self._node)
        if self._connection is None:
            try:
                async with asyncio.timeout(self._timeout_s):
                    self._connection = await self._connect()
            except LOST as error:
                # Nothing was asked for yet.
                said = f"connect: {error or type(error).__name__}"
                return Completion("fail", error=said[:120], node=self._node)
        try:
            async with asyncio.timeout(self._timeout_s):
                done = await operation(self._connection, self._space, invocation)
                if done.type == "ok" and invocation.f in WRITES and not await self._replicated():
                    done = Completion("info", error="too few replicas have it")
                    await self.close()
        except ResponseError as error:
            # The server looked at the command and refused it: READONLY, LOADING and the like.
            return Completion("fail", node=self._node, error=str(error)[:120])
        except LOST as error:
            await self.close()
            said = f"connection lost: {error or type(error).__name__}"
            return Completion("info", node=self._node, error=said[:120])
        return replace(done, node=self._node, term=self._term)

    async def _connect(self) -> Connection:
        """A connection to where the endpoint leads."""
        if self._endpoint.name != "writer":
            return await opened(self._endpoint.host, self._endpoint.port, self._timeout_s)
        address, self._term = await self._primary()
        self._node = self._nodes[address]
        way = self._ways[address]
        connection = await opened(way.host, way.port, self._timeout_s)
        try:
            role, *_ = await ask(connection, "ROLE")
        except LOST:
            await connection.disconnect(nowait=True)
            raise
        if role != "master":
            await connection.disconnect(nowait=True)
            raise ConnectionError(f"{self._node} is no primary")
        return connection

    async def _primary(self) -> tuple[str, int]:
        """The primary's address and the number of its failover, by the nearest sentinel."""
        share_s = self._timeout_s / len(self._sentinels)
        for sentinel in self._sentinels:
            said = await ask_once(sentinel.host, sentinel.port, share_s, "SENTINEL", "MASTER", NAME)
            if said is not None:
                primary = fields(said)
                return primary["ip"], int(primary["config-epoch"])
        raise ConnectionError("no sentinel answers")

    async def _replicated(self) -> bool:
        """Whether as many replicas as are asked for have all that this connection wrote."""
        if not self._replicas:
            return True
        assert self._connection is not None
        patience_ms = int(self._timeout_s * 800)
        have = int(await ask(self._connection, "WAIT", self._replicas, patience_ms))
        return have >= self._replicas

    async def close(self) -> None:
        """Close without waiting for the other side."""
        if self._connection is not None:
            self._ended = True
            await self._connection.disconnect(nowait=True)
            self._connection = None
