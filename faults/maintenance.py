"""Maintenance: operators work on a jurisdiction's data while clients go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from faults.jurisdiction import objections, primary_of
from faults.maintenance_site import Site
from faults.maintenance_works import WORKS
from faults.manual import Manual
from faults.parameter import Parameter
from faults.protocol import Context, Evidence, Fault, FaultError
from faults.target import TargetKind
from testbed.clients.postgres import CONNECT_ERRORS
from testbed.topology.model import Topology
from testbed.topology.placement_edits import EDITS
from testbed.topology.placement_plan import EVERYWHERE
from testbed.world.protocol import WorldError


class Maintenance(Fault):
    """Work on the primary of a region's jurisdiction, in a deployment with a placement policy.

    Args:
        target: A region.
        work: A key of ``WORKS``.
    """

    kind: ClassVar[str] = "maintenance"
    manual: ClassVar[Manual] = Manual(
        summary="Does what operators do to a jurisdiction's data, on its primary.",
        target=TargetKind.REGION,
        parameters=(
            Parameter(
                "work",
                "`add_column`: to a published table, filled with a personal value; "
                "`seed_subscriber`: a new database gets its first copy of what is published "
                "elsewhere; `restore_dump`: the newest dump, into a database beside it; "
                "`restore_base`: the newest base backup is started on the store, and replays the "
                "archived WAL; `narrow_policy`: a column that a policy lets cross, and that has "
                "no value yet, may not cross any more once this is undone. Until they are undone, "
                "`pin_rows`: of the class that crosses under a pseudonym, rows of the region's "
                "jurisdiction alone cross; `pin_columns`: of those only the key; `pin_table`: "
                "nothing of its table; `free_columns`: the table's personal columns as well.",
                choices=tuple(WORKS),
            ),
        ),
        effect=(
            "The column, or the new database, has at least one row with data; of `narrow_policy`: "
            "the primary publishes the column; of the four that follow it: it publishes by them."
        ),
        absence="It is gone.",
        side_effects=(
            "The table `orders` is locked for a moment; a new column is rewritten into every row "
            "of the jurisdiction. Dropping a column does not remove its values from files."
        ),
    )

    def __init__(self, target: str, *, work: str) -> None:
        self.target = target
        self._work = WORKS[work]
        self._name = work
        self._site: Site | None = None

    @classmethod
    def objections(cls, target: str, values: Mapping[str, Any], topology: Topology) -> list[str]:
        """Only a deployment with a policy has such tables and stores."""
        found = objections(target, topology)
        if values.get("work") in EDITS and topology.members(EVERYWHERE):
            found.append(
                f"servers of the group {EVERYWHERE} send each other again what might cross before:"
                f" {values['work']} cannot be judged there; choose a deployment without them"
            )
        return found

    async def inject(self, context: Context) -> None:
        """Do the work."""
        topology = context.world.topology
        jurisdiction = topology.region(await context.resolve(self.target)).jurisdiction
        primary = await primary_of(topology, jurisdiction, self.title)
        self._site = Site(context.world, primary, jurisdiction, topology, context.policy)
        try:
            await self._work.do(self._site)
        except (*CONNECT_ERRORS, WorldError) as error:
            raise FaultError(f"{self.title} on {primary.name}: {error}") from error

    async def effect(self, context: Context) -> Evidence:
        """What it made has data."""
        del context
        rows = await self._rows()
        return self._evidence("effect", rows > 0, rows)

    async def heal(self, context: Context) -> None:
        """Remove what it made."""
        del context
        if self._site is not None:
            try:
                await self._work.undo(self._site)
            except CONNECT_ERRORS as error:
                where = self._site.primary.name
                raise FaultError(f"{self.title} could not be undone on {where}: {error}") from error

    async def absence(self, context: Context) -> Evidence:
        """It is gone."""
        del context
        rows = await self._rows()
        return self._evidence("absence", rows == 0, rows)

    async def _rows(self) -> int:
        if self._site is None:
            return 0
        try:
            return await self._work.count(self._site)
        except CONNECT_ERRORS as error:
            raise FaultError(f"{self.title} cannot be seen: {error}") from error

    def _evidence(self, phase: str, shown: bool, rows: int) -> Evidence:
        where = self._site.primary.name if self._site is not None else "nowhere"
        return Evidence(
            self.title,
            phase,
            shown,
            f"{self._name} on {where}: {rows} rows",
            {"work": self._name, "node": where, "rows": rows},
        )
