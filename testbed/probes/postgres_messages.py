"""PostgreSQL's messages in a stream, all of them found in one pass.

They are read as its documentation's chapter on the frontend/backend protocol defines them: a
letter, four bytes of length that count themselves, a body. A recording that begins in the middle of
a connection (of servers that were connected before it) is read from the first packet that begins
with a message.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from testbed.probes.byte_kernel import Bytes, Rows, compiled, sealed
from testbed.probes.flows import Flow

_STARTUP = (196608).to_bytes(4, "big")
_TLS_ASKED = (80877103).to_bytes(4, "big")
_BEGINS_MAX = 64
"""So many packets are tried as the first one that begins with a message."""
_ENOUGH = 3
"""So many messages one behind the other are no accident."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its type, and the span of its body."""

    kind: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Messages:
    """The messages of one stream, in their order.

    Args:
        kinds: The letter of each.
        starts: Where each body begins in the flow.
        ends: Where it ends; that of the last may lie behind the end of the flow.
    """

    kinds: Bytes
    starts: Rows
    ends: Rows

    def __len__(self) -> int:
        return len(self.kinds)

    def at(self, offset: int) -> Message | None:
        """The message that holds a byte of the flow; None when there is none."""
        place = int(np.searchsorted(self.starts, offset + 5, side="right")) - 1
        if place < 0 or offset >= self.ends[place]:
            return None
        return Message(
            bytes([int(self.kinds[place])]), int(self.starts[place]), int(self.ends[place])
        )


def messages_of(flow: Flow) -> Messages:
    """All messages of a flow up to what is none of PostgreSQL's any more."""
    data = sealed(flow.data[:])
    best = _walked(data, _after_startup(data[:16].tobytes()))
    if len(best) < _ENOUGH:
        for begin in flow.starts[1:_BEGINS_MAX]:
            found = _walked(data, int(begin))
            if len(found) >= _ENOUGH:
                return found
    return best


def _walked(data: Bytes, begin: int) -> Messages:
    number = int(_count(data, begin))
    kinds = np.empty(number, np.uint8)
    starts, ends = np.empty(number, np.int64), np.empty(number, np.int64)
    _fill(data, begin, kinds, starts, ends)
    return Messages(kinds, starts, ends)


def _after_startup(begin: bytes) -> int:
    """Where the typed messages of a stream begin: a client's first message has no type."""
    at = 0
    if begin[4:8] == _TLS_ASKED:  # it asked for TLS, and went on without
        at = 8
    if begin[at + 4 : at + 8] == _STARTUP:
        return at + int.from_bytes(begin[at : at + 4], "big")
    if begin[:1] == b"N" and begin[1:2] in (b"R", b"E"):  # the answer to such a question
        return 1
    return at


@compiled
def _next(data: Bytes, at: int) -> int:
    """Where the message behind this one begins; -1 when there is no message here."""
    if at < 0 or at + 5 > len(data):
        return -1
    kind = int(data[at])
    if not (48 <= kind <= 57 or 65 <= kind <= 90 or 97 <= kind <= 122):
        return -1
    high = int(data[at + 1]) << 24 | int(data[at + 2]) << 16
    length = high | int(data[at + 3]) << 8 | int(data[at + 4])
    return at + 1 + length if length >= 4 else -1


@compiled
def _count(data: Bytes, begin: int) -> int:
    number = 0
    at = _next(data, begin)
    while at >= 0:
        number += 1
        at = _next(data, at)
    return number


@compiled
def _fill(data: Bytes, begin: int, kinds: Bytes, starts: Rows, ends: Rows) -> None:
    at = begin
    for number in range(len(kinds)):
        kinds[number] = data[at]
        starts[number] = at + 5
        at = _next(data, at)
        ends[number] = at
