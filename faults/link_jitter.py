"""Link jitter: the bytes of a directed link arrive later by amounts that vary."""

from __future__ import annotations

from typing import ClassVar

from faults import trial
from faults.direction import DIRECTION, OneWayOrBoth
from faults.link_toxic import Finding, LinkToxic, Pair
from faults.manual import Manual
from faults.parameter import Parameter
from faults.protocol import Context
from faults.target import TargetKind

CONNECTIONS = 24
TOLERANCE_MS = 5.0


class LinkJitter(LinkToxic):
    """Adds a one-way delay that is drawn anew for every piece of data.

    Args:
        target: ``REGION->REGION``.
        jitter_ms: The added delay is uniform between 0 and this.
        direction: ``one-way`` as the arrow points, or ``both``.
    """

    kind: ClassVar[str] = "link-jitter"
    toxic: ClassVar[str] = "latency"
    manual: ClassVar[Manual] = Manual(
        summary="Adds a varying one-way delay, uniform from 0 up, to the TCP bytes of a link.",
        target=TargetKind.LINK,
        parameters=(
            Parameter("jitter_ms", "Greatest delay that is added.", "ms", 10, 10_000),
            DIRECTION,
        ),
        effect=(
            "First and ninth decile of the one-way delays of 24 fresh connections are further "
            "apart than before by 0.4 to 1.2 times `jitter_ms`, give or take 5 ms."
        ),
        absence="They are no further apart than before by 0.25 times `jitter_ms` and 5 ms.",
        side_effects=(
            "The mean delay rises by half of `jitter_ms`: no link can be faster than it is. TCP "
            "keeps the order, so a late piece holds up those behind it. Datagrams are not delayed."
        ),
    )

    def __init__(self, target: str, *, jitter_ms: int, direction: OneWayOrBoth = "one-way") -> None:
        super().__init__(target, direction)
        self._jitter_ms = jitter_ms
        self._before_ms: dict[Pair, float] = {}

    def _parameters(self) -> dict[str, int]:
        # Toxiproxy draws from delay - jitter to delay + jitter.
        return {"delay_ms": self._jitter_ms // 2, "jitter_ms": self._jitter_ms // 2}

    async def _prepare(self, context: Context, pair: Pair) -> None:
        before_ms = (await self._delays(context, pair)).spread_ms
        if before_ms is not None:
            self._before_ms[pair] = before_ms

    async def _bites(self, context: Context, pair: Pair) -> Finding:
        least = 0.4 * self._jitter_ms - TOLERANCE_MS
        most = 1.2 * self._jitter_ms + TOLERANCE_MS
        return await self._compare(context, pair, max(1.0, least), most)

    async def _gone(self, context: Context, pair: Pair) -> Finding:
        most = 0.25 * self._jitter_ms + TOLERANCE_MS
        return await self._compare(context, pair, float("-inf"), most)

    async def _compare(self, context: Context, pair: Pair, least: float, most: float) -> Finding:
        before_ms = self._before_ms.get(pair)
        if before_ms is None:
            return Finding(False, "no byte crossed the link before the injection")
        now_ms = (await self._delays(context, pair)).spread_ms
        readings = {"before_ms": before_ms, "now_ms": now_ms, "asked_ms": self._jitter_ms}
        if now_ms is None:
            return Finding(False, "no byte crosses the link", readings)
        sentence = (
            f"one-way delays spread over {now_ms:.1f} ms from first to ninth decile, "
            f"{before_ms:.1f} ms before; up to {self._jitter_ms} ms asked"
        )
        return Finding(least <= now_ms - before_ms <= most, sentence, readings)

    async def _delays(self, context: Context, pair: Pair) -> trial.Delays:
        limit_s = 3.0 + 4 * self._jitter_ms / 1000
        return await trial.delays(context, pair, connections=CONNECTIONS, limit_s=limit_s)
