"""Whatever a suite tells, at whatever size: a frame stays within the terminal."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from testbed.report.live import Frame
from testbed.report.live_lane import glyphs_for
from testbed.report.standing import Standing
from testbed.runner.progress import (
    Estimate,
    Event,
    Example,
    FaultPhase,
    Judged,
    Log,
    Phase,
    Rate,
    Role,
    decode,
    encode,
)
from tests.property.report.strategies import texts

floats = st.floats(-1e9, 1e9)
some = st.none() | floats
payloads = st.one_of(
    st.builds(Phase, texts, some, some, texts),
    st.builds(Rate, texts, floats, floats, floats),
    st.builds(Role, texts, texts, st.sampled_from(["primary", "replica"])),
    st.builds(
        FaultPhase,
        texts,
        st.sampled_from(["inject", "effect", "heal", "absence"]),
        st.none() | st.booleans(),
        texts,
    ),
    st.builds(Judged, texts, texts, texts, st.none() | st.integers(0, 10**6), texts),
    st.builds(Log, texts, texts),
    st.builds(Example, st.integers(0, 10**6), texts, texts),
    st.builds(Estimate, st.integers(0, 10**6), st.none() | st.integers(0, 99), some, some, some),
)
events = st.builds(Event, st.floats(0, 2e9), st.integers(-1, 30), payloads)


@given(st.lists(events, max_size=30), st.integers(1, 200), st.integers(1, 60), st.booleans())
def test_a_frame_stays_within_the_terminal(
    told: list[Event], width: int, height: int, ascii_only: bool
) -> None:
    standing = Standing(started=0.0)
    for event in told:
        standing.add(event)
    lines = Frame(standing, 1e6, glyphs_for(ascii_only=ascii_only)).lines(width, height)
    assert len(lines) <= max(height - 1, 1)
    for line in lines:
        assert line.cell_len <= width
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", line.plain)


@given(events)
def test_an_event_survives_its_line(event: Event) -> None:
    line = encode(event)
    assert line.count(b"\n") == 1
    found = decode(line)
    assert found is not None
    assert encode(found) == line
