"""What gossip compresses: expanded, found in a stream, and searched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from testbed.history.residency import OnWire
from testbed.probes.capture import Capture
from testbed.probes.flows import Flow
from testbed.probes.in_motion import _search_link
from testbed.probes.lzw import expand, messages
from testbed.probes.patterns import patterns_of
from testbed.probes.scanner import Scanner
from testbed.workloads.canary import Canaries

WRITTEN_BY_GO = bytes.fromhex(
    "00c3881943462041830507263ca810a1c38610191e0431268c9b3072f2e8d9c8b1a3478f0101"
)
CANARY = Canaries(3).make("customers", "anna", "1", jurisdiction="EU")


def packed(data: bytes) -> bytes:
    """As Go's writer does it: codes grow once they are needed, a full table is cleared."""
    codes: list[tuple[int, int]] = [(256, 9)]
    table: dict[bytes, int] = {}
    high, width, held = 257, 9, b""
    for byte in data:
        longer = held + bytes([byte])
        if len(longer) == 1 or longer in table:
            held = longer
            continue
        codes.append((table.get(held, held[0]), width))
        held = bytes([byte])
        high += 1
        width = high.bit_length()
        if high == 4095:
            codes.append((256, width))
            high, width, table = 257, 9, {}
        else:
            table[longer] = high
    if held:
        codes.append((table.get(held, held[0]), width))
        high += 1
        width = min(high.bit_length(), 12)
    codes.append((257, width))
    bits = at = 0
    for code, size in codes:
        bits |= code << at
        at += size
    return bits.to_bytes(-(-at // 8), "little")


def gossip(said: bytes) -> bytes:
    """As memberlist sends what it compressed: MessagePack's map of the method and the bytes."""
    data = packed(said)
    head = bytes([0xA0 | len(data)]) if len(data) < 32 else b"\xda" + len(data).to_bytes(2, "big")
    return b"\x09\x82\xa4Algo\x00\xa3Buf" + head + data


def test_what_go_wrote_is_expanded() -> None:
    written = b"abcd" * 12 + b"a canary" + b"z" * 20
    assert expand(WRITTEN_BY_GO) == written
    assert packed(written) == WRITTEN_BY_GO


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 60)), max_size=80))
@example([(bytes(range(256)), 40), (b"ab", 3000)])
def test_what_was_compressed_comes_back(parts: list[tuple[bytes, int]]) -> None:
    data = b"".join(part * times for part, times in parts)
    assert expand(packed(data)) == data


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    assert len(expand(data)) <= 4096 * max(len(data), 1)


def test_a_stream_that_ends_early_gives_what_there_is() -> None:
    whole = packed(b"abcdefgh" * 50)
    assert (b"abcdefgh" * 50).startswith(expand(whole[:40]))
    assert expand(whole[:40])


@pytest.mark.parametrize("said", [b"a", b"ab" * 9, b"abcdefghij" * 40])
def test_messages_are_found_wherever_they_begin(said: bytes) -> None:
    stream = b"before" + gossip(said) + b"between" + gossip(said) + b"\x82\xa4Algo"
    found = list(messages(stream))
    assert [text for _, text in found] == [said, said]
    assert found[0][0] == 7
    assert stream[found[1][0] :].startswith(b"\x82\xa4Algo")


def test_a_canary_in_compressed_gossip_is_found_at_its_datagram() -> None:
    said = b"abcd" * 40 + CANARY.token.encode() + b"abcd" * 40
    first = gossip(b"nothing " * 20)
    data = first + gossip(said)
    assert CANARY.token.encode() not in data
    flow = Flow(1, 2, "udp", 8301, 8301, np.frombuffer(data, np.uint8),
                np.array([0, len(first)]), np.array([7, 9]), 2, 0)  # fmt: skip
    nothing = Capture(np.empty(0, np.uint8), np.empty((0, 10), np.int64), ())
    found = _search_link("eu->us", [flow], nothing, Scanner(patterns_of([CANARY])), 0)
    (finding,) = found.findings
    assert isinstance(finding.where, OnWire)
    assert (finding.encoding, finding.how) == ("utf-8", "Consul's gossip")
    assert (finding.where.offset, finding.where.inside) == (len(first) + 1, ("LZW",))
    assert finding.time_ns == 9
