"""A terminal without a console: told each thing once, and gone at once when it is interrupted."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.drill.channel import RUN, Caller, Channel, Person
from testbed.drill.follow import ended, follow, hung_up_first
from testbed.drill.picture import seen_by
from testbed.drill.start import HOST_LOG
from tests.unit.drill.scene import scene

DRIVER = Person("bob", "facilitator", driver=True)
LIMIT_S = 20.0


class Drill:
    """A drill that shows one picture, and a host that ends when it is told to."""

    def __init__(self, path: Path) -> None:
        (path / RUN).mkdir(parents=True)
        (path / HOST_LOG).write_text("bring-up: Make the nodes\n")
        self.picture = scene(path / RUN)
        self.gone = asyncio.Event()
        self.channel = Channel(path / RUN, lambda *_: "", lambda _: self.gone.set())
        self.host = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

    def show(self) -> None:
        self.channel.show(lambda person: seen_by(person, self.picture))

    def end(self) -> None:
        assert self.host.stdin is not None
        self.host.stdin.close()


def followed(path: Path, body: Callable[[Drill, asyncio.Task[None]], Awaitable[None]]) -> list[str]:
    told: list[str] = []

    async def run() -> None:
        drill = Drill(path)
        await drill.channel.open()
        try:
            async with asyncio.timeout(LIMIT_S):
                following = asyncio.create_task(follow(path, drill.host, DRIVER, told.append))
                while not drill.channel.people:  # noqa: ASYNC110 - the socket tells nobody
                    await asyncio.sleep(0.02)
                await body(drill, following)
        finally:
            drill.end()
            drill.host.wait()
            await drill.channel.close()

    asyncio.run(run())
    return told


def test_each_thing_is_told_once(tmp_path: Path) -> None:
    async def body(drill: Drill, following: asyncio.Task[None]) -> None:
        drill.show()
        drill.show()
        await asyncio.sleep(0.2)
        await drill.channel.close()
        drill.end()
        await following

    told = followed(tmp_path, body)
    assert told[0] == "bring-up: Make the nodes"
    assert [line.split()[2:] for line in told if "ann" in line] == [
        ["ann:", "detected:", "clients", "wait"]
    ]
    assert len(told) == len(set(told))


def test_an_interrupted_terminal_is_gone_at_once(tmp_path: Path) -> None:
    """The drill must see it while the terminal's process still waits for the debrief."""

    async def body(drill: Drill, following: asyncio.Task[None]) -> None:
        drill.show()
        following.cancel()
        async with asyncio.timeout(1.0):
            await drill.gone.wait()
        assert drill.host.poll() is None

    followed(tmp_path, body)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_terminal_that_is_ended_is_gone_before_its_console_has_ended(
    tmp_path: Path, number: signal.Signals
) -> None:
    ending: list[int] = []

    async def body(drill: Drill, following: asyncio.Task[None]) -> None:
        following.cancel()
        caller = Caller(tmp_path / RUN, DRIVER)
        await drill.gone.wait()
        drill.gone.clear()
        await caller.connect()
        await caller.receive()
        with hung_up_first(caller):
            signal.raise_signal(number)
            async with asyncio.timeout(1.0):
                await drill.gone.wait()
        assert signal.getsignal(number) is told
        caller.close()

    def told(number: int, _: object) -> None:
        ending.append(number)

    before = signal.signal(number, told)
    try:
        followed(tmp_path, body)
    finally:
        signal.signal(number, before)
    assert ending == [number]


def test_whoever_waits_for_the_debrief_can_be_told_to_stop() -> None:
    """A terminal that is killed meanwhile leaves no process that waits for the host."""

    async def waiting(host: subprocess.Popen[bytes]) -> None:
        await asyncio.wait_for(ended(host), 0.2)

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as host:
        began_s = time.monotonic()
        with pytest.raises(TimeoutError):
            # It returns when no thread of it waits any more.
            asyncio.run(waiting(host))
        assert time.monotonic() - began_s < 5
        assert host.poll() is None


def test_a_host_that_ends_before_it_can_be_joined(tmp_path: Path) -> None:
    told: list[Any] = []

    (tmp_path / HOST_LOG).write_text("problem: there is no such world\n")
    with subprocess.Popen([sys.executable, "-c", ""]) as host:
        host.wait()
        asyncio.run(follow(tmp_path, host, DRIVER, told.append))
    assert told == ["problem: there is no such world"]
