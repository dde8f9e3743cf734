from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from testbed.report.live import Frame, clock_time
from testbed.report.live_lane import glyphs_for, sparkline
from testbed.report.standing import Standing
from testbed.runner.progress import (
    EVERY_LANE,
    Estimate,
    Event,
    Example,
    FaultPhase,
    Judged,
    Log,
    Payload,
    Phase,
    Rate,
    Role,
    encode,
)

UNICODE, ASCII = glyphs_for(ascii_only=False), glyphs_for(ascii_only=True)
REGIONS = ("eu-west", "eu-central", "us-east")
ROOT = Path(__file__).parents[3]


def suite(lanes: int) -> list[Event]:
    """What a suite tells in the middle of a region cut."""
    found = [Event(100.0, EVERY_LANE, Estimate(2, 10, 600.0, 500.0, 180.0))]
    for lane in range(lanes):
        payloads: list[Payload] = [
            Example(lane + 1, "region-cut eu-west at 10 s"),
            Phase("load", 0.5, 30.0),
            *(Role(name, f"{name}-db1", "replica") for name in REGIONS),
            Role("eu-west", "eu-west-db1", "primary"),
            *(Rate(name, rate, 60.0 - rate) for name in REGIONS for rate in (50.0, 25.0, 0.0)),
            FaultPhase("region-cut eu-west", "inject"),
            FaultPhase("region-cut eu-west", "effect", shown=True),
            Judged("violation", "185 adds are in no final read", "durability", lane + 1),
            Judged("violation", "1 of 6 promises", "", lane + 1),
            Log("CPU pressure 31 %", "warning"),
        ]  # fmt: skip
        found += [Event(100.0, lane, payload) for payload in payloads]
    return found


def frame(lanes: int, width: int, height: int, *, ascii_only: bool = False) -> list[str]:
    standing = Standing(started=90.0)
    for event in suite(lanes):
        standing.add(event)
    glyphs = glyphs_for(ascii_only=ascii_only)
    return [line.plain for line in Frame(standing, 107.0, glyphs).lines(width, height)]


def test_a_frame_shows_all_that_matters() -> None:
    text = "\n".join(frame(1, 100, 30))
    for wanted in (
        "1 of 10 examples  ✗ 1",
        "0:17 so far",
        "budget left 8:13 of 10:00",
        "about 2:53 to go",
        "world 0 example 1 region-cut eu-west at 10 s",
        " 50% ",
        "about 30 s left",
        "█▄·",
        "★ eu-west-db1",
        "60/s failed",
        "◆ region-cut eu-west 7 s  shown to bite",
        "✗ example 1 durability 185 adds are in no final read",
        "CPU pressure 31 %",
    ):
        assert wanted in text, wanted


@pytest.mark.parametrize("lanes", [0, 1, 2, 8, 40])
@pytest.mark.parametrize(
    ("width", "height"), [(80, 24), (40, 24), (40, 10), (200, 60), (20, 5), (1, 1)]
)
def test_a_frame_never_leaves_the_terminal(lanes: int, width: int, height: int) -> None:
    lines = frame(lanes, width, height)
    assert len(lines) <= max(height - 1, 1)
    assert all(len(line) <= width for line in lines)


def test_worlds_take_a_line_each_where_there_is_no_room() -> None:
    lines = frame(8, 80, 12)
    assert lines[1] == "0 load 50% 0/s ★eu-west ◆region-cut eu-west 7 s"
    assert len([line for line in lines if " load " in line]) == 8
    assert frame(20, 80, 12)[-1] == "and 12 more worlds"


def test_a_terminal_without_unicode_gets_ascii() -> None:
    assert all(line.isascii() for line in frame(2, 40, 24, ascii_only=True))


def test_a_sparkline_tells_little_from_nothing() -> None:
    assert sparkline([0, 0.1, 50, 100], 100, 10, UNICODE) == "·▁▄█"
    assert sparkline([0, 100], 100, 1, ASCII) == "#"
    assert sparkline([0, 0], 0.0, 5, UNICODE) == "··"
    assert sparkline([1], 1, 0, UNICODE) == ""


def test_times_read_like_a_clock() -> None:
    assert [clock_time(at) for at in (-3, 7.4, 754, 3723)] == ["0:00", "0:07", "12:34", "1:02:03"]


SHOW = """
import os, sys
from testbed.report.watch import view_for, watch
with view_for(sys.stdout, os.environ) as view:
    watch(sys.stdin.buffer, view)
print("after")
"""


@dataclass
class Shown:
    """A view in a process of its own, on a terminal that the test plays."""

    process: subprocess.Popen[bytes]
    master: int
    text: str = ""

    def size(self, width: int, height: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def send(self, *events: Event) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(map(encode, events)))
        self.process.stdin.flush()

    def wait_for(self, wanted: str) -> str:
        """What the terminal got up to the wanted text; forgets it."""
        deadline = time.monotonic() + 30
        while not (match := re.search(wanted, self.text)):
            left = deadline - time.monotonic()
            assert left > 0, f"{wanted!r} is not in {self.text!r}"
            if select.select([self.master], [], [], left)[0]:
                self.text += os.read(self.master, 65536).decode()
        found, self.text = self.text[: match.end()], self.text[match.end() :]
        return found


@pytest.fixture
def shown(request: pytest.FixtureRequest) -> Iterator[Shown]:
    """The view under the environment that the test asks for."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    environ |= getattr(request, "param", {"TERM": "xterm-256color"})
    master, slave = os.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-c", SHOW],
        stdin=subprocess.PIPE,
        stdout=slave,
        stderr=slave,
        env=environ,
        start_new_session=True,
    ) as process:
        os.close(slave)
        yield Shown(process, master)
        process.kill()
    os.close(master)


def test_the_live_view_survives_a_resize_and_gives_the_cursor_back(shown: Shown) -> None:
    shown.send(*suite(2))
    assert "\x1b[?25l" in shown.wait_for("region-cut eu-west 0 s|shown to bite")
    shown.size(40, 10)
    shown.wait_for(r"\x1b\[2J")
    shown.wait_for("0 load 50%")
    shown.size(120, 40)
    shown.wait_for(r"\x1b\[2J")
    shown.wait_for("world 1 example 2")
    assert shown.process.stdin is not None
    shown.process.stdin.close()
    assert "\x1b[?25h" in shown.wait_for("after")
    assert shown.process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    "shown", [{"TERM": "dumb"}, {}, {"TERM": "xterm", "CI": "true"}], indirect=True
)
def test_a_dumb_terminal_and_a_ci_log_get_lines(shown: Shown) -> None:
    shown.send(*suite(1))
    assert shown.process.stdin is not None
    shown.process.stdin.close()
    text = shown.wait_for("after")
    assert "\x1b" not in text
    assert "world 0: region-cut eu-west shown to bite" in text


@pytest.mark.parametrize("shown", [{"TERM": "xterm-256color", "NO_COLOR": "1"}], indirect=True)
def test_without_colour_the_view_still_lives(shown: Shown) -> None:
    shown.send(*suite(1))
    text = shown.wait_for("★ eu-west-db1")
    assert "\x1b[?25l" in text
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", text)
