"""The consoles, driven by keys in a terminal that is not there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from testbed.drill.channel import Caller, Person
from testbed.drill.console.console import Console
from testbed.drill.console.facilitator import FacilitatorConsole
from testbed.drill.console.responder import ResponderConsole
from testbed.drill.picture import seen_by
from tests.unit.drill.scene import scene


class Line:
    """Stands for a caller: gives one picture, and remembers what was sent."""

    def __init__(self, person: Person, picture: dict[str, Any]) -> None:
        self.person = person
        self.sent: list[dict[str, Any]] = []
        self.over = asyncio.Event()
        self._pictures = [seen_by(person, picture)]

    async def receive(self) -> dict[str, Any] | None:
        if self._pictures:
            return self._pictures.pop()
        await self.over.wait()
        return None

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


def played(
    kind: type[Console],
    person: Person,
    picture: dict[str, Any],
    body: Callable[[Pilot[str], Line], Awaitable[None]],
    size: tuple[int, int] = (120, 40),
) -> Line:
    async def run() -> Line:
        line = Line(person, picture)
        console = kind(cast(Caller, line))
        async with console.run_test(size=size) as pilot:
            await pilot.pause()
            await body(pilot, line)
        return line

    return asyncio.run(run())


def shown(pilot: Pilot[str], where: str) -> str:
    return str(pilot.app.query_one(where, Static).render())


def test_the_facilitators_keys_steer_the_drill(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], line: Line) -> None:
        await pilot.press("s", "i", "k", "h", "e", "A")

    line = played(FacilitatorConsole, Person("bob", "facilitator"), scene(tmp_path), body)
    assert [one["do"] for one in line.sent] == ["start", "inject", "skip", "hold", "heal", "abort"]


def test_the_facilitator_sees_map_and_stop_conditions(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], line: Line) -> None:
        assert "eu-west · EU" in shown(pilot, "#map")
        assert "CUT" in shown(pilot, "#map")
        assert "stop: nobody is served" in shown(pilot, "#side")
        assert "is injected" in shown(pilot, "#log")

    played(FacilitatorConsole, Person("bob", "facilitator"), scene(tmp_path), body)


def test_a_note_is_written_without_steering(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], line: Line) -> None:
        await pilot.press("n", *"he", "enter", "h")

    line = played(FacilitatorConsole, Person("bob", "facilitator"), scene(tmp_path), body)
    assert line.sent == [{"do": "note", "text": "he"}, {"do": "hold"}]


def test_the_drivers_terminal_is_not_left_by_accident(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], line: Line) -> None:
        for key in ("q", "ctrl+c"):
            pilot.app.query_one("#answer", Static).update("")
            await pilot.press(key)
            assert "press A" in shown(pilot, "#answer")

    played(FacilitatorConsole, Person("bob", "facilitator", driver=True), scene(tmp_path), body)


def test_a_responder_declares_by_keys_and_by_words(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], line: Line) -> None:
        await pilot.press("f2", "f3", *"eu-west", "enter", *"mitigated", "space", *"ok", "enter")

    line = played(ResponderConsole, Person("ann", "responder"), scene(tmp_path), body)
    assert [(one["what"], one.get("text", "")) for one in line.sent] == [
        ("detected", ""),
        ("cause", "eu-west"),
        ("mitigated", "ok"),
    ]


def test_a_responder_sees_silence_and_no_cut(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], line: Line) -> None:
        assert "silent 3 s" in shown(pilot, "#map")
        assert "CUT" not in shown(pilot, "#map")
        assert "Patroni does not answer" in shown(pilot, "#side")
        assert "is injected" not in shown(pilot, "#log")

    played(ResponderConsole, Person("ann", "responder"), scene(tmp_path), body)


def test_a_word_that_nobody_knows_is_answered(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], line: Line) -> None:
        await pilot.press(*"hlep", "enter")
        assert "none of detected" in shown(pilot, "#answer")
        await pilot.press(*"shell", "space", *"moon", "enter")
        assert "no node 'moon'" in shown(pilot, "#answer")
        assert pilot.app.query_one(Input).value == ""

    assert not played(ResponderConsole, Person("ann", "responder"), scene(tmp_path), body).sent


def test_a_console_ends_with_its_drill(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], line: Line) -> None:
        line.over.set()
        await pilot.pause(0.2)
        assert pilot.app.return_value == "ended"

    played(ResponderConsole, Person("ann", "responder"), scene(tmp_path), body)


def test_ctrl_c_leaves_a_console_on_which_no_drill_hangs(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], line: Line) -> None:
        await pilot.press("ctrl+c")
        await pilot.pause(0.2)
        assert pilot.app.return_value == "left"

    played(ResponderConsole, Person("ann", "responder"), scene(tmp_path), body)
    played(FacilitatorConsole, Person("bob", "facilitator"), scene(tmp_path), body)


@pytest.mark.parametrize(
    ("kind", "role"), [(FacilitatorConsole, "facilitator"), (ResponderConsole, "responder")]
)
def test_a_small_terminal_has_lines_instead_of_a_map_and_loses_nothing(
    tmp_path: Path, kind: type[Console], role: str
) -> None:
    picture = scene(tmp_path)

    async def body(pilot: Pilot[str], line: Line) -> None:
        box = pilot.app.query_one("#map", Static).content_size
        lines = shown(pilot, "#map").splitlines()
        assert len(lines) <= box.height
        assert max(map(len, lines)) <= box.width
        for region in picture["regions"]:
            assert any(one.startswith(f"{region['name']} · ") for one in lines)
            assert all(any(node["name"] in one for one in lines) for node in region["nodes"])
        links = [one for one in lines if "→" in one]
        assert len(links) == len(picture["links"]) / 2
        assert all("←" in one for one in links)

    played(kind, Person("bob", role), picture, body, size=(80, 24))


def test_a_large_terminal_has_a_map(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], line: Line) -> None:
        assert "╭ eu-west · EU" in shown(pilot, "#map")

    played(FacilitatorConsole, Person("bob", "facilitator"), scene(tmp_path), body)
