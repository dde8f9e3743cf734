"""Patroni's REST API, as far as operators use it to move the primary."""

from __future__ import annotations

import aiohttp

from faults.answer import Answer
from testbed.topology.model import Node

REST_PORT = 8008
TIMEOUT_S = 30.0
"""Patroni answers once the switchover is over, or after it gave up waiting for it (10 s)."""


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
            said = f"{answer.status}: {(await answer.text()).strip()}"
            return Answer(answer.status == 200, f"Patroni on {node.name} answers {said}")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        said = f"nothing: {type(error).__name__}: {error}"
        return Answer(accepted=False, text=f"Patroni on {node.name} answers {said}")
