"""Replication is not stuck: no worker fails again and again, no slot keeps WAL without bound.

Definition. Once nothing disturbs the mesh any more, every stream of every node runs in the end and
its worker has not failed more than a few times since; and at no time a slot that is not given up
keeps more than its bound and what may be written until the next checkpoint, which is when
PostgreSQL looks at the bound. In the end every slot is read. Without looks the answer is unknown.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

from testbed.checkers.operation_view import moment_s
from testbed.checkers.verdict import Validity, Verdict
from testbed.measures.mesh_recording import MeshRecording, StreamLook

NAME = "not-stuck"
PROMISE = "No stream fails again and again, and no slot keeps WAL without bound."

FAILURES_MAX = 3
"""A worker whose publisher was restarted, or that met a deadlock, fails once or twice."""


def check(recording: MeshRecording, settled_ns: int, *, until_checkpoint_bytes: int) -> Verdict:
    """Judge what was recorded of a mesh.

    Args:
        recording: Every look at its streams and slots.
        settled_ns: From here on nothing disturbs it, and every connection can have come back.
        until_checkpoint_bytes: How much may be written until PostgreSQL makes a checkpoint.
    """
    found = [*_failing(recording, settled_ns), *_keeping(recording, until_checkpoint_bytes)]
    after = [look for look in recording.streams if look.time_ns >= settled_ns]
    numbers = {
        "looks_after": float(len(after)),
        "kept_bytes_max": float(
            max((look.kept_bytes for look in recording.slots if not look.lost), default=0)
        ),
        "seeded_again": float(sum(recording.seeded.values())),
        "stuck": float(len(found)),
    }
    if found:
        reason = f"{found[0]['said']}" + (f", and {len(found) - 1} more" if found[1:] else "")
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, tuple(found), numbers)
    if not after:
        reason = f"no stream was looked at after {moment_s(settled_ns)}"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    streams = {(look.node, look.stream) for look in after}
    reason = (
        f"{len(streams)} streams run, and no slot kept more than "
        f"{numbers['kept_bytes_max'] / 2**20:.1f} MiB"
    )
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _failing(recording: MeshRecording, settled_ns: int) -> list[dict[str, Any]]:
    """Streams that do not run in the end, or whose workers failed again and again."""
    looks: dict[tuple[str, str], list[StreamLook]] = defaultdict(list)
    for look in recording.streams:
        looks[look.node, look.stream].append(look)
    found = []
    for (node, stream), those in sorted(looks.items()):
        after = [look for look in those if look.time_ns >= settled_ns]
        if not after:
            continue
        first, last = after[0], after[-1]
        # One that was made anew counts from zero again.
        failures = sum(
            later.errors - (earlier.errors if later.errors >= earlier.errors else 0)
            for earlier, later in pairwise(after)
        )
        if last.runs and failures <= FAILURES_MAX:
            continue
        grown = {
            kind.removeprefix("confl_"): number - first.conflicts[kind]
            for kind, number in last.conflicts.items()
            if number > first.conflicts[kind]
        }
        because = ", ".join(f"{kind} {number} times" for kind, number in grown.items())
        seconds = (last.time_ns - first.time_ns) / 1e9
        said = (
            f"the stream {stream} of {node} {'runs' if last.runs else 'does not run'} and failed "
            f"{failures} times in the last {seconds:.1f} s" + (f" ({because})" if because else "")
        )
        found.append(
            {"anomaly": "stuck-stream", "text": [said], "said": said, "node": node,
             "stream": stream, "failures": failures, "conflicts": grown}
        )  # fmt: skip
    return found


def _keeping(recording: MeshRecording, until_checkpoint_bytes: int) -> list[dict[str, Any]]:
    """Slots that keep more than they may, at any time; and those that nobody reads in the end."""
    most = {(look.node, look.slot): look for look in sorted(
        (look for look in recording.slots if not look.lost), key=lambda look: look.kept_bytes
    )}  # fmt: skip
    last = {(look.node, look.slot): look for look in recording.slots}
    newest = {look.node: look.time_ns for look in recording.slots}
    found = []
    for (node, slot), look in sorted(last.items()):
        if look.time_ns < newest[node]:
            continue  # it was replaced by another one, or dropped
        kept = most.get((node, slot), look)
        if kept.bound_bytes and kept.kept_bytes > kept.bound_bytes + until_checkpoint_bytes:
            said = (
                f"the slot {slot} of {node} kept {kept.kept_bytes / 2**20:.1f} MiB, bound "
                f"{kept.bound_bytes / 2**20:.1f} MiB"
            )
        elif look.lost or not look.active:
            said = f"nobody reads the slot {slot} of {node} in the end" + (
                ", and it is lost" if look.lost else ""
            )
        else:
            continue
        found.append(
            {"anomaly": "slot", "text": [said], "said": said, "node": node, "slot": slot,
             "kept_bytes": kept.kept_bytes}
        )  # fmt: skip
    return found
