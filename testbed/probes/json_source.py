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
        return await self._asked("GET", url)

    async def post(self, url: str) -> dict[str, Any] | None:
        """The same, of a URL that does something when it is asked to."""
        return await self._asked("POST", url)

    async def _asked(self, method: str, url: str) -> dict[str, Any] | None:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        try:
            async with self._session.request(method, url) as answer:
                document = await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return None
        return document if isinstance(document, dict) else None

    async def close(self) -> None:
        """Close its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
