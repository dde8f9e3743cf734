"""One connection to a Valkey server or a sentinel, and what may go wrong with it."""

from __future__ import annotations

import asyncio
from typing import Any

from valkey.asyncio.connection import Connection
from valkey.exceptions import ValkeyError

LOST = (ValkeyError, OSError, TimeoutError)
"""What a connection may raise: a server's refusal is a ``ResponseError``, a ``ValkeyError``."""

NAME = "testbed"
"""What the sentinels call the cluster."""


async def opened(host: str, port: int, timeout_s: float) -> Connection:
    """A connection that is open."""
    connection = Connection(
        host=host,
        port=port,
        socket_connect_timeout=timeout_s,
        socket_timeout=timeout_s,
        decode_responses=True,
        lib_name=None,
        lib_version=None,
    )
    async with asyncio.timeout(timeout_s):
        await connection.connect()  # type: ignore[no-untyped-call]
    return connection


async def ask(connection: Connection, *words: Any) -> Any:
    """One question, one answer."""
    await connection.send_command(*words)
    return await connection.read_response()


async def ask_once(host: str, port: int, timeout_s: float, *words: Any) -> Any:
    """One question on a connection of its own; None where nobody answers in time."""
    try:
        connection = await opened(host, port, timeout_s)
    except LOST:
        return None
    try:
        return await ask(connection, *words)
    except LOST:
        return None
    finally:
        await connection.disconnect(nowait=True)


def fields(flat: list[str]) -> dict[str, str]:
    """A flat list of names and values, as sentinels answer."""
    return dict(zip(flat[::2], flat[1::2], strict=True))
