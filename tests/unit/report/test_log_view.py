from __future__ import annotations

import io
import threading

from testbed.report.log_view import LogView
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
)


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def logged(*payloads: Payload, seconds_apart: float = 0.1) -> list[str]:
    clock, stream = Clock(), io.StringIO()
    view = LogView(stream, clock)
    for payload in payloads:
        clock.now += seconds_apart
        view.feed(Event(clock.now, 0, payload))
    return stream.getvalue().splitlines()


def test_a_line_for_each_phase_fault_and_verdict() -> None:
    assert logged(
        Example(3, "region-cut eu-west at 10 s"),
        Phase("load", 0.0, 60.0),
        Phase("load", 0.5, 30.0),
        Rate("eu-west", 50.0),
        FaultPhase("region-cut eu-west", "inject", detail="eu-west"),
        FaultPhase("region-cut eu-west", "effect", shown=False, detail="14 packets passed"),
        FaultPhase("region-cut eu-west", "heal"),
        FaultPhase("region-cut eu-west", "absence", shown=True),
        Judged("unknown", "the fault did not bite", example=3, run="runs/3"),
        Log("disk is getting full", "warning"),
        seconds_apart=1.0,
    ) == [
        "[0:01] world 0: example 3: region-cut eu-west at 10 s",
        "[0:02] world 0: load, about 60 s",
        "[0:05] world 0: region-cut eu-west injected: eu-west",
        "[0:06] world 0: region-cut eu-west NOT shown to bite: 14 packets passed",
        "[0:07] world 0: region-cut eu-west healed",
        "[0:08] world 0: region-cut eu-west shown to be gone",
        "[0:09] example 3 INCONCLUSIVE: the fault did not bite (runs/3)",
        "[0:10] warning: disk is getting full",
    ]


def test_the_same_phase_of_the_next_example_is_a_line_again() -> None:
    lines = logged(Phase("load"), Example(2), Phase("load"))
    assert [line.split(": ", 1)[1] for line in lines] == ["load", "example 2", "load"]


def test_a_sign_of_life_comes_at_most_every_ten_seconds() -> None:
    rates = [Rate("eu-west", 50.0)] * 100
    lines = logged(Estimate(1, remaining_s=90.0), Phase("load", 0.5), *rates, seconds_apart=0.5)
    beats = [line for line in lines if "working" in line]
    assert len(beats) == 5
    assert beats[0] == "[0:11] working, 0 examples done; world 0 load 50%; about 1:20 to go"


def test_a_sign_of_life_comes_without_any_event() -> None:
    wrote = threading.Event()

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            wrote.set()
            return super().write(text)

    with LogView(Stream(), heartbeat_s=0.05) as view:
        assert wrote.wait(30)
    assert view.standing.examples_done == 0


def test_nothing_in_a_name_is_obeyed() -> None:
    (line,) = logged(Log("\x1b[2Jgone\nnew line"))
    assert line.endswith("\\x1b[2Jgone\\nnew line")


def test_a_log_without_unicode_does_not_end_the_run() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    LogView(stream).feed(Event(0.0, EVERY_LANE, Log("Zürich → Genève")))
    assert b"Z?rich ? Gen?ve" in raw.getvalue()
