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

DATABASE = "testbed"
TABLE, COLUMN = "orders", "gift_note"
_SETTINGS = "/srv/placement/placement.json"
_BEFORE = f"{_SETTINGS}.before"
_REPLAYED_S = 15.0

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
        await self._play(site)

        async def missing() -> list[str]:
            return [node.name for node in self._own(site) if not await self._shows(node)]

        if late := await look_until(missing, lambda found: not found, limit_s=_REPLAYED_S):
            raise FaultError(f"the policy did not come to {', '.join(late)}")

    async def count(self, site: Site) -> int:
        """Publications of the primary that have the column."""
        return await self._shows(site.primary)

    async def undo(self, site: Site) -> None:
        """Make the policy what it was; idempotent."""
        undone = [
            await run(site, node, f"[ ! -e {_BEFORE} ] || mv -v {_BEFORE} {_SETTINGS}")
            for node in site.topology.members("postgres")
        ]
        if not any(undone):
            return
        await self._play(site)
        for primary in await self._primaries(site):
            async with connected(primary, DATABASE) as connection:
                await connection.execute(f"alter table {TABLE} drop column if exists {COLUMN}")

    async def _play(self, site: Site) -> None:
        """What the playbook does on each primary, on all at once."""
        script = f"""
            cd /srv/placement
            said=$(PYTHONPATH=. {sys.executable} -P placement_apply.py {_SETTINGS}) ||
                {{ echo "$said" >&2; exit 1; }}
        """
        several = await self._primaries(site)
        await asyncio.gather(*(run(site, node, script) for node in several))

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
