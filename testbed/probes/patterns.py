"""Every form in which PostgreSQL, Consul and their protocols write a canary, as byte patterns."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from testbed.history.residency import Canary

TAIL = 16
"""Of a token, its random end: an update's WAL record may leave out the beginning that is shared
with the old row, and a token is matched by its tail so that it is found all the same."""

_BASE = 10_000


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sequence of bytes that stands for one canary in one encoding."""

    canary: str
    encoding: str
    data: bytes


def patterns_of(canaries: Iterable[Canary]) -> tuple[Pattern, ...]:
    """All patterns of canaries, in their order."""
    return tuple(
        Pattern(canary.token, encoding, data)
        for canary in canaries
        for encoding, data in _encodings(canary)
    )


def _encodings(canary: Canary) -> Iterable[tuple[str, bytes]]:
    tail = canary.token[-TAIL:].encode()
    yield "utf-8", tail
    yield "hex", tail.hex().encode()
    yield from _base64(tail, "base64")
    identity = uuid.UUID(canary.uuid)
    yield "uuid raw", identity.bytes
    yield "uuid text", canary.uuid.encode()
    yield "uuid hex", identity.hex.encode()
    yield "bigint little-endian", canary.bigint.to_bytes(8, "little")
    yield "bigint big-endian", canary.bigint.to_bytes(8, "big")
    yield "bigint text", str(canary.bigint).encode()
    yield from _groups(_groups_of_integer(canary.bigint), "bigint as numeric")
    yield from _groups(_groups_of_numeric(canary.numeric), "numeric")
    yield "numeric text", canary.numeric.encode()
    raw = bytes.fromhex(canary.bytea)
    yield "bytea raw", raw
    yield "bytea hex", canary.bytea.encode()
    yield from _base64(raw, "bytea base64")


def _base64(data: bytes, name: str) -> Iterable[tuple[str, bytes]]:
    """The characters that are the same whatever stands before and behind, at each alignment."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + data + bytes(2))
        first = -(-before * 8 // 6)
        last = (before + len(data)) * 8 // 6
        yield f"{name} +{before}", text[first:last]


def _groups(groups: list[int], name: str) -> Iterable[tuple[str, bytes]]:
    for order in ("little", "big"):
        data = b"".join(group.to_bytes(2, order) for group in groups)
        yield f"{name} {order}-endian", data


def _groups_of_integer(number: int) -> list[int]:
    """A whole number's digits in base 10,000, as the type numeric holds them."""
    groups: list[int] = []
    while number:
        number, group = divmod(number, _BASE)
        groups.insert(0, group)
    return groups


def _groups_of_numeric(text: str) -> list[int]:
    whole, _, fraction = text.partition(".")
    return [int(whole[at : at + 4]) for at in range(0, len(whole), 4)] + [int(fraction)]
