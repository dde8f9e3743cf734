"""Replication is not stuck: no worker fails again and again, no slot keeps WAL without bound.

Definition. Once nothing disturbs the mesh any more, every stream of every node runs in the end and
its worker has not failed more than a few times since; and at no time a slot that is not given up
keeps more than its bound and what may be written until the next checkpoint, which is when
PostgreSQL looks at the bound. In the end every slot is read. A connection may be opened anew at any
moment, so one that is down in the last look is stuck if it has been for long enough; for shorter,
and without looks, the answer is unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import inf
from typing import Any

from testbed.checkers.operation_view import moment_s
from testbed.checkers.verdict import Validity, Verdict
from testbed.measures.mesh_recording import MeshRecording, SlotLook, StreamLook

NAME = "not-stuck"
PROMISE = "No stream fails again and again, and no slot keeps WAL without bound."

FAILURES_MAX = 3
"""A worker whose publisher was restarted, or that met a deadlock, fails once or twice."""

Name = tuple[str, str]
"""A node, and a stream or a slot of it."""

DOWN_MS_MAX = 4000.0
"""A stream that ended is opened anew within this; it is looked at twice a second."""


def check(recording: MeshRecording, settled_ns: int, *, until_checkpoint_bytes: int) -> Verdict:
    """Judge what was recorded of a mesh.

    Args:
        recording: Every look at its streams and slots.
        settled_ns: From here on nothing disturbs it, and every connection can have come back.
        until_checkpoint_bytes: How much may be written until PostgreSQL makes a checkpoint.
    """
    streams, slots = _streams_after(recording, settled_ns), _slots_kept(recording)
    down = [*_streams_down(streams), *_slots_down(slots, settled_ns)]
    firm = [one for one in down if one.get("down_ms", inf) > DOWN_MS_MAX]
    found = [*_failing(streams), *firm, *_keeping(slots, until_checkpoint_bytes)]
    numbers = {
        "looks_after": float(sum(map(len, streams.values()))),
        "kept_bytes_max": float(
            max((look.kept_bytes for look in recording.slots if not look.lost), default=0)
        ),
        "seeded_again": float(sum(recording.seeded.values())),
        "stuck": float(len(found)),
    }
    if found:
        reason = f"{found[0]['said']}" + (f", and {len(found) - 1} more" if found[1:] else "")
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, tuple(found), numbers)
    if down:
        reason = f"{down[0]['said']}, which is too short to be stuck"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, tuple(down), numbers)
    if not streams:
        reason = f"no stream was looked at after {moment_s(settled_ns)}"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    reason = (
        f"{len(streams)} streams run, and no slot kept more than "
        f"{numbers['kept_bytes_max'] / 2**20:.1f} MiB"
    )
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _failing(streams: Mapping[Name, Sequence[StreamLook]]) -> Iterator[dict[str, Any]]:
    """Streams whose workers failed again and again."""
    for (node, stream), after in streams.items():
        first, last = after[0], after[-1]
        # One that was made anew counts from zero again.
        failures = sum(
            later.errors - (earlier.errors if later.errors >= earlier.errors else 0)
            for earlier, later in pairwise(after)
        )
        if failures <= FAILURES_MAX:
            continue
        grown = {
            kind.removeprefix("confl_"): number - first.conflicts[kind]
            for kind, number in last.conflicts.items()
            if number > first.conflicts[kind]
        }
        because = ", ".join(f"{kind} {number} times" for kind, number in grown.items())
        seconds = (last.time_ns - first.time_ns) / 1e9
        said = (
            f"the stream {stream} of {node} failed {failures} times in the last {seconds:.1f} s"
            + (f" ({because})" if because else "")
        )
        yield {"anomaly": "stuck-stream", "text": [said], "said": said, "node": node,
               "stream": stream, "failures": failures, "conflicts": grown}  # fmt: skip


def _streams_after(recording: MeshRecording, settled_ns: int) -> dict[Name, list[StreamLook]]:
    """The looks at each stream of each node, once nothing disturbs them."""
    looks: dict[Name, list[StreamLook]] = defaultdict(list)
    for look in recording.streams:
        if look.time_ns >= settled_ns:
            looks[look.node, look.stream].append(look)
    return dict(sorted(looks.items()))


def _slots_kept(recording: MeshRecording) -> dict[Name, list[SlotLook]]:
    """The looks at each slot of each node that is there in the end: not dropped, or replaced."""
    newest = {look.node: look.time_ns for look in recording.slots}
    looks: dict[Name, list[SlotLook]] = defaultdict(list)
    for look in recording.slots:
        looks[look.node, look.slot].append(look)
    return {
        (node, slot): those
        for (node, slot), those in sorted(looks.items())
        if those[-1].time_ns == newest[node]
    }


def _streams_down(streams: Mapping[Name, Sequence[StreamLook]]) -> Iterator[dict[str, Any]]:
    """Streams that do not run in the last look, and for how long."""
    for (node, stream), after in streams.items():
        down_ms = _down_ms([(look.time_ns, look.runs) for look in after])
        if down_ms is not None:
            said = f"the stream {stream} of {node} has not run for the last {down_ms / 1000:.1f} s"
            yield {"anomaly": "stuck-stream", "text": [said], "said": said, "node": node,
                   "stream": stream, "down_ms": down_ms}  # fmt: skip


def _slots_down(
    slots: Mapping[Name, Sequence[SlotLook]], settled_ns: int
) -> Iterator[dict[str, Any]]:
    """Slots that nobody reads in the last look, and for how long; a lost one for ever."""
    for (node, slot), those in slots.items():
        last = those[-1]
        since = [(max(look.time_ns, settled_ns), look.active) for look in those]
        down_ms = _down_ms(since)
        if last.lost:
            said, lasting = "and it is lost", {}
        elif down_ms is not None:
            said, lasting = f"for the last {down_ms / 1000:.1f} s", {"down_ms": down_ms}
        else:
            continue
        said = f"nobody reads the slot {slot} of {node} in the end, {said}"
        yield {"anomaly": "slot", "text": [said], "said": said, "node": node, "slot": slot,
               "kept_bytes": last.kept_bytes, **lasting}  # fmt: skip


def _down_ms(looks: Sequence[tuple[int, bool]]) -> float | None:
    """How long something has been down in the last of its looks; None if it is not."""
    last_ns, up = looks[-1]
    if up:
        return None
    since = len(looks) - 1
    while since and not looks[since - 1][1]:
        since -= 1
    return (last_ns - looks[since][0]) / 1e6


def _keeping(
    slots: Mapping[Name, Sequence[SlotLook]], until_checkpoint_bytes: int
) -> Iterator[dict[str, Any]]:
    """Slots that kept more than they may, at any time before they were lost."""
    for (node, slot), those in slots.items():
        held = [look for look in those if not look.lost]
        if not held:
            continue
        kept = max(held, key=lambda look: look.kept_bytes)
        if kept.bound_bytes and kept.kept_bytes > kept.bound_bytes + until_checkpoint_bytes:
            said = (
                f"the slot {slot} of {node} kept {kept.kept_bytes / 2**20:.1f} MiB, bound "
                f"{kept.bound_bytes / 2**20:.1f} MiB"
            )
            yield {"anomaly": "slot", "text": [said], "said": said, "node": node, "slot": slot,
                   "kept_bytes": kept.kept_bytes}  # fmt: skip
