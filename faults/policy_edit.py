"""A policy that is changed while the deployment runs: as an operator who edits it, and plays it.

What is changed is the file that each server's keeper reads, which is how a policy comes to a
server, and then the playbook's own command is run on each primary. Servers that are behind have the
new file and the old publication.
"""

from __future__ import annotations

import asyncio
import sys

from faults.deadline import look_until
from faults.jurisdiction import servers_of
from faults.maintenance_site import Site, run
from faults.protocol import FaultError
from testbed.clients.postgres import CONNECT_ERRORS
from testbed.probes.servers import connected, primaries
from testbed.topology.model import Node
from testbed.topology.placement_plan import cluster_of
from testbed.world.protocol import WorldError

DATABASE = "testbed"
TABLE, COLUMN = "orders", "gift_note"
_SETTINGS = "/srv/placement/placement.json"
_BEFORE = f"{_SETTINGS}.before"
_REPLAYED_S = 15.0
_PLAYED_S = 100.0
"""Longer than a play waits by itself, for another jurisdiction to publish and then to stream."""
_NARROWED_S = 90.0
"""How long it may take: a primary may be lost, and another be there after its lease."""

_WIDEN = f"""
import json, sys
kept = json.load(open("{_BEFORE}"))
if kept["publication"] != "placement":
    kept["publication"] += "_wide"
for table in kept["part"]["publishes"]:
    if table["table"] == "{TABLE}" and table["columns"] and sys.argv[1] == "publishes":
        table["columns"].append("{COLUMN}")
print(json.dumps(kept))
"""
_SHOWN = """
select count(*) from pg_publication_tables where tablename = $1 and $2 = any (attnames)
"""


class NarrowPolicy:
    """A policy that lets a column cross, as yesterday's did, is made narrower again by the undoing.

    The column has no value in between, so that nothing is abroad that may not be: what a server
    sends that missed the change shows in what is written into the column later.
    """

    async def do(self, site: Site) -> None:
        """Add the column everywhere, publish it, and wait until every standby has that."""
        for primary in await self._primaries(site):
            async with connected(primary, DATABASE) as connection:
                await connection.execute(
                    f"alter table {TABLE} add column if not exists {COLUMN} text"
                )
        for node in site.topology.members("postgres"):
            what = "publishes" if node in self._own(site) else "reads"
            await run(site, node, f"""
                [ -e {_BEFORE} ] || cp {_SETTINGS} {_BEFORE}
                {sys.executable} -c '{_WIDEN}' {what} > {_SETTINGS}.new
                mv {_SETTINGS}.new {_SETTINGS}
            """)  # fmt: skip
        await self._play(site, await self._primaries(site))

        async def missing() -> list[str]:
            return [node.name for node in self._own(site) if not await self._shows(node)]

        if late := await look_until(missing, lambda found: not found, limit_s=_REPLAYED_S):
            raise FaultError(f"the policy did not come to {', '.join(late)}")

    async def count(self, site: Site) -> int:
        """Publications of the jurisdiction's primary that have the column."""
        return sum([await self._shows(node) for node in await primaries(self._own(site))])

    async def undo(self, site: Site) -> None:
        """Make the policy what it was; idempotent.

        A primary that is lost meanwhile is no excuse: the one that takes over is played.
        """
        servers = site.topology.members("postgres")
        script = f"""
            [ -e {_BEFORE} ] || exit 0
            cp -v {_BEFORE} {_SETTINGS}.new
            mv {_SETTINGS}.new {_SETTINGS}
        """
        undone = [await run(site, node, script) for node in servers]
        if not any(undone):
            return
        problem = await look_until(
            lambda: self._narrow(site), lambda said: not said, limit_s=_NARROWED_S, every_s=1.0
        )
        if problem:
            raise FaultError(
                f"the policy was not made narrow within {_NARROWED_S:.0f} s: {problem}"
            )
        for node in servers:
            await run(site, node, f"rm -f {_BEFORE}")

    async def _narrow(self, site: Site) -> str:
        """Play the policy and drop the column, on the servers that are primaries now; why not."""
        try:
            taking = await self._primaries(site)
            clusters = {cluster_of(site.topology, n) for n in site.topology.members("postgres")}
            if lacking := clusters - {cluster_of(site.topology, node) for node in taking}:
                return f"no server of {', '.join(sorted(lacking))} takes writes"
            await self._play(site, taking)
            for primary in taking:
                async with connected(primary, DATABASE) as connection:
                    await connection.execute(f"alter table {TABLE} drop column if exists {COLUMN}")
        except (*CONNECT_ERRORS, WorldError, FaultError) as error:
            return f"{type(error).__name__}: {error}"
        return ""

    @staticmethod
    async def _play(site: Site, servers: tuple[Node, ...]) -> None:
        """What the playbook does on each primary, on all at once."""
        script = f"""
            cd /srv/placement
            said=$(PYTHONPATH=. {sys.executable} -P placement_apply.py {_SETTINGS}) ||
                {{ echo "$said" >&2; exit 1; }}
        """
        await asyncio.gather(*(run(site, node, script, _PLAYED_S) for node in servers))

    @staticmethod
    def _own(site: Site) -> tuple[Node, ...]:
        return tuple(
            node
            for node in servers_of(site.topology, site.jurisdiction)
            if "placement" in node.groups
        )

    @staticmethod
    async def _primaries(site: Site) -> tuple[Node, ...]:
        return await primaries(site.topology.members("postgres"))

    @staticmethod
    async def _shows(node: Node) -> int:
        try:
            async with connected(node, DATABASE) as connection:
                return int(await connection.fetchval(_SHOWN, TABLE, COLUMN))
        except CONNECT_ERRORS:
            return 0
