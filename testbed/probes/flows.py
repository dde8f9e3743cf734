"""The bytes of each flow across the wan, in order.

TCP is put together by sequence numbers: what was sent again is taken once, what arrived out of
order is put in its place, and what is missing is said. A number of connections may follow each
other on one pair of ports; a SYN with another number begins the next.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from testbed.probes import capture
from testbed.probes.byte_kernel import Bytes, Rows, compiled, sealed
from testbed.probes.capture import Capture

_KINDS = {capture.TCP: "tcp", capture.UDP: "udp", 1: "icmp"}


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction of a connection, or datagrams between two sockets.

    Args:
        source: Sending address, as a number.
        target: Receiving address, as a number.
        kind: ``tcp``, ``udp``, ``icmp`` or ``ip NUMBER``.
        source_port: -1 where there is none.
        target_port: -1 where there is none.
        data: Its bytes in order.
        starts: Where each packet's part begins in ``data``.
        times_ns: When each of these was sent, on the monotonic clock.
        packets: Packets, empty ones and repeated ones included.
        missing: Bytes that are known to be missing.
    """

    source: int
    target: int
    kind: str
    source_port: int
    target_port: int
    data: Bytes
    starts: Rows
    times_ns: Rows
    packets: int
    missing: int

    @property
    def name(self) -> str:
        """Kind and both ends, for people."""
        ends = []
        for address, port in ((self.source, self.source_port), (self.target, self.target_port)):
            ends.append(str(ipaddress.IPv4Address(address)) + (f":{port}" if port >= 0 else ""))
        return f"{self.kind} {ends[0]}->{ends[1]}"

    def time_ns(self, offset: int) -> int:
        """When a byte was first sent."""
        if not len(self.starts):
            return 0
        place = int(np.searchsorted(self.starts, offset, side="right")) - 1
        return int(self.times_ns[max(place, 0)])


def flows_of(recorded: Capture) -> Iterator[Flow]:
    """Every flow of a recording."""
    packets = recorded.packets
    if not len(packets):
        return
    keys = packets[
        :,
        (
            capture.SOURCE,
            capture.TARGET,
            capture.PROTOCOL,
            capture.SOURCE_PORT,
            capture.TARGET_PORT,
        ),
    ]
    order = np.lexsort(keys.T[::-1])
    changed = np.any(np.diff(keys[order], axis=0) != 0, axis=1)
    for group in np.split(order, np.flatnonzero(changed) + 1):
        own = packets[np.sort(group)]
        if own[0, capture.PROTOCOL] == capture.TCP and own[0, capture.SOURCE_PORT] >= 0:
            for connection in _connections(own):
                yield _stream(recorded.data, connection)
        else:
            kept = own[own[:, capture.LENGTH] > 0]
            yield _flow(
                recorded.data, own, kept, kept[:, capture.START], kept[:, capture.LENGTH], 0
            )


def _connections(packets: Rows) -> list[Rows]:
    """The packets of each connection in turn."""
    opening = packets[:, capture.FLAGS] & capture.SYN != 0
    places = np.flatnonzero(opening)
    begins = [
        int(place)
        for before, place in zip([-1, *places], places, strict=False)
        if place > 0
        and (before < 0 or packets[before, capture.SEQUENCE] != packets[place, capture.SEQUENCE])
    ]
    return np.split(packets, begins)


def _stream(data: Bytes, packets: Rows) -> Flow:
    """A TCP stream from its segments."""
    numbers = packets[:, capture.SEQUENCE] + (packets[:, capture.FLAGS] & capture.SYN != 0)
    steps = np.diff(numbers, prepend=numbers[0]).astype(np.uint32).astype(np.int32)
    places = np.cumsum(steps.astype(np.int64))
    full = packets[:, capture.LENGTH] > 0
    order = np.argsort(places[full], kind="stable")
    own, begin = packets[full][order], places[full][order]
    end = begin + own[:, capture.LENGTH]
    if not len(own):
        return _flow(data, packets, own, own[:, 0], own[:, 0], 0)
    opened = bool(packets[0, capture.FLAGS] & capture.SYN)
    known = np.maximum.accumulate(np.concatenate(([0 if opened else begin[0]], end[:-1])))
    skip = np.clip(known - begin, 0, None)
    missing = int(np.clip(begin - known, 0, None).sum())
    new = end > known
    starts = own[new, capture.START] + skip[new]
    return _flow(data, packets, own[new], starts, own[new, capture.LENGTH] - skip[new], missing)


def _flow(  # noqa: PLR0917 - columns
    data: Bytes, packets: Rows, kept: Rows, begins: Rows, lengths: Rows, missing: int
) -> Flow:
    ends = np.cumsum(lengths)
    gathered = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    _gather(sealed(data[:]), np.ascontiguousarray(begins), np.ascontiguousarray(lengths), gathered)
    first = packets[0]
    number = int(first[capture.PROTOCOL])
    return Flow(
        source=int(first[capture.SOURCE]),
        target=int(first[capture.TARGET]),
        kind=_KINDS.get(number, f"ip {number}"),
        source_port=int(first[capture.SOURCE_PORT]),
        target_port=int(first[capture.TARGET_PORT]),
        data=sealed(gathered),
        starts=ends - lengths,
        times_ns=kept[:, capture.TIME].copy(),
        packets=len(packets),
        missing=missing,
    )


@compiled
def _gather(data: Bytes, begins: Rows, lengths: Rows, out: npt.NDArray[np.uint8]) -> None:
    at = 0
    for number in range(len(begins)):
        begin, length = begins[number], lengths[number]
        out[at : at + length] = data[begin : begin + length]
        at += length
