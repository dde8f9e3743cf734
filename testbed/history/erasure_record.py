"""``erasure.json`` of a run: whose data was erased, how, and what was found before and after."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from testbed.history.residency import (
    Canary,
    Erasure,
    Found,
    canaries_document,
    canaries_of,
    found_document,
    found_of,
)
from testbed.history.residency_record import RecordError
from testbed.history.whole_file import write_whole

ERASURE_VERSION = 1
ERASURE_FILE = "erasure.json"


@dataclass(frozen=True, slots=True)
class ErasureRecord:
    """All that judging an erasure needs.

    Args:
        erasure: Whose data, since when, and what was said to remain until when.
        method: ``complete``, or ``delete`` for the control that must fail.
        canaries: Everything that was written of the subject.
        before: What was found of it before.
        after: What was found of it afterwards.
        nodes: Every node of the topology.
        problem: What kept the erasure from being carried out whole; empty if nothing did.
        seconds: How long each part took, by name.
    """

    erasure: Erasure
    method: str
    canaries: tuple[Canary, ...]
    before: Found
    after: Found
    nodes: tuple[str, ...]
    problem: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)


def write_erasure(record: ErasureRecord, path: Path) -> None:
    """Write it whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    document = {
        "version": ERASURE_VERSION,
        "erasure": asdict(record.erasure),
        "method": record.method,
        "canaries": canaries_document(record.canaries),
        "before": found_document(record.before),
        "after": found_document(record.after),
        "nodes": list(record.nodes),
        "problem": record.problem,
        "seconds": dict(record.seconds),
    }
    write_whole(path, json.dumps(document) + "\n")


def read_erasure(path: Path) -> ErasureRecord:
    """Read it.

    Raises:
        RecordError: It is missing or damaged.
    """
    try:
        document = json.loads(path.read_bytes())
        if document["version"] != ERASURE_VERSION:
            raise RecordError(
                f"{path} has version {document['version']}, this testbed reads {ERASURE_VERSION}:"
                " use the testbed that wrote it"
            )
        return ErasureRecord(
            erasure=Erasure(**document["erasure"]),
            method=document["method"],
            canaries=canaries_of(document["canaries"]),
            before=found_of(document["before"]),
            after=found_of(document["after"]),
            nodes=tuple(document["nodes"]),
            problem=document["problem"],
            seconds=document["seconds"],
        )
    except FileNotFoundError as error:
        raise RecordError(
            f"{path.parent} has no {path.name}: nobody was erased, or the run did not get there"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(f"{path} is damaged: {error!r}") from error
