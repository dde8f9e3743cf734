"""Link time-out: data sent on a directed link vanishes, while connections stay open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from faults import trial
from faults.direction import DIRECTION, OneWayOrBoth
from faults.link_toxic import Finding, LinkToxic, Pair
from faults.manual import Manual
from faults.parameter import Parameter
from faults.protocol import Context
from faults.target import TargetKind
from testbed.clients.postgres_entry import NODE_PORT
from testbed.topology.model import Topology

CONNECTIONS = 3
SILENCE_S = 1.5
ALL, POSTGRES = "all", "postgres"


class LinkTimeout(LinkToxic):
    """Swallows data of connections without closing them.

    Args:
        target: ``REGION->REGION``.
        timeout_ms: After it a connection is closed; 0 for never.
        service: ``all``, or ``postgres`` for connections to PostgreSQL's port alone.
        direction: ``one-way`` as the arrow points, or ``both``.
    """

    kind: ClassVar[str] = "link-timeout"
    toxic: ClassVar[str] = "timeout"
    manual: ClassVar[Manual] = Manual(
        summary="Swallows the TCP data sent on a link; connections open, and nothing arrives.",
        target=TargetKind.LINK,
        parameters=(
            Parameter(
                "timeout_ms",
                "After it a connection without data is closed; 0: never.",
                "ms",
                0,
                60_000,
                (),
                0,
            ),
            Parameter(
                "service",
                "`postgres`: only connections to port 5432, as replication's; Patroni's, Consul's "
                "and the observers' go on.",
                choices=(ALL, POSTGRES),
                default=ALL,
            ),
            DIRECTION,
        ),
        effect=(
            "On 3 fresh connections either way no message is answered within 1.5 s. Of "
            "`postgres`: no server of PostgreSQL answers, and an observer does."
        ),
        absence="On 3 fresh connections every message is answered, of `postgres` by a server.",
        side_effects=(
            "Healing closes every connection of the link that it held, as Toxiproxy's `timeout` "
            "does when it is removed. What was swallowed is acknowledged by TCP and never sent "
            "again. Datagrams still pass: gossip takes the region for alive. For a partition use "
            "`link-cut`. With `postgres` a standby falls behind that Patroni takes for healthy."
        ),
    )

    def __init__(
        self,
        target: str,
        *,
        timeout_ms: int = 0,
        service: Literal["all", "postgres"] = "all",
        direction: OneWayOrBoth = "one-way",
    ) -> None:
        super().__init__(target, direction)
        self._timeout_ms = timeout_ms
        self._service = service
        self._answered: dict[Pair, int] = {}

    @classmethod
    def objections(cls, target: str, values: Mapping[str, Any], topology: Topology) -> list[str]:
        """Where no connection to PostgreSQL crosses a link nothing can be swallowed."""
        regions = {region.name for region in topology.regions}
        ends = target.split("->")
        if values["service"] == ALL or not regions.issuperset(ends):
            return []
        if any(trial.reachable(topology, end) for end in ends):
            return []
        return [f"no region of {target} has a PostgreSQL server that the other one may reach"]

    @property
    def _port(self) -> int | None:
        return NODE_PORT if self._service == POSTGRES else None

    def _parameters(self) -> dict[str, int]:
        return {"timeout_ms": self._timeout_ms}

    async def _prepare(self, context: Context, pair: Pair) -> None:
        self._answered[pair] = await self._count(context, pair)

    async def _bites(self, context: Context, pair: Pair) -> Finding:
        answered = await self._count(context, pair)
        silent = self._answered.get(pair) == CONNECTIONS and not answered
        found = self._told(pair, answered, silent)
        if self._service == ALL:
            return found
        others = len((await self._delays(context, pair)).each_ms)
        return Finding(
            silent and others > 0,
            f"{found.sentence}; of {CONNECTIONS} to an observer {others}",
            {**found.readings, "others_answered": others},
        )

    async def _gone(self, context: Context, pair: Pair) -> Finding:
        answered = await self._count(context, pair)
        return self._told(pair, answered, answered == CONNECTIONS)

    def _told(self, pair: Pair, answered: int, shown: bool) -> Finding:
        before = self._answered.get(pair, 0)
        to = "" if self._service == ALL else " to PostgreSQL"
        return Finding(
            shown,
            f"{answered} of {CONNECTIONS} connections{to} answered, {before} before",
            {"answered": answered, "answered_before": before},
        )

    async def _count(self, context: Context, pair: Pair) -> int:
        """On how many fresh connections of those that are meant something is answered."""
        if self._service == POSTGRES:
            return await trial.asked(context, pair, connections=CONNECTIONS, limit_s=SILENCE_S)
        return len((await self._delays(context, pair)).each_ms)

    async def _delays(self, context: Context, pair: Pair) -> trial.Delays:
        return await trial.delays(context, pair, connections=CONNECTIONS, limit_s=SILENCE_S)
