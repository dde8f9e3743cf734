"""Link slow close: the end of a stream arrives late on a directed link."""

from __future__ import annotations

from typing import ClassVar

from faults import trial
from faults.direction import DIRECTION, OneWayOrBoth
from faults.link_toxic import Finding, LinkToxic, Pair
from faults.manual import Manual
from faults.parameter import Parameter
from faults.protocol import Context
from faults.target import TargetKind


class LinkSlowClose(LinkToxic):
    """Holds back the end of every stream.

    Args:
        target: ``REGION->REGION``.
        delay_ms: How long the end is held back.
        direction: ``one-way`` as the arrow points, or ``both``.
    """

    kind: ClassVar[str] = "link-slow-close"
    toxic: ClassVar[str] = "slow_close"
    manual: ClassVar[Manual] = Manual(
        summary="Holds back the closing of TCP connections on a link.",
        target=TargetKind.LINK,
        parameters=(
            Parameter("delay_ms", "How long the end of a stream waits.", "ms", 100, 10_000),
            DIRECTION,
        ),
        effect=(
            "The end of a stream, half-closed by its sender, takes longer than before by "
            "`delay_ms`, give or take 10 % and (upwards) 1 s."
        ),
        absence="It takes no longer than before by half of `delay_ms`.",
        side_effects="Both ends keep a connection's resources for as long. Data is not delayed.",
    )

    def __init__(self, target: str, *, delay_ms: int, direction: OneWayOrBoth = "one-way") -> None:
        super().__init__(target, direction)
        self._delay_ms = delay_ms
        self._before_ms: dict[Pair, float] = {}

    def _parameters(self) -> dict[str, int]:
        return {"delay_ms": self._delay_ms}

    async def _prepare(self, context: Context, pair: Pair) -> None:
        before_ms = await self._close_ms(context, pair)
        if before_ms is not None:
            self._before_ms[pair] = before_ms

    async def _bites(self, context: Context, pair: Pair) -> Finding:
        return await self._compare(
            context, pair, 0.9 * self._delay_ms, 1.1 * self._delay_ms + 1000.0
        )

    async def _gone(self, context: Context, pair: Pair) -> Finding:
        return await self._compare(context, pair, float("-inf"), 0.5 * self._delay_ms)

    async def _compare(self, context: Context, pair: Pair, least: float, most: float) -> Finding:
        before_ms = self._before_ms.get(pair)
        now_ms = await self._close_ms(context, pair)
        if before_ms is None or now_ms is None:
            when = "before the injection" if before_ms is None else "now"
            return Finding(False, f"no connection could be made and closed {when}")
        sentence = (
            f"the end of a stream takes {now_ms:.0f} ms, {before_ms:.0f} ms before; "
            f"{self._delay_ms} ms asked"
        )
        readings = {"before_ms": before_ms, "now_ms": now_ms, "asked_ms": self._delay_ms}
        return Finding(least <= now_ms - before_ms <= most, sentence, readings)

    async def _close_ms(self, context: Context, pair: Pair) -> float | None:
        seconds = await trial.close(context, pair, limit_s=4.0 + 2 * self._delay_ms / 1000)
        return None if seconds is None else seconds * 1000
