"""Loss of the configuration store's leader: Consul's servers must elect another."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Literal

from faults.deadline import look_until
from faults.manual import Manual
from faults.parameter import Parameter
from faults.process_kill import ProcessKill
from faults.process_pause import ProcessPause
from faults.protocol import Context, Evidence, Fault, FaultError
from faults.region_cut import RegionCut
from faults.target import TargetKind

ROLE = "role:dcs-leader"
LOST_S = 15.0
FOUND_S = 60.0


class DcsLeaderLoss(Fault):
    """Kills, pauses or cuts off the leader of the configuration store.

    Args:
        target: ``role:dcs-leader``.
        mode: ``kill`` or ``pause`` its Consul, or ``region-cut`` its region.
    """

    kind: ClassVar[str] = "dcs-leader-loss"
    manual: ClassVar[Manual] = Manual(
        summary="Takes away the leader of the configuration store (Consul), in one of three ways.",
        target=TargetKind.LEADER,
        parameters=(
            Parameter(
                name="mode",
                description=(
                    "`kill`: SIGKILL of its Consul; `pause`: SIGSTOP of it; `region-cut`: all "
                    "links of its region."
                ),
                choices=("kill", "pause", "region-cut"),
                default="kill",
            ),
        ),
        effect=(
            "What shows a `process-kill`, `process-pause` or `region-cut`; and within 15 s most "
            "servers name another leader, or none."
        ),
        absence=(
            "What shows the absence of that fault; and most servers name a leader, within 60 s."
        ),
        side_effects=(
            "Those of the fault that the mode stands for. The heal deposes the new leader where "
            "the old one returns with a higher term: another election of some seconds."
        ),
    )

    def __init__(
        self, target: str = ROLE, *, mode: Literal["kill", "pause", "region-cut"] = "kill"
    ) -> None:
        self.target = target
        self._mode = mode
        self._former = ""
        self._fault: Fault | None = None

    async def inject(self, context: Context) -> None:
        """Take the leader away."""
        self._former = await context.resolve(self.target)
        # One look at the role: it may move between two.
        if self._mode == "region-cut":
            self._fault = RegionCut(context.world.topology.node(self._former).region)
        elif self._mode == "kill":
            self._fault = ProcessKill(f"{self._former}/consul")
        else:
            self._fault = ProcessPause(f"{self._former}/consul")
        await self._fault.inject(dataclasses.replace(context, resolve=_itself))

    async def effect(self, context: Context) -> Evidence:
        """The fault bites, and the leader leads no more."""
        assert self._fault is not None
        shown = await self._fault.effect(context)
        began = context.now()

        async def look() -> str | None:
            return await self._leader(context)

        leader = await look_until(look, lambda name: name != self._former, limit_s=LOST_S)
        took_s = (context.now() - began) / 1e9
        now = "nobody leads" if leader is None else f"{leader} leads"
        return self._evidence(
            shown,
            told=f"{self._former} led; {took_s:.1f} s later {now}",
            leader=leader,
            also=leader != self._former,
        )

    async def heal(self, context: Context) -> None:
        """Heal the fault that took the leader away."""
        if self._fault is not None:
            await self._fault.heal(context)

    async def absence(self, context: Context) -> Evidence:
        """The fault is gone, and somebody leads."""
        assert self._fault is not None
        shown = await self._fault.absence(context)

        async def look() -> str | None:
            return await self._leader(context)

        leader = await look_until(look, lambda name: name is not None, limit_s=FOUND_S)
        return self._evidence(
            shown,
            told=f"{leader} leads" if leader else "nobody leads",
            leader=leader,
            also=leader is not None,
        )

    async def _leader(self, context: Context) -> str | None:
        try:
            return await context.resolve(self.target)
        except FaultError:
            return None

    def _evidence(self, inner: Evidence, *, told: str, leader: str | None, also: bool) -> Evidence:
        return dataclasses.replace(
            inner,
            fault=self.title,
            shown=inner.shown and also,
            observation=f"{inner.observation}; {told}",
            readings={**inner.readings, "former_leader": self._former, "leader": leader},
        )


async def _itself(name: str) -> str:
    """Resolves names that are no roles."""
    return name
