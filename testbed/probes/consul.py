"""Consul as the testbed observes it, out of band, through py-consul."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import aiohttp
import consul.aio

from testbed.topology.model import Node

_TIMEOUT_S = 1.0
_HTTP_PORT = 8500
_FAILURES = (aiohttp.ClientError, OSError, TimeoutError, ValueError, consul.ConsulException)


class ConsulProbe:
    """Observes Consul servers, of one datacenter or of several.

    Args:
        servers: The nodes that run them.
    """

    def __init__(self, servers: tuple[Node, ...]) -> None:
        self._servers = servers
        self._names = MappingProxyType({node.address: node.name for node in servers})
        self._agents: dict[str, consul.aio.Consul] = {}
        self._datacenters: dict[str, str] = {}

    def _agent(self, node: Node) -> consul.aio.Consul:
        if node.name not in self._agents:
            # There is no TLS here. With `verify` each agent loads every certificate of the machine,
            # and the run's clock stands still for 60 ms.
            self._agents[node.name] = consul.aio.Consul(
                host=node.address, port=_HTTP_PORT, connections_timeout=_TIMEOUT_S, verify=False
            )
        return self._agents[node.name]

    async def _leader(self, node: Node) -> str | None:
        try:
            answer = await self._agent(node).status.leader()
        except _FAILURES:
            return None
        return self._names.get(str(answer).rsplit(":", 1)[0])

    async def _healthy_voters(self, node: Node) -> int:
        try:
            health: Any = await self._agent(node).operator.autopilot_health()
        except _FAILURES:
            return 0
        servers = health.get("Servers") or []
        return sum(1 for server in servers if server.get("Healthy") and server.get("Voter"))

    async def leaders(self) -> tuple[str | None, ...]:
        """Whom each server takes for the leader, in the order of the servers."""
        return tuple(await asyncio.gather(*(self._leader(node) for node in self._servers)))

    async def leader(self) -> str | None:
        """The node that most servers take for the leader; None if nobody knows one."""
        named = Counter(leader for leader in await self.leaders() if leader is not None)
        return named.most_common(1)[0][0] if named else None

    async def _datacenter(self, node: Node) -> str:
        """The datacenter of a server, asked once; empty when it does not answer."""
        if not self._datacenters.get(node.name):
            try:
                answer: Any = await self._agent(node).agent.self()
                self._datacenters[node.name] = str(answer["Config"]["Datacenter"])
            except (*_FAILURES, KeyError, TypeError):
                return ""
        return self._datacenters[node.name]

    async def problems(self) -> tuple[str, ...]:
        """What keeps Consul from steady state, a sentence each."""
        leaders = await self.leaders()
        found = [
            f"{node.name}: Consul knows no leader"
            for node, leader in zip(self._servers, leaders, strict=True)
            if leader is None
        ]
        if found:
            return tuple(found)
        datacenters = await asyncio.gather(*(self._datacenter(node) for node in self._servers))
        for datacenter in dict.fromkeys(datacenters):
            chosen = [
                str(leader)
                for leader, its in zip(leaders, datacenters, strict=True)
                if its == datacenter
            ]
            found += await self._datacenter_problems(chosen)
        return tuple(found)

    async def _datacenter_problems(self, chosen: Sequence[str]) -> list[str]:
        """Of one datacenter, by whom each of its servers takes for the leader."""
        if len(set(chosen)) > 1:
            return [f"Consul's servers disagree on their leader: {', '.join(sorted(set(chosen)))}"]
        # Only the leader's autopilot knows the health of every server.
        (leader,) = {node for node in self._servers if node.name == chosen[0]}
        voters = await self._healthy_voters(leader)
        if voters < len(chosen):
            return [f"Consul has {voters} healthy voters of {len(chosen)}"]
        return []

    async def close(self) -> None:
        """Close its connections."""
        for agent in self._agents.values():
            await agent.http.close()
        self._agents.clear()
