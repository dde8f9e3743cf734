"""Control canaries that an inspection sends itself: what a search that works must find.

On every link a statement of a client carries a canary that may be anywhere. From every jurisdiction
that some data is pinned to, a row of it is put into a table abroad, as a deliberate leak. Both
come from a node, so that they cross the wan as any client's would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from typing import Any

from testbed.history.residency import LEAK, Canary
from testbed.probes.held import OPEN
from testbed.probes.servers import primaries
from testbed.toolchain.programs import locate
from testbed.topology.model import Node, Topology
from testbed.topology.placement_plan import cluster_of
from testbed.workloads.canary import FOREIGN, Canaries
from testbed.workloads.unique import REGIONS_MAX
from testbed.world.namespace_world import NamespaceWorld
from testbed.world.protocol import WorldError

SUBJECT = "nobody"
"""Whom the control canaries are about: no client writes of him."""

_CROSSED = "select :'token';"
_LEAKED = """
create table if not exists control (token text);
insert into control values (:'token');
"""
_LIMIT_S = 20.0
_TRIES = 5
_AGAIN_S = 1.0


class Planted:
    """Plants the controls of one run.

    Args:
        world: The world.
        allowed: The jurisdictions of each data class; None for one that may be anywhere.
        space: Number of the run.
    """

    def __init__(
        self,
        world: NamespaceWorld,
        allowed: Mapping[str, tuple[str, ...] | None],
        space: int,
    ) -> None:
        self._world = world
        self._free = next((name for name, where in allowed.items() if where is None), None)
        # The first class of each: tables come before keys.
        self._pinned: dict[tuple[str, ...], str] = {}
        for name, where in allowed.items():
            if where is not None:
                self._pinned.setdefault(where, name)
        # A number that no region of the workload has.
        self._canaries = Canaries(space * (REGIONS_MAX + 1) + REGIONS_MAX)
        self._program = str(locate("postgres").folder / "psql")

    async def plant(self) -> tuple[Canary, ...]:
        """Send them all; those that a server acknowledged.

        One that cannot be sent is no error: the control that it is for is then not shown.
        """
        topology = self._world.topology
        writable = await primaries(topology.members("postgres"))
        sent = await asyncio.gather(*self._crossings(topology), *self._leaks(topology, writable))
        return tuple(canary for canary in sent if canary is not None)

    async def to_hold(self) -> tuple[tuple[Node, Canary], ...]:
        """Canaries that may be kept open: for each jurisdiction's primary one of its own."""
        topology = self._world.topology
        found = []
        for node in await primaries(topology.members("postgres")):
            home = cluster_of(topology, node)
            data_class = next((name for where, name in self._pinned.items() if home in where), None)
            if data_class is not None:
                row = f"control/{OPEN}"
                canary = self._canaries.make(
                    data_class, SUBJECT, row, jurisdiction=home, purpose=OPEN
                )
                found.append((node, canary))
        return tuple(found)

    def _crossings(self, topology: Topology) -> Iterator[Coroutine[Any, Any, Canary | None]]:
        """On each link a statement with a canary that may be anywhere."""
        for link in topology.links:
            sender, receiver = _first(topology, link.source), _server(topology, link.target)
            if sender is None or receiver is None or self._free is None:
                continue
            canary = self._canaries.make(
                self._free,
                SUBJECT,
                f"control/{link.name}",
                jurisdiction=topology.region(link.source).jurisdiction,
                purpose=FOREIGN,
            )
            yield self._sent(sender, receiver, _CROSSED, canary)

    def _leaks(
        self, topology: Topology, writable: Sequence[Node]
    ) -> Iterator[Coroutine[Any, Any, Canary | None]]:
        """From each jurisdiction one row of one of its classes, to one server abroad."""
        homes = {node.name: topology.region(node.region).jurisdiction for node in topology.nodes}
        for where, data_class in self._pinned.items():
            senders = [node for node in topology.members("postgres") if homes[node.name] in where]
            abroad = [node for node in writable if homes[node.name] not in where]
            if senders and abroad:
                canary = self._canaries.make(
                    data_class,
                    SUBJECT,
                    "control/leak",
                    jurisdiction=homes[senders[0].name],
                    purpose=LEAK,
                )
                yield self._sent(senders[0], abroad[0], _LEAKED, canary)

    async def _sent(
        self, sender: Node, receiver: Node, statement: str, canary: Canary
    ) -> Canary | None:
        """Have a node send a statement to a server of another region."""
        command = [self._program, "--no-psqlrc", "--quiet", "--output=/dev/null"]
        command += ["--set=ON_ERROR_STOP=1", f"--set=token={canary.token}", "--file=-"]
        command += ["--username=postgres", "--dbname=postgres", f"--host={receiver.address}"]
        for _ in range(_TRIES):
            try:
                done = await asyncio.to_thread(
                    self._world.execute,
                    sender.name,
                    command,
                    stdin=statement.encode(),
                    timeout_s=_LIMIT_S,
                )
            except WorldError:
                continue
            if done.returncode == 0:
                return canary
            await asyncio.sleep(_AGAIN_S)
        return None


def _first(topology: Topology, region: str) -> Node | None:
    return next((node for node in topology.nodes if node.region == region), None)


def _server(topology: Topology, region: str) -> Node | None:
    return next(iter(topology.members("postgres", region)), None)
