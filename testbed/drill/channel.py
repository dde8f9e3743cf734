"""The channel between a drill and its terminals: lines of JSON over a unix socket.

A terminal says who it is and then what it wants; the drill answers with pictures of the moment,
each cut down to what that role may see.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

RUN = "run"
"""The run folder below a drill's folder."""

SOCKET = "drill.sock"
"""In the run folder, from the beginning of preflight to the end of the drill."""

LINE_BYTES_MAX = 1 << 20

ROLES = ("facilitator", "responder", "observer")


@dataclass(frozen=True, slots=True)
class Person:
    """Who sits at a terminal.

    Args:
        name: As they gave it.
        role: One of ``ROLES``.
        driver: Whether the drill hangs on this terminal: it is aborted when it goes away.
    """

    name: str
    role: str
    driver: bool = False


@contextlib.contextmanager
def socket_path(folder: Path) -> Iterator[str]:
    """A short path of a folder's socket: the kernel takes 107 bytes, a run folder may be deeper."""
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET}"
    finally:
        os.close(handle)


class Channel:
    """Serves the terminals of one drill.

    Args:
        folder: The run folder, which gets the socket.
        wish: Told of what a terminal wants: who, and the message. Returns why not; empty if done.
        gone: Told of a person whose terminal went away.
    """

    def __init__(
        self,
        folder: Path,
        wish: Callable[[Person, dict[str, Any]], str],
        gone: Callable[[Person], None],
    ) -> None:
        self._folder = folder
        self._wish = wish
        self._gone = gone
        self._server: asyncio.AbstractServer | None = None
        self._writers: dict[asyncio.StreamWriter, Person] = {}

    @property
    def people(self) -> tuple[Person, ...]:
        """Who is there now."""
        return tuple(self._writers.values())

    async def open(self) -> None:
        """Begin to serve.

        Raises:
            OSError: The socket can't be made.
        """
        with socket_path(self._folder) as path:
            self._server = await asyncio.start_unix_server(self._serve, path, limit=LINE_BYTES_MAX)
        (self._folder / SOCKET).chmod(0o600)

    async def close(self) -> None:
        """Stop serving, and let every terminal see the end."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()
        self._writers.clear()
        (self._folder / SOCKET).unlink(missing_ok=True)

    def show(self, picture_for: Callable[[Person], dict[str, Any]]) -> None:
        """Send everybody the picture of the moment; a terminal that lags behind misses some."""
        for writer, person in list(self._writers.items()):
            transport = writer.transport
            if not transport.is_closing() and transport.get_write_buffer_size() < LINE_BYTES_MAX:
                writer.write(orjson.dumps(picture_for(person), option=orjson.OPT_APPEND_NEWLINE))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        person: Person | None = None
        try:
            async for line in reader:
                message = _message(line)
                if person is None:
                    person = self._introduced(message, writer)
                else:
                    self._answer(writer, self._wish(person, message))
        except (OSError, ValueError):
            # A line without an end, or a connection that broke: the terminal is gone.
            pass
        finally:
            self._writers.pop(writer, None)
            writer.close()
            if person is not None:
                self._gone(person)

    def _introduced(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> Person | None:
        role, name = message.get("role"), str(message.get("name", ""))[:40]
        if role not in ROLES:
            self._answer(writer, f"unknown role {role!r} (known: {', '.join(ROLES)})")
            return None
        person = Person(name or str(role), str(role), bool(message.get("driver", False)))
        refused = self._wish(person, {"do": "join"})
        self._answer(writer, refused)
        if refused:
            return None
        self._writers[writer] = person
        return person

    @staticmethod
    def _answer(writer: asyncio.StreamWriter, problem: str) -> None:
        writer.write(orjson.dumps({"answer": problem}, option=orjson.OPT_APPEND_NEWLINE))


def _message(line: bytes) -> dict[str, Any]:
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}


class Caller:
    """A terminal's end of the channel.

    Args:
        folder: The run folder of the drill.
        person: Who calls.
    """

    def __init__(self, folder: Path, person: Person) -> None:
        self._folder = folder
        self.person = person
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self) -> None:
        """Join the drill.

        Raises:
            OSError: It is not being played.
        """
        with socket_path(self._folder) as path:
            self._reader, self._writer = await asyncio.open_unix_connection(
                path, limit=LINE_BYTES_MAX
            )
        who = self.person
        self.send({"role": who.role, "name": who.name, "driver": who.driver})

    def send(self, message: dict[str, Any]) -> None:
        """Say what is wanted; the answer comes with the pictures."""
        assert self._writer is not None
        self._writer.write(orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE))

    async def receive(self) -> dict[str, Any] | None:
        """The next picture or answer; None when the drill has ended."""
        assert self._reader is not None
        try:
            line = await self._reader.readline()
        except (OSError, ValueError):
            return None
        return _message(line) if line else None

    def hang_up(self) -> None:
        """Leave without waiting for the event loop: for the handler of a signal."""
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Leave."""
        if self._writer is not None:
            self._writer.close()
