"""Link time-out: data sent on a directed link vanishes, while connections stay open."""

from __future__ import annotations

from typing import ClassVar

from faults import trial
from faults.direction import DIRECTION, OneWayOrBoth
from faults.link_toxic import Finding, LinkToxic, Pair
from faults.manual import Manual
from faults.parameter import Parameter
from faults.protocol import Context
from faults.target import TargetKind

CONNECTIONS = 3
SILENCE_S = 1.5


class LinkTimeout(LinkToxic):
    """Swallows data of connections without closing them.

    Args:
        target: ``REGION->REGION``.
        timeout_ms: After it a connection is closed; 0 for never.
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
            DIRECTION,
        ),
        effect="On 3 fresh connections either way no message is answered within 1.5 s.",
        absence="On 3 fresh connections every message is answered.",
        side_effects=(
            "Healing closes every connection of the link, as Toxiproxy's `timeout` does when it is "
            "removed. What was swallowed is acknowledged by TCP and never sent again. Datagrams "
            "still pass: gossip takes the region for alive. For a partition use `link-cut`."
        ),
    )

    def __init__(
        self, target: str, *, timeout_ms: int = 0, direction: OneWayOrBoth = "one-way"
    ) -> None:
        super().__init__(target, direction)
        self._timeout_ms = timeout_ms
        self._answered: dict[Pair, int] = {}

    def _parameters(self) -> dict[str, int]:
        return {"timeout_ms": self._timeout_ms}

    async def _prepare(self, context: Context, pair: Pair) -> None:
        self._answered[pair] = len((await self._delays(context, pair)).each_ms)

    async def _bites(self, context: Context, pair: Pair) -> Finding:
        found = await self._delays(context, pair)
        silent = self._answered.get(pair) == CONNECTIONS and not found.each_ms
        return Finding(silent, *self._told(pair, found))

    async def _gone(self, context: Context, pair: Pair) -> Finding:
        found = await self._delays(context, pair)
        return Finding(found.unanswered == 0, *self._told(pair, found))

    def _told(self, pair: Pair, found: trial.Delays) -> tuple[str, dict[str, object]]:
        answered, before = len(found.each_ms), self._answered.get(pair, 0)
        sentence = f"{answered} of {CONNECTIONS} connections answered, {before} before"
        return sentence, {"answered": answered, "answered_before": before}

    async def _delays(self, context: Context, pair: Pair) -> trial.Delays:
        return await trial.delays(context, pair, connections=CONNECTIONS, limit_s=SILENCE_S)
