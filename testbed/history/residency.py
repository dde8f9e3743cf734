"""Where personal data was found: canaries, findings, what was searched, and the controls.

Everything is frozen, plain data, with its form in JSON: a run records it, and a checker judges it
with no cluster. Offsets count bytes from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

LEAK = "leak"
"""Purpose of canaries that are put where they must not be: to find them is a control."""


@dataclass(frozen=True, slots=True)
class Canary:
    """A marker that occurs nowhere but in what was written for one purpose, and its typed twins.

    Args:
        token: 24 ASCII characters: the run's magic (8) and 16 random ones.
        data_class: The class of data in the placement policy that it was written as.
        subject: The data subject, for example ``subject-17``.
        row: What it was written as: a table's key, a topic, a key in Consul.
        version: Number of the write to that row, from 1.
        jurisdiction: Where it was written and belongs, for example ``EU``.
        purpose: Why it was written: ``row``, ``update``, ``copy``, ``error``, ..., or one of
            the controls ``foreign`` and ``leak``.
        uuid: Twin of the type uuid, with hyphens, lower case.
        bigint: Twin of the type bigint, at least 10^17.
        numeric: Twin of the type numeric, 20 digits before the point and 4 after it.
        bytea: Twin of the type bytea, 16 bytes in hexadecimal, lower case.
    """

    token: str
    data_class: str
    subject: str
    row: str
    version: int
    jurisdiction: str
    purpose: str
    uuid: str
    bigint: int
    numeric: str
    bytea: str


@dataclass(frozen=True, slots=True)
class AtRest:
    """A place in a node's files.

    Args:
        node: The node's name.
        file: Path as the node sees it; an unlinked file that is held open ends in `` (deleted)``.
        offset: Where in the file; of what is inside something compressed, where that begins.
        inside: What it was taken out of, outermost first: ``gzip``, ``pglz value``, ...
    """

    node: str
    file: str
    offset: int
    inside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OnWire:
    """A place in what crossed the wan.

    Args:
        link: The directed link, ``source->target``.
        connection: The flow: protocol, sender's and receiver's address and port.
        direction: ``client to server``, ``server to client``, or ``datagrams``.
        offset: Where in the flow's bytes.
        inside: As in :class:`AtRest`.
    """

    link: str
    connection: str
    direction: str
    offset: int
    inside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A canary in one place; the first occurrence there stands for all.

    Args:
        canary: The canary's token.
        encoding: How it is written there, for example ``utf-8``, ``uuid raw``.
        where: The place.
        count: Occurrences of this canary in this encoding in the same file or flow.
        time_ns: When it crossed, or when the file was searched, since the run began.
        how: How it got there where that is known: the kind of file, the statement; else empty.
    """

    canary: str
    encoding: str
    where: AtRest | OnWire
    count: int = 1
    time_ns: int = 0
    how: str = ""


@dataclass(frozen=True, slots=True)
class Unsearchable:
    """Something that could not be searched, and why; it may hide anything."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Searched:
    """What was looked at in one place.

    Args:
        place: A node's name, or a directed link's.
        kind: ``at rest`` or ``in motion``.
        files: Files of a node; flows of a link.
        bytes: Bytes as they lie there or crossed.
        unpacked_bytes: Bytes that were taken out of something compressed and searched as well.
        packets: Packets of a link.
        unsearchable: What could not be searched.
    """

    place: str
    kind: str
    files: int = 0
    bytes: int = 0
    unpacked_bytes: int = 0
    packets: int = 0
    unsearchable: tuple[Unsearchable, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of a search: what was found and what was looked at."""

    findings: tuple[Finding, ...] = ()
    searched: tuple[Searched, ...] = ()

    def __add__(self, other: Found) -> Found:
        """Both together."""
        return Found(self.findings + other.findings, self.searched + other.searched)


@dataclass(frozen=True, slots=True)
class Control:
    """A positive control: something that a search which works must find.

    Args:
        name: For example ``home``, ``foreign at rest``, ``foreign in motion``, ``leak``.
        shown: Whether it was found.
        detail: What was looked for, and what was found of it.
    """

    name: str
    shown: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Erasure:
    """A request to erase a subject, as it was carried out.

    Args:
        subject: Whose data.
        done_ns: When the erasure was complete, since the run began.
        kept: Where it is known to remain and until when, by the beginning of a file's path as its
            node sees it: ``{"/srv/backup": "2026-12-24"}``.
    """

    subject: str
    done_ns: int
    kept: Mapping[str, str] = field(default_factory=dict)


def found_document(found: Found) -> dict[str, Any]:
    """A search's outcome as plain JSON."""
    return {
        "findings": [_finding_document(finding) for finding in found.findings],
        "searched": [asdict(one) for one in found.searched],
    }


def found_of(document: Mapping[str, Any]) -> Found:
    """The reverse of :func:`found_document`.

    Raises:
        KeyError: A part is missing.
        TypeError: A part has another shape.
    """
    return Found(
        tuple(_finding_of(one) for one in document["findings"]),
        tuple(_searched_of(one) for one in document["searched"]),
    )


def canaries_document(canaries: Iterable[Canary]) -> list[dict[str, Any]]:
    """Canaries as plain JSON."""
    return [asdict(canary) for canary in canaries]


def canaries_of(document: Iterable[Mapping[str, Any]]) -> tuple[Canary, ...]:
    """The reverse of :func:`canaries_document`.

    Raises:
        TypeError: One lacks a part, or has one that is unknown.
    """
    return tuple(Canary(**one) for one in document)


def _finding_document(finding: Finding) -> dict[str, Any]:
    # The place says by its own fields which kind it is.
    return {**asdict(finding), "where": asdict(finding.where)}


def _finding_of(document: Mapping[str, Any]) -> Finding:
    where = dict(document["where"])
    where["inside"] = tuple(where["inside"])
    place = AtRest(**where) if "node" in where else OnWire(**where)
    return Finding(**{**document, "where": place})


def _searched_of(document: Mapping[str, Any]) -> Searched:
    unsearchable = tuple(Unsearchable(**one) for one in document["unsearchable"])
    return Searched(**{**document, "unsearchable": unsearchable})
