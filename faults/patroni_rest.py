"""Patroni's REST API, as far as operators use it to move the primary."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from testbed.topology.model import Node

REST_PORT = 8008
TIMEOUT_S = 30.0
"""Patroni answers once the switchover is over, or after it gave up waiting for it (10 s)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Patroni said.

    Args:
        status: HTTP status; 0 when it did not answer.
        text: Its sentence.
    """

    status: int
    text: str


async def switch_over(node: Node, candidate: str | None) -> Answer:
    """Ask a primary's Patroni to hand over now (``POST /switchover``).

    Args:
        node: The primary.
        candidate: Who is to take over; None leaves it to Patroni.
    """
    wish = {"leader": node.name, **({"candidate": candidate} if candidate else {})}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session,
            session.post(f"http://{node.address}:{REST_PORT}/switchover", json=wish) as answer,
        ):
            return Answer(answer.status, (await answer.text()).strip())
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return Answer(0, f"{type(error).__name__}: {error}")
