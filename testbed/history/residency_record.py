"""``residency.json`` of a run: where data may be, what was searched and what was found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from testbed.history.history import History
from testbed.history.operation import Operation
from testbed.history.policy_change import PolicyChange, changes_document, changes_of
from testbed.history.residency import (
    Canary,
    Found,
    canaries_document,
    canaries_of,
    found_document,
    found_of,
)
from testbed.history.whole_file import write_whole

RECORD_VERSION = 1
FILE = "residency.json"

DUMP, BASE, ARCHIVE = "dump", "base backup", "archived WAL"
"""What a store keeps of a jurisdiction's cluster; what is archived grows without a pause."""
SEEDED, PUBLISHED = "seeded again", "published anew"
"""What a server's keeper did: it read another jurisdiction's rows, or replaced older filters."""


class RecordError(ValueError):
    """The record is missing, damaged or of a newer version; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a deployment did with data besides replicating it.

    Args:
        node: Whose keeper tells it.
        what: ``DUMP`` or ``BASE``; ``SEEDED`` or ``PUBLISHED``; or ``deed`` for what a mutant did.
        of: The jurisdiction whose data it was; empty where that is not told.
        time_ns: When, since the run began; of a backup, when it began: it has what was there then.
        detail: The file that was written, or what was done.
    """

    node: str
    what: str
    of: str
    time_ns: int
    detail: str


@dataclass(frozen=True, slots=True)
class ResidencyRecord:
    """All that judging where data was needs beside the history.

    Args:
        policy: The placement policy as plain JSON, for people.
        allowed: The jurisdictions of each data class; None for one that may be anywhere.
        nodes: Jurisdiction by node.
        links: Jurisdictions of sender and receiver by directed link.
        canaries: What was searched for: what clients wrote, and the controls.
        found: What was found and what was looked at.
        seconds: How long each part took, by name.
        deeds: Backups that were made in the run, and what else is told of it.
        heirs: Each node that is primary, or may become it, of a jurisdiction's cluster, with that
            jurisdiction: the one of the primary.
        traces: Purposes of canaries that leave a trace of their own, each with words that tell it.
        stored: Each store that backs a jurisdiction up, with that, and each thing that it keeps.
        changes: Versions of the policy that were in force for a while, in order.
        written_ns: When each canary was sent, by token; of runs with such versions alone.
    """

    policy: Mapping[str, Any]
    allowed: Mapping[str, tuple[str, ...] | None]
    nodes: Mapping[str, str]
    links: Mapping[str, tuple[str, str]]
    canaries: tuple[Canary, ...]
    found: Found
    seconds: Mapping[str, float] = field(default_factory=dict)
    deeds: tuple[Deed, ...] = ()
    stored: tuple[tuple[str, str, str], ...] = ()
    heirs: tuple[tuple[str, str], ...] = ()
    traces: tuple[tuple[str, str], ...] = ()
    changes: tuple[PolicyChange, ...] = ()
    written_ns: Mapping[str, int] = field(default_factory=dict)


def written_canaries(history: History) -> tuple[Canary, ...]:
    """Every canary that a client sent, whatever became of the operation.

    Raises:
        TypeError: An operation's canaries are damaged.
    """
    return tuple(canary for operation in history for canary in canaries_in(operation))


def canaries_in(operation: Operation) -> tuple[Canary, ...]:
    """The canaries that an operation was asked to write.

    Raises:
        TypeError: They are damaged.
    """
    value = operation.value
    if operation.type != "invoke" or not isinstance(value, Mapping):
        return ()
    return canaries_of(value.get("canaries", ()))


def write_record(record: ResidencyRecord, path: Path) -> None:
    """Write it whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    document = {
        "version": RECORD_VERSION,
        "policy": record.policy,
        "allowed": {name: where and list(where) for name, where in record.allowed.items()},
        "nodes": dict(record.nodes),
        "links": {name: list(ends) for name, ends in record.links.items()},
        "canaries": canaries_document(record.canaries),
        "found": found_document(record.found),
        "seconds": dict(record.seconds),
        "deeds": [asdict(deed) for deed in record.deeds],
        "stored": [list(one) for one in record.stored],
        "heirs": [list(pair) for pair in record.heirs],
        "traces": [list(pair) for pair in record.traces],
        "changes": changes_document(record.changes),
        "written_ns": dict(record.written_ns),
    }
    write_whole(path, json.dumps(document) + "\n")


def read_record(path: Path) -> ResidencyRecord:
    """Read it.

    Raises:
        RecordError: It is missing or damaged.
    """
    try:
        document = json.loads(path.read_bytes())
        version = document["version"]
        if version != RECORD_VERSION:
            raise RecordError(
                f"{path} has version {version}, this testbed reads {RECORD_VERSION}: use the"
                " testbed that wrote it"
            )
        return ResidencyRecord(
            policy=document["policy"],
            allowed={
                name: None if where is None else tuple(where)
                for name, where in document["allowed"].items()
            },
            nodes=document["nodes"],
            links={name: (ends[0], ends[1]) for name, ends in document["links"].items()},
            canaries=canaries_of(document["canaries"]),
            found=found_of(document["found"]),
            seconds=document.get("seconds", {}),
            deeds=tuple(Deed(**one) for one in document.get("deeds", ())),
            stored=_stored(document),
            heirs=_pairs(document.get("heirs", ())),
            traces=_pairs(document.get("traces", ())),
            changes=changes_of(document.get("changes", ())),
            written_ns=document.get("written_ns", {}),
        )
    except FileNotFoundError as error:
        raise RecordError(
            f"{path.parent} has no {path.name}: the search for personal data did not end"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(f"{path} is damaged: {error!r}") from error


def _pairs(document: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((one[0], one[1]) for one in document)


def _stored(document: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """What stores keep; in older records, of which there were dumps alone."""
    dumped = [(*pair, DUMP) for pair in _pairs(document.get("dumped", ()))]
    return (*dumped, *((one[0], one[1], one[2]) for one in document.get("stored", ())))


def unsought(record: ResidencyRecord, written: Iterable[Canary]) -> tuple[Canary, ...]:
    """Canaries that were written and that the search did not look for."""
    known = {canary.token for canary in record.canaries}
    return tuple(canary for canary in written if canary.token not in known)
