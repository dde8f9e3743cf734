from __future__ import annotations

import pytest

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
    ProgressError,
    Rate,
    Role,
    decode,
    encode,
)


@pytest.mark.parametrize(
    "payload",
    [
        Phase("load", 0.5, 30.0, "set"),
        Phase("load"),
        Rate("eu-west", 50.0, 1.0),
        Role("eu-west", "eu-west-db1", "primary"),
        FaultPhase("region-cut eu-west", "effect", shown=False, detail="14 packets"),
        Judged("violation", "why", "durability", 3, "/runs/3"),
        Log("hello", "warning"),
        Example(1, "region-cut", "/runs/1"),
        Estimate(3, 10, 600.0, 500.0, 60.0),
        Estimate(0),
    ],
)
def test_an_event_survives_its_line(payload: Payload) -> None:
    event = Event(12.5, EVERY_LANE, payload)
    line = encode(event)
    assert line.count(b"\n") == 1
    assert decode(line) == event


def test_defaults_are_left_out() -> None:
    assert (
        encode(Event(1.0, 0, Phase("load")))
        == b'{"time":1.0,"lane":0,"event":"phase","name":"load"}\n'
    )


def test_newer_events_and_fields_are_passed_over() -> None:
    assert decode(b'{"time":1,"lane":0,"event":"weather","sunny":true}') is None
    assert decode(b'{"time":1,"lane":0,"event":"log","message":"m","colour":"red"}') == Event(
        1.0, 0, Log("m")
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"Traceback (most recent call last):", "not a line of progress"),
        (b"[]", "expected an object"),
        (b'{"event":"log"}', "'time' is None; 'lane' is None; 'message' is missing"),
        (b'{"time":1,"lane":"x","event":"log","message":1}', "'lane' is 'x'; 'message' is 1"),
        (b'{"time":1,"lane":0,"event":"rate","region":"a","acknowledged_ops_s":true}', "is True"),
    ],
)
def test_every_problem_of_a_line_is_named(line: bytes, problem: str) -> None:
    with pytest.raises(ProgressError, match=r"progress|event") as caught:
        decode(line)
    assert problem in str(caught.value)


def test_output_that_is_no_unicode_can_be_told() -> None:
    line = encode(Event(1.0, 0, Log("caf\udce9")))
    assert decode(line) == Event(1.0, 0, Log("caf?"))
