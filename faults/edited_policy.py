"""Another version of the policy, which operators put in force for a while."""

from __future__ import annotations

import json
from dataclasses import asdict

from faults.deadline import look_until
from faults.maintenance_site import Site
from faults.policy_play import (
    DATABASE,
    own_servers,
    play,
    restore,
    rewrite,
    taking_writes,
    unedited,
)
from faults.protocol import FaultError
from testbed.clients.postgres import CONNECT_ERRORS
from testbed.probes.servers import connected, primaries
from testbed.topology.model import Node
from testbed.topology.placement import Policy
from testbed.topology.placement_edits import Edit, edited_class
from testbed.topology.placement_plan import Published, publication_of, publications

_REPLAYED_S = 15.0
_ALONE_S = 60.0
_EDIT = """
given = json.loads(sys.argv[1])
part = kept["part"]
if kept["publication"] != "placement":
    kept["publication"] = given["publication"]
if part["publishes"]:
    others = [one for one in part["publishes"] if one["table"] != given["table"]]
    part["publishes"] = [*others, *given["publishes"]]
"""
_SHOWN = """
select attnames::text[], rowfilter from pg_publication_tables
where tablename = $1 and pubname like 'placement%'
"""
_READY = "select count(*) from pg_publication where pubname like 'placement%'"


class EditedPolicy:
    """What is published is by another policy, in every jurisdiction, until this is undone.

    Args:
        edit: Makes that policy.
    """

    def __init__(self, edit: Edit) -> None:
        self._edit = edit

    async def do(self, site: Site) -> None:
        """Put it in force, and wait until every server of the jurisdiction has it.

        Another version that is in force is waited for until it was taken back.
        """
        edited, table = self._edited(site)
        crossing = publications(edited)
        given = {
            "table": table,
            "publishes": [asdict(one) for one in crossing if one.table == table],
            "publication": publication_of(crossing),
        }
        # Two quotes are one inside of the script's own.
        await unedited(site, _ALONE_S)
        words = json.dumps(given).replace("'", "\\u0027")
        for node in site.topology.members("postgres"):
            await rewrite(site, node, _EDIT, words)
        await play(site, await taking_writes(site))
        own = own_servers(site)

        async def missing() -> list[str]:
            return [node.name for node in own if not await self._shows(site, node)]

        if late := await look_until(missing, lambda found: not found, limit_s=_REPLAYED_S):
            raise FaultError(f"the policy did not come to {', '.join(late)}")

    async def count(self, site: Site) -> int:
        """Primaries of the jurisdiction that publish by it."""
        servers = await primaries(own_servers(site))
        return sum([await self._shows(site, node) for node in servers])

    async def undo(self, site: Site) -> None:
        """Make the policy what it was; idempotent."""

        async def nothing(primary: Node) -> None:
            del primary

        await restore(site, nothing)

    def _edited(self, site: Site) -> tuple[Policy, str]:
        """The policy that is put in force, and the table that it is about.

        Raises:
            FaultError: There is no such version of the deployment's policy.
        """
        if site.policy is None:
            raise FaultError("the deployment has no placement policy: choose one that has")
        try:
            edited = self._edit(site.policy, site.jurisdiction)
        except ValueError as error:
            raise FaultError(str(error)) from error
        about = edited_class(site.policy)
        return edited, str(about.table if about is not None else "")

    async def _shows(self, site: Site, node: Node) -> int:
        edited, table = self._edited(site)
        wanted = next((one for one in publications(edited) if one.table == table), None)
        try:
            async with connected(node, DATABASE) as connection:
                if not await connection.fetchval(_READY):
                    return 0
                row = await connection.fetchrow(_SHOWN, table)
        except CONNECT_ERRORS:
            return 0
        if row is None or wanted is None:
            return int(row is None and wanted is None)
        columns = wanted.columns or tuple(edited.tables[table].columns)
        return int(set(row[0]) == set(columns) and _same_rows(wanted, row[1]))


def _same_rows(wanted: Published, shown: str | None) -> bool:
    """Whether a filter is the wanted one; PostgreSQL shows it with brackets and a type."""
    return wanted.row_filter == (shown or "").strip("()").replace("::text", "")
