"""JSON behind HTTP on a node, asked out of band: what every probe of a program does."""

from __future__ import annotations

from typing import Any

import aiohttp

TIMEOUT_S = 1.0


class JsonSource:
    """Asks for JSON, and keeps its connections between two questions."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str) -> dict[str, Any] | None:
        """The object behind a URL; None when nobody answers in time, or with anything else."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        try:
            async with self._session.get(url) as answer:
                document = await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return None
        return document if isinstance(document, dict) else None

    async def close(self) -> None:
        """Close its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
