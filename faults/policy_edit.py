"""A policy that is made narrower while the deployment runs: as an operator who edits it."""

from __future__ import annotations

from faults.deadline import look_until
from faults.maintenance_site import Site
from faults.policy_play import DATABASE, own_servers, play, restore, rewrite, taking_writes
from faults.protocol import FaultError
from testbed.clients.postgres import CONNECT_ERRORS
from testbed.probes.servers import connected, primaries
from testbed.topology.model import Node

TABLE, COLUMN = "orders", "gift_note"
_REPLAYED_S = 15.0

_WIDEN = f"""
if kept["publication"] != "placement":
    kept["publication"] += "_wide"
for table in kept["part"]["publishes"]:
    if table["table"] == "{TABLE}" and table["columns"] and sys.argv[1] == "publishes":
        table["columns"].append("{COLUMN}")
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
        for primary in await taking_writes(site):
            async with connected(primary, DATABASE) as connection:
                await connection.execute(
                    f"alter table {TABLE} add column if not exists {COLUMN} text"
                )
        own = own_servers(site)
        for node in site.topology.members("postgres"):
            await rewrite(site, node, _WIDEN, "publishes" if node in own else "reads")
        await play(site, await taking_writes(site))

        async def missing() -> list[str]:
            return [node.name for node in own if not await self._shows(node)]

        if late := await look_until(missing, lambda found: not found, limit_s=_REPLAYED_S):
            raise FaultError(f"the policy did not come to {', '.join(late)}")

    async def count(self, site: Site) -> int:
        """Publications of the jurisdiction's primary that have the column."""
        return sum([await self._shows(node) for node in await primaries(own_servers(site))])

    async def undo(self, site: Site) -> None:
        """Make the policy what it was, and drop the column; idempotent."""

        async def dropped(primary: Node) -> None:
            async with connected(primary, DATABASE) as connection:
                await connection.execute(f"alter table {TABLE} drop column if exists {COLUMN}")

        await restore(site, dropped)

    @staticmethod
    async def _shows(node: Node) -> int:
        try:
            async with connected(node, DATABASE) as connection:
                return int(await connection.fetchval(_SHOWN, TABLE, COLUMN))
        except CONNECT_ERRORS:
            return 0
