"""Link reset: connections across a directed link are reset soon after they carry data."""

from __future__ import annotations

from typing import ClassVar

from faults import trial
from faults.direction import DIRECTION, OneWayOrBoth
from faults.link_toxic import Finding, LinkToxic, Pair
from faults.manual import Manual
from faults.parameter import Parameter
from faults.protocol import Context
from faults.target import TargetKind

TOLERANCE_S = 1.5


class LinkReset(LinkToxic):
    """Resets connections that send on the link.

    Args:
        target: ``REGION->REGION``.
        timeout_ms: From a connection's first data to its reset.
        direction: ``one-way`` as the arrow points, or ``both``.
    """

    kind: ClassVar[str] = "link-reset"
    toxic: ClassVar[str] = "reset_peer"
    manual: ClassVar[Manual] = Manual(
        summary="Resets every TCP connection on which data is sent over the link.",
        target=TargetKind.LINK,
        parameters=(
            Parameter(
                "timeout_ms", "From a connection's first data to its reset.", "ms", 0, 10_000, (), 0
            ),
            DIRECTION,
        ),
        effect=(
            "A fresh connection that sends is ended within `timeout_ms` and 1.5 s; the evidence "
            "says whether by a reset."
        ),
        absence="A fresh connection that sends for as long stays open.",
        side_effects=(
            "Connections that were open at the injection are closed in order, not reset, at their "
            "next data; whoever opened them connects anew, again and again."
        ),
    )

    def __init__(
        self, target: str, *, timeout_ms: int = 0, direction: OneWayOrBoth = "one-way"
    ) -> None:
        super().__init__(target, direction)
        self._timeout_ms = timeout_ms

    def _parameters(self) -> dict[str, int]:
        return {"timeout_ms": self._timeout_ms}

    async def _prepare(self, context: Context, pair: Pair) -> None:
        """Nothing: an open connection before is no news."""

    async def _bites(self, context: Context, pair: Pair) -> Finding:
        return await self._judge(context, pair, ended=True)

    async def _gone(self, context: Context, pair: Pair) -> Finding:
        return await self._judge(context, pair, ended=False)

    async def _judge(self, context: Context, pair: Pair, *, ended: bool) -> Finding:
        seconds = self._timeout_ms / 1000 + TOLERANCE_S
        stayed = await trial.stay(context, pair, seconds=seconds)
        if stayed is None:
            return Finding(False, "no connection can be made over the link")
        lasted_s, how = stayed
        words = {"open": "is still open", "end": "was closed", "reset": "was reset"}
        sentence = f"a fresh connection with data {words[how]} after {lasted_s:.2f} s"
        return Finding((how != "open") == ended, sentence, {"seconds": lasted_s, "ended": how})
