"""A patient client: tries an operation again until it gives what is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from testbed.clients.protocol import Client, Completion, Endpoint, Invocation
from testbed.runner.recorder import Recorder

Connect = Callable[[Endpoint], Client]

_POLL_S = 0.1


class ImpatientError(Exception):
    """An operation did not give what was wanted in time; says what the last try got."""


def succeeded(done: Completion) -> bool:
    """Whether an operation ended with ``ok``."""
    return done.type == "ok"


class Patient:
    """Performs operations one after the other, on one connection for as long as that serves.

    Every try is journalled. After one that failed, or whose outcome is unknown, a new process goes
    on at the next endpoint.

    Args:
        connect: Makes the client of an endpoint.
        endpoints: Taken in turn.
        recorder: Records every try.
    """

    def __init__(
        self, connect: Connect, endpoints: tuple[Endpoint, ...], recorder: Recorder
    ) -> None:
        self._connect, self._endpoints, self._recorder = connect, endpoints, recorder
        self._client: Client | None = None
        self._process = 0
        self._turn = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._leave()

    async def perform(
        self,
        what: Invocation,
        *,
        limit_s: float,
        wanted: Callable[[Completion], bool] = succeeded,
    ) -> Completion:
        """Perform an operation until it gives what is wanted.

        Args:
            what: The operation.
            limit_s: How long; the last try may end later.
            wanted: Whether an outcome will do.

        Raises:
            ImpatientError: None did.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit_s
        while True:
            done = await self._try(what)
            if wanted(done):
                return done
            if loop.time() > deadline:
                name, got = self._endpoint.name, done.error or repr(done.value)
                raise ImpatientError(
                    f"'{what.f}' at {name} had not succeeded in {limit_s:.0f} s: {got}"
                )
            if self._client is None:
                self._turn += 1
            await asyncio.sleep(_POLL_S)

    @property
    def _endpoint(self) -> Endpoint:
        return self._endpoints[self._turn % len(self._endpoints)]

    async def _try(self, what: Invocation) -> Completion:
        if self._client is None:
            self._client = self._connect(self._endpoint)
            self._process = self._recorder.process()
        try:
            done = await self._recorder.perform(
                self._client, self._process, self._endpoint.region, what
            )
        except BaseException:
            await self._leave()
            raise
        if self._client.ended or not succeeded(done):
            await self._leave()
        return done

    async def _leave(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()
