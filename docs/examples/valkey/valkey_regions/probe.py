"""Valkey and its sentinels as the testbed observes them, out of band."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

from testbed.probes.protocol import Claim
from testbed.probes.streams import Stream
from testbed.topology.model import Topology
from valkey_regions.wire import NAME, ask_once, fields

_TIMEOUT_S = 1.0
ROLES = {"master": "primary", "slave": "replica"}


class ValkeyProbe:
    """Observes every node.

    Args:
        topology: The world's.
        variables: The deployment's.
    """

    def __init__(self, topology: Topology, variables: Mapping[str, Any]) -> None:
        self._nodes = topology.members("valkey")
        self._names = {node.address: node.name for node in self._nodes}

    async def _replication(self) -> list[dict[str, str]]:
        """What each node says of replication; empty for one that is silent."""
        said = await asyncio.gather(
            *(
                ask_once(node.address, 6379, _TIMEOUT_S, "INFO", "replication")
                for node in self._nodes
            )
        )
        return [
            dict(line.split(":", 1) for line in (text or "").splitlines() if ":" in line)
            for text in said
        ]

    async def _sentinels(self) -> list[dict[str, str]]:
        """What each sentinel says of the primary; empty for one that is silent."""
        said = await asyncio.gather(
            *(
                ask_once(node.address, 26379, _TIMEOUT_S, "SENTINEL", "MASTER", NAME)
                for node in self._nodes
            )
        )
        return [fields(one) if one else {} for one in said]

    async def claims(self) -> tuple[Claim, ...]:
        """What every node says of itself now."""
        found = []
        for node, said in zip(self._nodes, await self._replication(), strict=True):
            role = ROLES.get(said.get("role", ""), "silent")
            link = said.get("master_link_status", "up")
            state = "running" if said and link == "up" else "link down" if said else "no answer"
            found.append(Claim(node.name, role, state))
        return tuple(found)

    async def holder(self, role: str) -> str | None:
        """The node that most sentinels take for the primary."""
        votes = Counter(said["ip"] for said in await self._sentinels() if said)
        address, count = next(iter(votes.most_common(1)), ("", 0))
        sure = role == "primary" and 2 * count > len(self._nodes)
        return self._names.get(address) if sure else None

    async def streams(self) -> tuple[Stream, ...]:
        """Every replica's stream from the primary."""
        said = dict(
            zip((node.name for node in self._nodes), await self._replication(), strict=True)
        )
        primary = await self.holder("primary") or ""
        written = int(said.get(primary, {}).get("master_repl_offset", 0))
        found = []
        for name, one in said.items():
            if name != primary:
                has = one.get("slave_repl_offset")
                lag = max(0, written - int(has)) if has is not None and written else None
                running = one.get("master_link_status") == "up"
                found.append(Stream(primary, name, running=running, lag_bytes=lag))
        return tuple(found)

    async def problems(self) -> tuple[str, ...]:
        """What keeps the cluster from steady state."""
        claims, sentinels = await asyncio.gather(self.claims(), self._sentinels())
        found = [f"{one.node}: {one.state}" for one in claims if one.state != "running"]
        primaries = [one.node for one in claims if one.role == "primary"]
        if len(primaries) != 1:
            found.append(f"not one primary: {', '.join(primaries) or 'none'}")
        others = str(len(self._nodes) - 1)
        for node, said in zip(self._nodes, sentinels, strict=True):
            if not said:
                found.append(f"the sentinel of {node.name} does not answer")
            elif [self._names.get(said["ip"])] != primaries:
                found.append(f"the sentinel of {node.name} follows {self._names.get(said['ip'])}")
            elif said["flags"] != "master":
                found.append(f"the sentinel of {node.name} says of the primary: {said['flags']}")
            elif said["num-other-sentinels"] != others or said["num-slaves"] != others:
                found.append(f"the sentinel of {node.name} does not know all others yet")
        return tuple(found)

    async def close(self) -> None:
        """Nothing stays open between two questions."""
