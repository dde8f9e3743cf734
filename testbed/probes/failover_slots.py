"""Waits before the load until every standby has the slots that a failover needs.

A logical slot is copied to a standby only once it has moved past what the standby keeps, and in an
idle cluster it never moves. A failover before that would end the stream to the other jurisdiction:
so primaries are given something to send until the copies are there.
"""

from __future__ import annotations

import asyncio

from testbed.clients.postgres import CONNECT_ERRORS
from testbed.probes.inspection import Scene
from testbed.probes.servers import connected, primaries
from testbed.world.protocol import WorldError

LIMIT_S = 60.0
_POLL_S = 0.5

_NUDGES = (
    "select pg_logical_emit_message(true, 'testbed', '')",
    "select pg_log_standby_snapshot()",
)
_NEEDED = "select slot_name::text from pg_replication_slots where failover and not temporary"
_FOLLOWERS = "select application_name from pg_stat_replication"
"""Patroni names a standby's connection after its node."""
_COPIED = f"{_NEEDED} and synced"


class FailoverSlotsInspection:
    """Begins a run when a failover would lose no stream.

    Args:
        scene: The run.
    """

    def __init__(self, scene: Scene) -> None:
        self._topology = scene.deployment.topology

    async def begin(self) -> None:
        """Wait.

        Raises:
            WorldError: A standby lacked a slot when time was up; says which.
        """
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while missing := await self._missing():
            if asyncio.get_running_loop().time() > deadline:
                raise WorldError(
                    f"after {LIMIT_S:.0f} s a failover would still lose a stream:"
                    f" {', '.join(missing)}; see the logs of PostgreSQL there"
                )
            await asyncio.sleep(_POLL_S)

    async def end(self) -> None:
        """Nothing: it was about the beginning."""

    async def close(self) -> None:
        """Nothing runs."""

    async def _missing(self) -> list[str]:
        servers = self._topology.members("placement")
        found = []
        for primary in await primaries(servers):
            try:
                async with connected(primary) as connection:
                    for statement in _NUDGES:
                        await connection.execute(statement)
                    needed = {row[0] for row in await connection.fetch(_NEEDED)}
                    followers = {row[0] for row in await connection.fetch(_FOLLOWERS)}
                standbys = [node for node in servers if node.name in followers]
                for standby in standbys:
                    async with connected(standby) as connection:
                        copied = {row[0] for row in await connection.fetch(_COPIED)}
                    found += [f"{slot} on {standby.name}" for slot in sorted(needed - copied)]
            except CONNECT_ERRORS as error:
                found.append(f"{primary.name} or a standby of it does not answer ({error})")
        return found
