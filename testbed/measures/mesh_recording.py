"""What was recorded of a mesh beside a run: streams, slots and conflict counters of every node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CONFLICTS = (
    "confl_insert_exists",
    "confl_update_origin_differs",
    "confl_update_exists",
    "confl_update_missing",
    "confl_delete_origin_differs",
    "confl_delete_missing",
    "confl_multiple_unique_conflicts",
)
"""PostgreSQL 18's counters in ``pg_stat_subscription_stats``."""


@dataclass(frozen=True, slots=True)
class StreamLook:
    """One stream at one node, seen once.

    Args:
        time_ns: When.
        node: Where it arrives.
        stream: The subscription's name.
        runs: Whether a worker has heard from the publisher.
        errors: How often its worker has failed so far, lost connections included.
        conflicts: PostgreSQL's counters so far, by name.
    """

    time_ns: int
    node: str
    stream: str
    runs: bool
    errors: int
    conflicts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SlotLook:
    """One slot at one node, seen once.

    Args:
        time_ns: When.
        node: Where it keeps WAL.
        slot: Its name.
        active: Whether it is read.
        lost: Whether it has been given up.
        kept_bytes: How much it keeps.
        bound_bytes: How much it may keep.
    """

    time_ns: int
    node: str
    slot: str
    active: bool
    lost: bool
    kept_bytes: int
    bound_bytes: int


@dataclass(frozen=True)
class MeshRecording:
    """All that was recorded, in order.

    Args:
        streams: Of every look at every stream.
        slots: Of every look at every slot.
        seeded: How many streams were begun anew in the end, by node.
    """

    streams: tuple[StreamLook, ...]
    slots: tuple[SlotLook, ...]
    seeded: Mapping[str, int]


def mesh_recording(rows: Iterable[Mapping[str, Any]]) -> MeshRecording:
    """What was recorded, from the lines of its file.

    Raises:
        KeyError: A line lacks what it has to have.
    """
    streams, slots, seeded = [], [], {}
    for row in rows:
        if row["standby"]:
            continue
        time_ns, node = int(row["time"]), str(row["node"])
        seeded[node] = len(row["seeded"])
        for name, stream in row["streams"].items():
            counted = row["conflicts"].get(name, {})
            conflicts = {kind: int(counted.get(kind) or 0) for kind in CONFLICTS}
            runs = bool(stream["running"]) and bool(stream["received"])
            errors = int(counted.get("apply_error_count") or 0)
            streams.append(StreamLook(time_ns, node, name, runs, errors, conflicts))
        for name, slot in row["slots"].items():
            slots.append(
                SlotLook(
                    time_ns,
                    node,
                    name,
                    active=bool(slot["active"]),
                    lost=slot["wal_status"] == "lost" or slot["invalidation_reason"] is not None,
                    kept_bytes=int(slot["kept_bytes"] or 0),
                    bound_bytes=int(row["slot_bound_bytes"]),
                )
            )
    return MeshRecording(tuple(streams), tuple(slots), seeded)
