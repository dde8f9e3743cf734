"""The channel between a drill and its terminals, over a real socket."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from testbed.drill.channel import Caller, Channel, Person

LIMIT_S = 5.0


class Desk:
    """Stands for a drill: remembers what was wanted and who left."""

    def __init__(self) -> None:
        self.wishes: list[tuple[str, dict[str, Any]]] = []
        self.gone: list[Person] = []
        self.left = asyncio.Event()

    def wish(self, person: Person, message: dict[str, Any]) -> str:
        self.wishes.append((person.name, message))
        return "no" if message.get("do") == "forbidden" else ""

    def leave(self, person: Person) -> None:
        self.gone.append(person)
        self.left.set()


def with_channel(folder: Path, body: Callable[[Channel, Desk], Awaitable[None]]) -> Desk:
    async def run() -> Desk:
        desk = Desk()
        channel = Channel(folder, desk.wish, desk.leave)
        await channel.open()
        try:
            async with asyncio.timeout(LIMIT_S):
                await body(channel, desk)
        finally:
            await channel.close()
        return desk

    return asyncio.run(run())


async def joined(folder: Path, person: Person) -> Caller:
    caller = Caller(folder, person)
    await caller.connect()
    assert await caller.receive() == {"answer": ""}
    return caller


def test_a_terminal_joins_wants_and_is_answered(tmp_path: Path) -> None:
    async def body(channel: Channel, desk: Desk) -> None:
        caller = await joined(tmp_path, Person("ann", "responder"))
        assert channel.people == (Person("ann", "responder"),)
        caller.send({"do": "forbidden"})
        assert await caller.receive() == {"answer": "no"}
        channel.show(lambda person: {"phase": "playing", "for": person.name})
        assert await caller.receive() == {"phase": "playing", "for": "ann"}
        caller.close()
        await desk.left.wait()

    desk = with_channel(tmp_path, body)
    assert [message["do"] for _, message in desk.wishes] == ["join", "forbidden"]
    assert desk.gone == [Person("ann", "responder")]


def test_a_driver_that_goes_away_is_known_as_one(tmp_path: Path) -> None:
    async def body(channel: Channel, desk: Desk) -> None:
        caller = await joined(tmp_path, Person("bob", "facilitator", driver=True))
        caller.close()
        await desk.left.wait()

    assert with_channel(tmp_path, body).gone[0].driver


def test_a_folder_too_deep_for_a_socket_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20) / ("deeper" * 20)
    deep.mkdir(parents=True)

    async def body(channel: Channel, desk: Desk) -> None:
        (await joined(deep, Person("ann", "observer"))).close()

    with_channel(deep, body)


def test_an_unknown_role_is_told_what_there_is(tmp_path: Path) -> None:
    async def body(channel: Channel, desk: Desk) -> None:
        caller = Caller(tmp_path, Person("eve", "boss"))
        await caller.connect()
        answer = await caller.receive()
        assert answer is not None
        assert "facilitator, responder, observer" in answer["answer"]
        caller.close()

    with_channel(tmp_path, body)


def test_nonsense_on_the_socket_harms_nobody(tmp_path: Path) -> None:
    async def body(channel: Channel, desk: Desk) -> None:
        good = await joined(tmp_path, Person("ann", "observer"))
        bad = Caller(tmp_path, Person("eve", "observer"))
        await bad.connect()
        assert bad._writer is not None
        bad._writer.write(b"\xff\xfe not json\n[1, 2]\n")
        bad.close()
        channel.show(lambda person: {"phase": "ready"})
        assert await good.receive() == {"phase": "ready"}
        good.close()

    with_channel(tmp_path, body)


def test_an_abort_waits_for_no_import_that_it_does_not_need(tmp_path: Path) -> None:
    program = (
        "import sys; from testbed.cli.main import main; "
        f"code = main(['attach', '--abort', {str(tmp_path)!r}]); "
        "heavy = {'experiments', 'textual', 'yaml', 'jinja2', 'http.server'} & set(sys.modules); "
        "print(heavy); sys.exit(len(heavy) or code - 3)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
