"""Link latency: every byte of a directed link arrives later."""

from __future__ import annotations

from dataclasses import dataclass
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
JITTER_SHARE = 0.25
"""The least of nine uniform draws is within it in 92 of 100 trials, and trials are repeated."""
TRIALS_BEFORE = 3
"""The link without the fault is tried again while the machine makes it slower than it is."""


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
            "The least one-way delay of 9 fresh connections from region to region has risen by "
            "`added_ms`, give or take 5 ms, 10 % and a quarter of the link's jitter, and by half "
            "of it at least: a busy machine makes bytes later, and none sooner. Latency that other "
            "faults add or take away meanwhile is allowed for."
        ),
        absence="The same delay is back to what it was or below, with the same tolerance.",
        side_effects="Datagrams (Consul's gossip) are not delayed.",
    )

    def __init__(self, target: str, *, added_ms: int, direction: OneWayOrBoth = "one-way") -> None:
        super().__init__(target, direction)
        self._added_ms = added_ms
        self._before: dict[Pair, _Seen] = {}

    def _parameters(self) -> dict[str, int]:
        return {"delay_ms": self._added_ms}

    async def _prepare(self, context: Context, pair: Pair) -> None:
        for _ in range(TRIALS_BEFORE):
            seen = await self._seen(context, pair)
            known = self._before.get(pair)
            if seen is not None and (known is None or seen.least_ms < known.least_ms):
                self._before[pair] = seen
            if seen is None or seen.least_ms <= seen.asked_ms + TOLERANCE_MS:
                return

    async def _bites(self, context: Context, pair: Pair) -> Finding:
        return await self._compare(context, pair, less_is_wrong=True)

    async def _gone(self, context: Context, pair: Pair) -> Finding:
        # A busy machine may have slowed the measurement before: being faster now is no trace.
        return await self._compare(context, pair, less_is_wrong=False)

    async def _compare(self, context: Context, pair: Pair, *, less_is_wrong: bool) -> Finding:
        """How much later bytes arrive than before, against what the toxics on the link ask for."""
        before = self._before.get(pair)
        if before is None:
            return Finding(False, "no byte crossed the link before the injection")
        now = await self._seen(context, pair)
        if now is None:
            return Finding(False, "no byte crosses the link", {"before_ms": before.least_ms})
        asked_ms, rise_ms = now.asked_ms - before.asked_ms, now.least_ms - before.least_ms
        readings = {"before_ms": before.least_ms, "now_ms": now.least_ms, "asked_ms": asked_ms}
        sentence = (
            f"one-way delay {now.least_ms:.1f} ms, {before.least_ms:.1f} ms before: "
            f"{rise_ms:+.1f} ms, {asked_ms:+d} ms asked"
        )
        tolerance_ms = TOLERANCE_MS + TOLERANCE_SHARE * abs(asked_ms)
        tolerance_ms += JITTER_SHARE * max(before.jitter_ms, now.jitter_ms)
        least_ms = asked_ms - tolerance_ms
        if asked_ms > 0:
            # However much it varies, what is shown is that every byte came later.
            least_ms = max(least_ms, asked_ms / 2)
        shown = rise_ms <= asked_ms + tolerance_ms and (rise_ms >= least_ms or not less_is_wrong)
        return Finding(shown, sentence, readings)

    async def _seen(self, context: Context, pair: Pair) -> _Seen | None:
        """What a link does and what is asked of it; None if no byte crosses it."""
        limit_s = 3.0 + 4 * self._added_ms / 1000
        least_ms = (
            await trial.delays(context, pair, connections=CONNECTIONS, limit_s=limit_s)
        ).least_ms
        if least_ms is None:
            return None
        each = [
            (toxic.parameters.get("delay_ms", 0), toxic.parameters.get("jitter_ms", 0))
            for toxic in await self._toxics(context, pair)
            if toxic.kind == self.toxic
        ]
        return _Seen(
            least_ms,
            sum(delay_ms - jitter_ms for delay_ms, jitter_ms in each),
            sum(2 * jitter_ms for _, jitter_ms in each),
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    """A directed link at one time.

    Args:
        least_ms: The fastest of some bytes.
        asked_ms: How late its toxics make the luckiest byte.
        jitter_ms: How much later they make the unluckiest.
    """

    least_ms: float
    asked_ms: int
    jitter_ms: int
