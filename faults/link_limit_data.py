"""Link data limit: a connection across a directed link ends after so many bytes."""

from __future__ import annotations

from typing import ClassVar

from faults import trial
from faults.direction import DIRECTION, OneWayOrBoth
from faults.link_toxic import Finding, LinkToxic, Pair
from faults.manual import Manual
from faults.parameter import Parameter
from faults.protocol import Context
from faults.target import TargetKind

BEYOND_BYTES = 64_000
LINES = 64


class LinkLimitData(LinkToxic):
    """Closes each connection once it has carried so much.

    Args:
        target: ``REGION->REGION``.
        limit_bytes: What a connection may carry from then on.
        direction: ``one-way`` as the arrow points, or ``both``.
    """

    kind: ClassVar[str] = "link-limit-data"
    toxic: ClassVar[str] = "limit_data"
    manual: ClassVar[Manual] = Manual(
        summary="Closes each TCP connection after it carried so many bytes over the link.",
        target=TargetKind.LINK,
        parameters=(
            Parameter(
                "limit_bytes", "What a connection may still carry.", "bytes", 4096, 1_000_000
            ),
            DIRECTION,
        ),
        effect=(
            "A push of `limit_bytes` and 64 kB over a fresh connection is ended by the other side "
            "with no more than `limit_bytes` answered."
        ),
        absence="The same push is answered whole.",
        side_effects=(
            "Open connections are closed as well, once they carried as much; replication and "
            "gossip connect anew, again and again."
        ),
    )

    def __init__(
        self, target: str, *, limit_bytes: int, direction: OneWayOrBoth = "one-way"
    ) -> None:
        super().__init__(target, direction)
        self._limit_bytes = limit_bytes

    def _parameters(self) -> dict[str, int]:
        return {"limit_bytes": self._limit_bytes}

    async def _prepare(self, context: Context, pair: Pair) -> None:
        """Nothing: a push that arrives whole before is no news."""

    async def _bites(self, context: Context, pair: Pair) -> Finding:
        sent = await self._push(context, pair)
        if sent is None:
            return Finding(False, "no connection can be made over the link")
        limited = sent.ended != "open" and sent.answered_bytes <= self._limit_bytes
        return Finding(limited, *self._told(sent))

    async def _gone(self, context: Context, pair: Pair) -> Finding:
        sent = await self._push(context, pair)
        if sent is None:
            return Finding(False, "no connection can be made over the link")
        return Finding(sent.whole, *self._told(sent))

    def _told(self, sent: trial.Push) -> tuple[str, dict[str, object]]:
        words = {"open": "open", "end": "closed", "reset": "reset"}[sent.ended]
        sentence = (
            f"of {sent.size_bytes} bytes {sent.answered_bytes} were answered, the connection "
            f"is {words}; the limit is {self._limit_bytes}"
        )
        readings = {"sent_bytes": sent.size_bytes, "answered_bytes": sent.answered_bytes}
        return sentence, {**readings, "ended": sent.ended}

    async def _push(self, context: Context, pair: Pair) -> trial.Push | None:
        return await trial.push(
            context,
            pair,
            size_bytes=self._limit_bytes + BEYOND_BYTES,
            lines=LINES,
            limit_s=5.0,
        )
