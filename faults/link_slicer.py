"""Link slicer: data crosses a directed link in small pieces with pauses."""

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

WORTH_S = 0.2
"""What the pauses of one trial should add up to."""
SLICES_MIN = 4
LINE_BYTES = 16_000


class LinkSlicer(LinkToxic):
    """Cuts data into slices with a pause after each.

    Args:
        target: ``REGION->REGION``.
        average_size_bytes: Of a slice.
        delay_us: Pause after a slice.
        size_variation_bytes: By how much a slice's size may differ; less than the average.
        direction: ``one-way`` as the arrow points, or ``both``.
    """

    kind: ClassVar[str] = "link-slicer"
    toxic: ClassVar[str] = "slicer"
    manual: ClassVar[Manual] = Manual(
        summary="Cuts the TCP bytes of a link into small slices with a pause after each.",
        target=TargetKind.LINK,
        parameters=(
            Parameter("average_size_bytes", "Size of a slice.", "bytes", 256, 4096),
            Parameter("delay_us", "Pause after each slice.", "us", 500, 1_000_000),
            Parameter(
                "size_variation_bytes",
                "By how much sizes vary; less than the average size.",
                "bytes",
                0,
                4095,
                (),
                0,
            ),
            DIRECTION,
        ),
        effect=(
            "A push of some slices' worth takes longer than before by 0.7 times its pauses or more."
        ),
        absence="It takes longer than before by less than 0.4 times its pauses.",
        side_effects=(
            "Slices have between half and the whole of the average size, so that pauses add up to "
            "as much as twice size / average_size_bytes x delay_us. Datagrams are not sliced."
        ),
    )

    def __init__(
        self,
        target: str,
        *,
        average_size_bytes: int,
        delay_us: int,
        size_variation_bytes: int = 0,
        direction: OneWayOrBoth = "one-way",
    ) -> None:
        super().__init__(target, direction)
        self._average_size_bytes = average_size_bytes
        self._delay_us = delay_us
        self._size_variation_bytes = size_variation_bytes
        self._before_s: dict[Pair, float] = {}

    @classmethod
    def objections(cls, target: str, values: Mapping[str, Any], topology: Topology) -> list[str]:
        """Sizes must vary by less than the average."""
        del target, topology
        average, variation = values["average_size_bytes"], values["size_variation_bytes"]
        if variation < average:
            return []
        return [f"'size_variation_bytes' must be less than the average size {average}"]

    def _parameters(self) -> dict[str, int]:
        return {
            "average_size_bytes": self._average_size_bytes,
            "size_variation_bytes": self._size_variation_bytes,
            "delay_us": self._delay_us,
        }

    async def _prepare(self, context: Context, pair: Pair) -> None:
        before_s = await self._seconds(context, pair)
        if before_s is not None:
            self._before_s[pair] = before_s

    async def _bites(self, context: Context, pair: Pair) -> Finding:
        return await self._compare(context, pair, 0.7, float("inf"))

    async def _gone(self, context: Context, pair: Pair) -> Finding:
        return await self._compare(context, pair, float("-inf"), 0.4)

    async def _compare(self, context: Context, pair: Pair, least: float, most: float) -> Finding:
        before_s = self._before_s.get(pair)
        now_s = await self._seconds(context, pair)
        if before_s is None or now_s is None:
            when = "before the injection" if before_s is None else "now"
            return Finding(False, f"no push arrived whole {when}")
        pauses_s = self._slices * self._delay_us / 1e6
        sentence = (
            f"{self._slices * self._average_size_bytes} bytes take {now_s * 1000:.0f} ms, "
            f"{before_s * 1000:.0f} ms before; their pauses are {pauses_s * 1000:.0f} ms or more"
        )
        readings = {"before_s": before_s, "now_s": now_s, "pauses_s": pauses_s}
        shown = least * pauses_s <= now_s - before_s <= most * pauses_s
        return Finding(shown, sentence, readings)

    @property
    def _slices(self) -> int:
        return max(SLICES_MIN, math.ceil(WORTH_S * 1e6 / self._delay_us))

    async def _seconds(self, context: Context, pair: Pair) -> float | None:
        size_bytes = max(1024, self._slices * self._average_size_bytes)
        sent = await trial.push(
            context,
            pair,
            size_bytes=size_bytes,
            lines=math.ceil(size_bytes / LINE_BYTES),
            limit_s=6.0 + 12 * self._slices * self._delay_us / 1e6,
        )
        return sent.seconds if sent is not None and sent.whole else None
