"""Link bandwidth: a directed link carries no more than so many bytes a second."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from faults import trial
from faults.direction import DIRECTION, OneWayOrBoth
from faults.link_toxic import Finding, LinkToxic, Pair
from faults.manual import Manual
from faults.parameter import Parameter
from faults.protocol import Context
from faults.target import TargetKind
from testbed.topology.model import Topology

TOLERANCE = 1.25
"""A measured rate up to this multiple of the limit is within it."""
CLEAR = 1.5
"""Without the limit the link must be this much faster than with it, or nothing is shown."""
BURST_BYTES_MIN = 16_000
BURST_BYTES_MAX = 2_000_000
LINE_BYTES = 16_000


class LinkBandwidth(LinkToxic):
    """Limits the rate of each connection.

    Args:
        target: ``REGION->REGION``.
        kbytes_s: Kilobytes (1000 bytes) a second.
        direction: ``one-way`` as the arrow points, or ``both``.
    """

    kind: ClassVar[str] = "link-bandwidth"
    toxic: ClassVar[str] = "bandwidth"
    manual: ClassVar[Manual] = Manual(
        summary="Limits the rate of the TCP bytes of a link.",
        target=TargetKind.LINK,
        parameters=(
            Parameter("kbytes_s", "The limit, for each connection.", "kbytes/s", 8, 10_000),
            DIRECTION,
        ),
        effect=(
            "A burst of a second's worth (16 kB to 2 MB) from region to region arrives at no more "
            "than 1.25 times the limit, and had arrived at 1.5 times the limit or more before."
        ),
        absence=(
            "The same burst arrives at more than 1.25 times the limit and at 0.6 times the former "
            "rate or more, as far as the limits that are left allow."
        ),
        side_effects=(
            "The limit is each connection's, not the link's: two connections get twice as much. "
            "Datagrams are not limited. The bursts themselves load the link for about a second."
        ),
    )

    def __init__(self, target: str, *, kbytes_s: int, direction: OneWayOrBoth = "one-way") -> None:
        super().__init__(target, direction)
        self._kbytes_s = kbytes_s
        self._before_kbytes_s: dict[Pair, float] = {}

    @classmethod
    def objections(cls, target: str, values: Mapping[str, Any], topology: Topology) -> list[str]:
        """A link that is about as slow already shows nothing."""
        ends = target.split("->")
        pairs = [ends, ends[::-1]] if values["direction"] == "both" else [ends]
        limits = {(one.source, one.target): one.bandwidth_kbytes_s for one in topology.links}
        return [
            f"{'->'.join(pair)} carries {limit} kbytes/s by itself: a limit of "
            f"{values['kbytes_s']} cannot be shown to bite; ask for {int(limit / CLEAR)} or less"
            for pair in pairs
            if (limit := limits.get((pair[0], pair[1]))) is not None
            and limit < CLEAR * values["kbytes_s"]
        ]

    def _parameters(self) -> dict[str, int]:
        return {"rate_kbytes_s": self._kbytes_s}

    async def _prepare(self, context: Context, pair: Pair) -> None:
        self._before_kbytes_s[pair] = await self._rate(context, pair)

    async def _bites(self, context: Context, pair: Pair) -> Finding:
        before, now = self._before_kbytes_s.get(pair, 0.0), await self._rate(context, pair)
        within = 0 < now <= TOLERANCE * self._kbytes_s
        return self._found(within and before >= CLEAR * self._kbytes_s, before, now)

    async def _gone(self, context: Context, pair: Pair) -> Finding:
        left = [
            toxic.parameters["rate_kbytes_s"]
            for toxic in await self._toxics(context, pair)
            if toxic.kind == self.toxic
        ]
        before, now = self._before_kbytes_s.get(pair, 0.0), await self._rate(context, pair)
        possible = min([before, *left])
        freed = now > TOLERANCE * self._kbytes_s or possible <= TOLERANCE * self._kbytes_s
        return self._found(freed and 0 < 0.6 * possible <= now, before, now)

    def _found(self, shown: bool, before: float, now: float) -> Finding:
        sentence = (
            f"a burst of {self._burst_bytes / 1000:.0f} kB arrives at {now:.0f} kbytes/s, "
            f"{before:.0f} before; the limit is {self._kbytes_s}"
        )
        return Finding(shown, sentence, {"before_kbytes_s": before, "now_kbytes_s": now})

    @property
    def _burst_bytes(self) -> int:
        return min(BURST_BYTES_MAX, max(BURST_BYTES_MIN, self._kbytes_s * 1000))

    async def _rate(self, context: Context, pair: Pair) -> float:
        """Measured kilobytes a second; 0 when the burst did not arrive whole."""
        size_bytes = self._burst_bytes
        sent = await trial.push(
            context,
            pair,
            size_bytes=size_bytes,
            lines=math.ceil(size_bytes / LINE_BYTES),
            limit_s=4.0 + 2 * size_bytes / 1000 / self._kbytes_s,
        )
        return sent.kbytes_s if sent is not None and sent.whole else 0.0
