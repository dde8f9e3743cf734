"""Messages of a stream are found once, whatever it begins with and wherever it breaks off."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from testbed.probes.flows import Flow
from testbed.probes.postgres_messages import messages_of

KINDS = st.sampled_from([b"d", b"Q", b"D", b"C", b"1"])
BODIES = st.lists(st.tuples(KINDS, st.binary(max_size=40)), min_size=1, max_size=12)


def stream(parts: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(kind + (len(body) + 4).to_bytes(4, "big") + body for kind, body in parts)


def flow(data: bytes, packets: tuple[int, ...] = (0,)) -> Flow:
    starts = np.array(packets, np.int64)
    array = np.frombuffer(data, np.uint8)
    return Flow(1, 2, "tcp", 5432, 40000, array, starts, starts, len(packets), 0)


@given(BODIES, st.binary(max_size=8))
def test_each_byte_belongs_to_its_message(parts: list[tuple[bytes, bytes]], rest: bytes) -> None:
    data = stream(parts)
    found = messages_of(flow(data + b"\0" + rest))
    assert len(found) == len(parts)
    at = 0
    for kind, body in parts:
        for offset in range(at, at + 5 + len(body)):
            message = found.at(offset)
            assert message is not None
            assert (message.kind, message.start) == (kind, at + 5)
            assert data[message.start : message.end] == body
        at += 5 + len(body)
    assert found.at(at) is None


@given(st.binary(max_size=200), st.integers(0, 220))
def test_other_bytes_are_no_error(data: bytes, offset: int) -> None:
    found = messages_of(flow(data))
    message = found.at(offset)
    assert message is None or message.start - 5 <= offset < message.end


def test_a_recording_may_begin_in_the_middle_of_a_message() -> None:
    parts = [(b"d", b"w" + bytes([number]) * 30) for number in range(5)]
    data = b"\0\0the end of one" + stream(parts)
    found = messages_of(flow(data, (0, 16)))
    assert len(found) == 5
    assert found.at(16 + 36) is not None
    assert found.at(3) is None


def test_what_breaks_off_is_read_up_to_there() -> None:
    data = stream([(b"D", b"one"), (b"D", b"twotwo")])[:-3]
    message = messages_of(flow(data)).at(len(data) - 1)
    assert message is not None
    assert message.start == 13


def test_a_million_messages_take_no_time() -> None:
    found = messages_of(flow(stream([(b"d", b"")])))  # compiled before the clock runs
    assert len(found) == 1
    data = stream([(b"d", bytes(20))]) * 1_000_000
    begun = time.perf_counter()
    found = messages_of(flow(data))
    assert all(found.at(25 * number + 7) is not None for number in range(10_000))
    assert time.perf_counter() - begun < 1.5
