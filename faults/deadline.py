"""Waiting for a condition with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.1


async def look_until(
    look: Callable[[], Awaitable[T]],
    good: Callable[[T], bool],
    *,
    limit_s: float,
    every_s: float = POLL_S,
) -> T:
    """Look again and again until what is seen is good, or the time is over.

    Args:
        look: Gives one observation.
        good: Whether it is the one waited for.
        limit_s: After it the latest observation is given, good or not.
        every_s: Pause between two looks.

    Returns:
        The latest observation.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit_s
    seen = await look()
    while not good(seen) and loop.time() < deadline:
        await asyncio.sleep(every_s)
        seen = await look()
    return seen
