from __future__ import annotations

import io

import pytest

from testbed.toolchain.display import progress
from testbed.toolchain.progress import LineProgress, about, remaining_s


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_left_follows_from_what_is_done():
    assert remaining_s(30.0, 25, 100) == pytest.approx(90.0)
    assert remaining_s(30.0, 100, 100) == 0.0


def test_nothing_is_estimated_from_nothing():
    assert remaining_s(30.0, 0, 100) is None
    assert remaining_s(30.0, 5, 0) is None


def test_more_than_foreseen_is_not_negative():
    assert remaining_s(30.0, 120, 100) == 0.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "a few seconds"), (44, "about 40 s"), (200, "about 3 min"), (3600, "about 60 min")],
)
def test_an_estimate_is_not_more_precise_than_it_is(seconds, words):
    assert about(seconds) == words


def test_a_log_gets_a_line_now_and_then_with_an_estimate():
    clock, stream = Clock(), io.StringIO()
    with LineProgress(stream, clock).task("Building") as task:
        for second in range(1, 41):
            clock.now = second
            task.update(second, 100, "compiling")
    assert stream.getvalue().splitlines() == [
        "Building ...",
        "Building: compiling, 15 of 100, about 80 s left",
        "Building: compiling, 30 of 100, about 70 s left",
        "Building: done in 40 s",
    ]


def test_the_pace_of_one_kind_of_step_says_nothing_of_another():
    clock, stream = Clock(), io.StringIO()
    with LineProgress(stream, clock).task("Building") as task:
        clock.now = 100.0
        task.update(10, 10, "fetching")
        task.update(0, 100, "compiling")
        clock.now = 120.0
        task.update(20, 100, "compiling")
    assert "compiling, 20 of 100, about 80 s left" in stream.getvalue()


def test_what_fails_is_not_called_done():
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt), LineProgress(stream).task("Building"):
        raise KeyboardInterrupt
    assert "done" not in stream.getvalue()


def test_a_log_gets_no_bar():
    assert isinstance(progress(io.StringIO()), LineProgress)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    terminal = Terminal()
    shown = progress(terminal)
    assert not isinstance(shown, LineProgress)
    with shown.task("Building") as task:
        task.update(1, 2, "fetching")
        task.update(5, 10, "compiling")
        shown.say("still [at] it")
    assert "Building" in terminal.getvalue()
    assert "5/10" in terminal.getvalue()
    assert "still [at] it" in terminal.getvalue()
    assert "done in 0 s" in terminal.getvalue()


def test_a_dumb_terminal_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress(Terminal()), LineProgress)
