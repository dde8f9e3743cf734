"""Follows a drill from its host's first word to its last: for a terminal without a console."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from testbed.drill.channel import RUN, SOCKET, Caller, Person
from testbed.drill.start import HOST_LOG

POLL_S = 0.1

Tell = Callable[[str], None]


class HostLog:
    """The lines that a host has written, each told once.

    Args:
        path: The drill's folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path / HOST_LOG
        self._offset = 0

    def new(self) -> Iterator[str]:
        """The whole lines since the last call."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        yield from whole.decode(errors="replace").splitlines()


async def connected(
    path: Path, host: subprocess.Popen[bytes] | None, person: Person, log: HostLog, tell: Tell
) -> Caller | None:
    """Join as soon as the drill can be joined; None when its host ended before that."""
    while host is None or host.poll() is None:
        for line in log.new():
            tell(line)
        if (path / RUN / SOCKET).exists():
            caller = Caller(path / RUN, person)
            try:
                await caller.connect()
            except OSError:
                await asyncio.sleep(POLL_S)
                continue
            return caller
        await asyncio.sleep(POLL_S)
    return None


@contextlib.contextmanager
def hung_up_first(caller: Caller) -> Iterator[None]:
    """A signal that ends this process ends its part in the drill before anything else.

    A console takes a while to end, seconds on a busy machine; the drill that hangs on its terminal
    is to be healed by then.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def hang_up(number: int, frame: FrameType | None) -> None:
        caller.hang_up()
        ending = before[signal.Signals(number)]
        if callable(ending):
            ending(number, frame)

    replaced = [number for number, ending in before.items() if callable(ending)]
    for number in replaced:
        signal.signal(number, hang_up)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, before[number])


async def ended(host: subprocess.Popen[bytes]) -> None:
    """Wait until a host has ended; whoever waits can be told to stop at any time.

    A thread that waited could not: it would hold the whole process until the debrief is written.
    """
    while host.poll() is None:  # noqa: ASYNC110 - a process that ends tells nobody
        await asyncio.sleep(POLL_S)


async def pictures(caller: Caller) -> AsyncIterator[dict[str, Any]]:
    """Every picture, until the drill ends."""
    while (message := await caller.receive()) is not None:
        if "phase" in message:
            yield message


async def follow(path: Path, host: subprocess.Popen[bytes], person: Person, tell: Tell) -> None:
    """Tell line by line what happens, until the host has ended."""
    log = HostLog(path)
    caller = await connected(path, host, person, log, tell)
    if caller is not None:
        # Also after an interrupt: the drill sees that its driver is gone, and heals.
        with contextlib.closing(caller), hung_up_first(caller):
            told: set[tuple[Any, ...]] = set()
            async for picture in pictures(caller):
                for line, key in _lines(picture):
                    if key not in told:
                        told.add(key)
                        tell(line)
    await ended(host)
    for line in log.new():
        tell(line)


async def drive(path: Path, host: subprocess.Popen[bytes], person: Person, tell: Tell) -> None:
    """Open the facilitator's console as soon as there is something to see, until the end."""
    # Textual takes a while to import: only who opens a console pays for it.
    from testbed.drill.console.run import run_console  # noqa: PLC0415

    log = HostLog(path)
    tell(f"Others join with: testbed attach {path} --as responder")
    caller = await connected(path, host, person, log, tell)
    if caller is not None:
        with hung_up_first(caller):
            await run_console(caller)
        tell("The debrief is written ...")
    await ended(host)
    for line in log.new():
        tell(line)


def _lines(picture: dict[str, Any]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """What a picture says, each line with what makes it one that was told before."""
    for item in picture["preflight"]:
        if item["good"] is not None:
            sign = "ok" if item["good"] else "NO"
            yield f"  [{sign}] {item['name']}: {item['text']}", ("preflight", item["name"])
    for one in picture["log"]:
        key = (one["kind"], one["time_ns"], one["what"])
        said = f"{one['what']}: {one['text']}" if one["text"] else one["what"]
        yield f"  {one['time_s']:6.1f} s  {one['who']}: {said}", key
