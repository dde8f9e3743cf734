"""What people want is done by those who may, when it makes sense, or refused with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from testbed.drill.book import Book
from testbed.drill.channel import Person
from testbed.drill.timeline import DrillTimeline, Line
from testbed.drill.wishes import Wishes
from tests.unit.drill.scene import shipped

BOB = Person("bob", "facilitator")
ANN = Person("ann", "responder")
EVE = Person("eve", "observer")


class FakeTimeline:
    def __init__(self) -> None:
        self.held = False
        self.done: list[str] = []
        self.line: Line | None = Line(shipped()[0].injects[0])

    def next_line(self) -> Line | None:
        return self.line

    def fire(self, line: Line) -> str:
        self.done.append("fire")
        return ""

    def skip(self, line: Line) -> None:
        self.done.append("skip")

    def heal_all(self) -> None:
        self.done.append("heal")


class Desk:
    """A drill's desk in one phase, with what came of the wishes."""

    def __init__(self, tmp_path: Path, phase: str) -> None:
        self.timeline = FakeTimeline()
        self.book = Book(tmp_path, lambda: 7)
        self.begun = 0
        self.halted: list[tuple[str, str]] = []
        self.wishes = Wishes(
            self.book,
            cast(DrillTimeline, self.timeline),
            phase=lambda: phase,
            start=self._start,
            halt=lambda why, who: self.halted.append((why, who)),
        )

    def _start(self) -> None:
        self.begun += 1

    def wish(self, person: Person, **message: Any) -> str:
        return self.wishes.take(person, message)


@pytest.mark.parametrize("what", ["start", "inject", "skip", "hold", "heal", "abort"])
@pytest.mark.parametrize("person", [ANN, EVE])
def test_only_the_facilitator_steers(tmp_path: Path, person: Person, what: str) -> None:
    desk = Desk(tmp_path, "playing")
    assert "only the facilitator" in desk.wish(person, do=what)
    assert [desk.begun, desk.halted, desk.timeline.done, desk.timeline.held] == [0, [], [], False]


def test_the_facilitator_steers_a_drill_that_is_played(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "playing")
    for what in ("inject", "skip", "heal", "hold"):
        assert desk.wish(BOB, do=what) == ""
    assert desk.timeline.done == ["fire", "skip", "heal"]
    said = [(one.what, one.text) for one in desk.book.entries]
    assert said[:3] == [
        ("injects now", shipped()[0].injects[0].name),
        ("skips", shipped()[0].injects[0].name),
        ("heals all", ""),
    ]
    desk.wish(BOB, do="hold")
    assert [one.what for one in desk.book.entries][-2:] == ["held", "goes on"]


@pytest.mark.parametrize("what", ["start", "inject", "skip", "hold", "heal"])
def test_nothing_is_steered_before_it_is_played(tmp_path: Path, what: str) -> None:
    desk = Desk(tmp_path, "preflight")
    assert desk.wish(BOB, do=what)
    assert not desk.timeline.done
    assert not desk.book.entries


def test_a_drill_starts_once_preflight_is_green(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "ready")
    assert desk.wish(BOB, do="start") == ""
    assert desk.begun == 1


@pytest.mark.parametrize("phase", ["preflight", "ready", "playing", "recovering"])
def test_an_abort_is_always_taken(tmp_path: Path, phase: str) -> None:
    desk = Desk(tmp_path, phase)
    assert desk.wish(BOB, do="abort") == ""
    assert desk.halted == [("aborted", "bob")]


def test_declarations(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "playing")
    assert desk.wish(ANN, do="declare", what="detected") == ""
    assert "in a few words" in desk.wish(ANN, do="declare", what="cause")
    assert desk.wish(ANN, do="declare", what="cause", text=" the link ") == ""
    assert "no declaration" in desk.wish(ANN, do="declare", what="solved")
    assert "observer" in desk.wish(EVE, do="declare", what="detected")
    assert [(one.what, one.text, one.secret) for one in desk.book.entries] == [
        ("detected", "", False),
        ("cause", "the link", False),
    ]


def test_nothing_is_declared_before_the_drill_has_begun(tmp_path: Path) -> None:
    assert "not being played" in Desk(tmp_path, "ready").wish(ANN, do="declare", what="detected")


def test_there_is_one_driver(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "preflight")
    driver = Person("bob", "facilitator", driver=True)
    assert desk.wish(driver, do="join") == ""
    assert "a driver already" in desk.wish(driver, do="join")
    assert desk.wish(BOB, do="join") == ""


def test_notes_of_those_who_know_are_kept_from_responders(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "playing")
    desk.wish(BOB, do="note", text="they look at the wrong graph")
    desk.wish(ANN, do="note", text="x" * 2000)
    assert [one.secret for one in desk.book.entries] == [True, False]
    assert len(desk.book.entries[1].text) == 500


def test_nonsense_is_answered(tmp_path: Path) -> None:
    assert "unknown command" in Desk(tmp_path, "playing").wish(BOB, do="dance")
