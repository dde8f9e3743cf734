"""What carried some bytes across the wan: the protocol, the statement, the replication stream.

What is encrypted is recognised, so that it is never taken for clean.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

import numpy as np

from testbed.clients.postgres_entry import NODE_PORT, READER_PORT, WRITER_PORT
from testbed.probes.flows import Flow
from testbed.probes.postgres_messages import Message, Messages, messages_of

CLIENT = "client to server"
SERVER = "server to client"
DATAGRAMS = "datagrams"

_PORTS = {
    NODE_PORT: "PostgreSQL",
    WRITER_PORT: "PostgreSQL through a proxy",
    READER_PORT: "PostgreSQL through a proxy",
    6379: "cache",
    8008: "Patroni's interface",
    8300: "Consul's server calls and raft",
    8301: "Consul's gossip",
    8302: "Consul's gossip",
    8500: "Consul's interface",
}
_HANDSHAKE = re.compile(rb"\x16\x03[\x00-\x04]..[\x01\x02]\x00..\x03[\x00-\x04]", re.DOTALL)
_RECORD = re.compile(rb"[\x14-\x17]\x03[\x01-\x04][\x00-\x41]")
_CHAINED = 3
"""TLS records that follow a first one: in anything else their headers do not fit by chance."""
_QUIC = b"\x00\x00\x00\x01"
_LOOKED_AT = 1 << 16
_TEXT_MAX = 300
_BEGIN = 1000
"""Bytes in which both sides say who the client is."""
_FROM_CLIENT = {
    b"Q": "statement",
    b"P": "prepared statement",
    b"B": "bound values of a prepared statement",
    b"d": "COPY to the server",
    b"F": "function call",
}
_FROM_SERVER = {
    b"D": "row returned by a query",
    b"E": "error message",
    b"N": "notice",
    b"A": "notification",
    b"T": "description of a row",
    b"C": "completion of a command",
    b"S": "parameter's value",
}
STREAMED = 25
"""Bytes before the data of a message of a replication stream: its type and three numbers."""
_LOGICAL_LETTERS = np.frombuffer(b"BCOYIUDTMRSEcAbPKrp", np.uint8)
"""What a message of the protocol of logical replication may begin with."""
_LOGICAL = {
    b"I": "insert",
    b"U": "update",
    b"D": "delete",
    b"T": "truncate",
    b"M": "message",
    b"R": "relation",
}


def direction_of(flow: Flow) -> str:
    """Whether it was the client that sent: the server's port is the lower of the two."""
    if flow.kind != "tcp":
        return DATAGRAMS
    known = (flow.source_port in _PORTS, flow.target_port in _PORTS)
    if known[0] != known[1]:
        return SERVER if known[0] else CLIENT
    return SERVER if flow.source_port < flow.target_port else CLIENT


def encrypted(flow: Flow) -> str:
    """Why nothing can be said of what a flow carried; empty when it is in the clear."""
    begin = flow.data[:_LOOKED_AT].tobytes()
    if flow.kind == "tcp":
        if _HANDSHAKE.search(begin) or _RECORD.match(begin) or _records(begin):
            return "TLS: encrypted, and its keys are not known here"
        if begin.startswith(b"SSH-"):
            return "SSH: encrypted"
        if begin[4:8] == (80877104).to_bytes(4, "big") and len(begin) > 8:
            return "it may be encrypted with GSSAPI"
    if flow.kind == "udp" and begin[:1] >= b"\xc0" and begin[1:5] == _QUIC:
        return "QUIC: encrypted"
    return ""


def _records(begin: bytes) -> bool:
    """Whether TLS records follow each other: an older connection is met inside of one."""
    for first in _RECORD.finditer(begin):
        at = first.start()
        for _ in range(_CHAINED):
            at += 5 + int.from_bytes(begin[at + 3 : at + 5], "big")
            if not _RECORD.match(begin, at):
                break
        else:
            return True
    return False


class Carriers:
    """Says what carried a byte of one flow; its messages are found once, when first asked for.

    Args:
        flow: The flow.
    """

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    @functools.cached_property
    def messages(self) -> Messages:
        """PostgreSQL's messages; none when the flow is not of its protocol."""
        return messages_of(self._flow)

    @functools.cached_property
    def _logical(self) -> bool:
        """Whether a replication stream is logical: each of its messages begins with a known letter.

        A physical one is the log itself, in which any byte may stand there.
        """
        data, starts = self._flow.data, self.messages.starts
        whole = self.messages.ends <= len(data)
        long = whole & (self.messages.ends - starts > STREAMED) & (self.messages.kinds == ord("d"))
        streamed = starts[long][data[starts[long]] == ord("w")]
        return bool(np.isin(data[streamed + STREAMED], _LOGICAL_LETTERS).all())

    def of(self, offset: int) -> str:
        """What carried a byte, in a few words for people."""
        flow = self._flow
        client = direction_of(flow) == CLIENT
        message = self.messages.at(offset) if flow.kind == "tcp" else None
        if message is not None and message.kind in {*_known(client=client), b"d"}:
            return _said(flow, message, client=client, logical=self._logical)
        port = flow.target_port if client else flow.source_port
        name = _PORTS.get(port, f"port {port}") if port >= 0 else flow.kind
        begin = flow.data[:200].tobytes()
        asked = re.match(rb"(GET|PUT|POST|DELETE|PATCH) (\S+) HTTP/1", begin)
        if asked:
            return f"{name}: HTTP {asked[1].decode()} {asked[2].decode(errors='replace')}"
        if begin.startswith(b"HTTP/1"):
            return f"{name}: HTTP answer"
        return name


def _known(*, client: bool) -> Mapping[bytes, str]:
    return _FROM_CLIENT if client else _FROM_SERVER


def _said(flow: Flow, message: Message, *, client: bool, logical: bool) -> str:
    body = flow.data[message.start : message.end].tobytes()
    if client:
        kind = _FROM_CLIENT.get(message.kind, "message")
        who = _application(flow)
        if message.kind in (b"Q", b"P"):
            text = body.strip(b"\0").decode(errors="replace")[:_TEXT_MAX]
            return f"PostgreSQL {kind}{who}: {text}"
        return f"PostgreSQL {kind}{who}"
    if message.kind == b"d":
        if body[:1] == b"w":
            if not logical:
                return "PostgreSQL physical replication"
            change = _LOGICAL.get(body[STREAMED : STREAMED + 1], "message")
            return f"PostgreSQL logical replication, {change}"
        # The server tells a client its name, as it does every parameter that it reports.
        name = _named(flow)
        to = f" to {name}" if name else ""
        return f"PostgreSQL COPY from the server{to} (initial copy of a table, or a base backup)"
    return f"PostgreSQL {_FROM_SERVER.get(message.kind, 'message')}"


def _application(flow: Flow) -> str:
    name = _named(flow)
    return f" of {name}" if name else ""


def _named(flow: Flow) -> str:
    """The client's name for itself, from the beginning of either direction; empty for none."""
    name = re.search(rb"application_name\0([^\0]+)\0", flow.data[:_BEGIN].tobytes())
    return name[1].decode(errors="replace") if name else ""
