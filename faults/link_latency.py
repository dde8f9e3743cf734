"""Link latency: every byte of a directed link arrives later."""

from __future__ import annotations

from typing import ClassVar

from faults import trial
from faults.direction import DIRECTION, OneWayOrBoth
from faults.link_toxic import Finding, LinkToxic, Pair
from faults.manual import Manual
from faults.parameter import Parameter
from faults.protocol import Context
from faults.target import TargetKind

CONNECTIONS = 9
TOLERANCE_MS = 5.0
TOLERANCE_SHARE = 0.1


class LinkLatency(LinkToxic):
    """Adds one-way delay.

    Args:
        target: ``REGION->REGION``.
        added_ms: On top of the link's own delay.
        direction: ``one-way`` as the arrow points, or ``both``.
    """

    kind: ClassVar[str] = "link-latency"
    toxic: ClassVar[str] = "latency"
    manual: ClassVar[Manual] = Manual(
        summary="Adds one-way delay to the TCP bytes of a link.",
        target=TargetKind.LINK,
        parameters=(
            Parameter("added_ms", "Delay on top of the link's own.", "ms", 1, 10_000),
            DIRECTION,
        ),
        effect=(
            "The median one-way delay of 9 fresh connections from region to region has risen by "
            "`added_ms`, give or take 5 ms and 10 %. Latency that other faults add or take away "
            "meanwhile is allowed for."
        ),
        absence="The same median is back to what it was or below, give or take 5 ms and 10 %.",
        side_effects="Datagrams (Consul's gossip) are not delayed.",
    )

    def __init__(self, target: str, *, added_ms: int, direction: OneWayOrBoth = "one-way") -> None:
        super().__init__(target, direction)
        self._added_ms = added_ms
        self._before_ms: dict[Pair, float] = {}
        self._asked_before_ms: dict[Pair, int] = {}

    def _parameters(self) -> dict[str, int]:
        return {"delay_ms": self._added_ms}

    async def _prepare(self, context: Context, pair: Pair) -> None:
        self._asked_before_ms[pair] = await self._asked_ms(context, pair)
        before_ms = (await self._delays(context, pair)).median_ms
        if before_ms is not None:
            self._before_ms[pair] = before_ms

    async def _bites(self, context: Context, pair: Pair) -> Finding:
        return await self._compare(context, pair, less_is_wrong=True)

    async def _gone(self, context: Context, pair: Pair) -> Finding:
        # A busy machine may have slowed the measurement before: being faster now is no trace.
        return await self._compare(context, pair, less_is_wrong=False)

    async def _compare(self, context: Context, pair: Pair, *, less_is_wrong: bool) -> Finding:
        """How much later bytes arrive than before, against what the toxics on the link ask for."""
        before_ms = self._before_ms.get(pair)
        if before_ms is None:
            return Finding(False, "no byte crossed the link before the injection")
        asked_ms = await self._asked_ms(context, pair) - self._asked_before_ms[pair]
        now_ms = (await self._delays(context, pair)).median_ms
        readings = {"before_ms": before_ms, "now_ms": now_ms, "asked_ms": asked_ms}
        if now_ms is None:
            return Finding(False, "no byte crosses the link", readings)
        rise_ms = now_ms - before_ms
        tolerance_ms = TOLERANCE_MS + TOLERANCE_SHARE * abs(asked_ms)
        sentence = (
            f"one-way delay {now_ms:.1f} ms, {before_ms:.1f} ms before: "
            f"{rise_ms:+.1f} ms, {asked_ms:+d} ms asked"
        )
        excess_ms = rise_ms - asked_ms
        shown = excess_ms <= tolerance_ms and (excess_ms >= -tolerance_ms or not less_is_wrong)
        return Finding(shown, sentence, readings)

    async def _asked_ms(self, context: Context, pair: Pair) -> int:
        toxics = await self._toxics(context, pair)
        return sum(t.parameters.get("delay_ms", 0) for t in toxics if t.kind == self.toxic)

    async def _delays(self, context: Context, pair: Pair) -> trial.Delays:
        limit_s = 3.0 + 4 * self._added_ms / 1000
        return await trial.delays(context, pair, connections=CONNECTIONS, limit_s=limit_s)
