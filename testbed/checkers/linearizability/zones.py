"""Zones: whether a register whose every value is written once is linearizable, in one walk.

All operations that write or read one value of one key are a cluster. Rows are times, so there are
no ties. ``f`` is the earliest return in a cluster, ``s`` the latest invocation. With ``f < s`` the
key certainly had the value from ``f`` to ``s``: a forward zone. Otherwise some moment between
``s`` and ``f`` was enough: a backward zone. The history is linearizable exactly when every value
that was read was written, none was read before its write was invoked, no two forward zones of a
key overlap, and no backward zone lies within a forward zone (Gibbons and Korach, "Testing shared
memories", SIAM J. Comput. 26(4), 1997). The walk needs no sort: each end of a zone is a row.

An indeterminate write counts from its invocation on, and only if its value was read; what an
indeterminate read saw is unknown, and what failed did not happen. The initial value is a write
before the first row.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel

NONE, UNWRITTEN, FUTURE, OVERLAP, INSIDE = range(5)
"""What was found: nothing; a value nobody wrote; one read too early; two zones."""

NEVER_WRITTEN, INITIALLY = -2, -1
"""In place of the row of a cluster's write."""

_INVOKED, _OK, _FAILED, _UNKNOWN = range(4)

Rows = NDArray[Any]


class Columns(NamedTuple):
    """The columns of a history, one a row.

    Args:
        process: Who.
        kind: 0 invoked, 1 ok, 2 failed, 3 indeterminate.
        f: The function.
        key: -1 for the only key.
        value: The value's number.
    """

    process: Rows
    kind: Rows
    f: Rows
    key: Rows
    value: Rows


class Clusters(NamedTuple):
    """What was done with one value of one key; one row a cluster.

    Args:
        slots: The hash table: numbers of clusters, -1 where there is none.
        key: The key.
        value: The value.
        first: The earliest return, -1 for an initial value, as many as there are rows for none.
        last: The latest invocation, -1 for none.
        written: The row of the write's invocation, or a constant.
    """

    slots: Rows
    key: Rows
    value: Rows
    first: Rows
    last: Rows
    written: Rows


def room_for(operations: int) -> Clusters:
    """Room for the clusters of so many operations."""
    size = 16
    while size < 2 * operations:
        size *= 2
    return Clusters(
        slots=np.full(size, -1, np.int32),
        key=np.empty(operations, np.int32),
        value=np.empty(operations, np.int64),
        first=np.empty(operations, np.int32),
        last=np.empty(operations, np.int32),
        written=np.empty(operations, np.int32),
    )


@kernel
def slot_of(clusters: Clusters, key: int, value: int) -> int:
    """Where in the hash table a cluster stands, or the free place where it belongs."""
    slots = clusters.slots
    mask = len(slots) - 1
    low = ((value & 0x7FFFFFFF) * 0x9E3779B1) >> 15
    high = (((value >> 31) & 0x7FFFFFFF) * 0x85EBCA77) >> 17
    # In plain mode the key is a number of 32 bits: its product would not fit.
    place = int((low ^ high ^ (np.int64(key) * 0x27D4EB2F)) & mask)
    while True:
        cluster = slots[place]
        if cluster < 0 or (clusters.value[cluster] == value and clusters.key[cluster] == key):
            return place
        place = (place + 1) & mask


@kernel
def cluster_rows(
    columns: Columns, clusters: Clusters, ambiguous: Rows, begun: Rows, asked: tuple[int, int, int]
) -> int:
    """Put every operation into its cluster.

    Args:
        columns: The history.
        clusters: Room for them; is filled.
        ambiguous: One more than there are keys, zeros; set to 1 where a value was written twice,
            so that zones decide nothing.
        begun: One a process, -1.
        asked: The function that writes; the initial value; the value of reads that are dropped
            because what they saw is unknown.

    Returns:
        How many clusters there are.
    """
    write, init, unknown = asked
    rows, count = len(columns.kind), 0
    for step in range(rows + len(begun)):
        # After the last row: whatever is still open never completed.
        who = columns.process[step] if step < rows else step - rows
        outcome = columns.kind[step] if step < rows else _UNKNOWN
        if outcome == _INVOKED:
            begun[who] = step
            continue
        start = begun[who]
        begun[who] = -1
        if start < 0 or outcome == _FAILED:
            continue
        writes = columns.f[start] == write
        if not writes and (outcome == _UNKNOWN or columns.value[step] == unknown):
            continue
        key, value = columns.key[start], columns.value[start if writes else step]
        place = slot_of(clusters, key, value)
        cluster = clusters.slots[place]
        if cluster < 0:
            cluster = count
            count += 1
            clusters.slots[place] = cluster
            clusters.key[cluster] = key
            clusters.value[cluster] = value
            clusters.written[cluster] = INITIALLY if value == init else NEVER_WRITTEN
            clusters.first[cluster] = -1 if value == init else rows
            clusters.last[cluster] = -1
        if writes:
            if clusters.written[cluster] != NEVER_WRITTEN:
                ambiguous[key + 1] = 1
            clusters.written[cluster] = start
        clusters.last[cluster] = max(clusters.last[cluster], start)
        if outcome == _OK:
            clusters.first[cluster] = min(clusters.first[cluster], step)
    return count


@kernel
def mark_zones(
    clusters: Clusters, count: int, ambiguous: Rows, marks: Rows, opened: Rows
) -> tuple[int, int]:
    """Mark where zones begin and end, unless a value was read that cannot have been.

    Args:
        clusters: See :func:`cluster_rows`.
        count: How many there are.
        ambiguous: Keys that zones do not decide.
        marks: One more than there are rows, -1: the cluster of a row, which is one further on.
        opened: One more than there are keys, -1: the zone that is open before the first row.

    Returns:
        What was found, and the cluster.
    """
    rows = len(marks) - 1
    found, worst = NONE, -1
    for cluster in range(count):
        key = clusters.key[cluster] + 1
        first, last = clusters.first[cluster], clusters.last[cluster]
        if ambiguous[key] != 0 or first == rows:
            continue  # or an indeterminate write that nobody saw
        if clusters.written[cluster] == NEVER_WRITTEN or first < clusters.written[cluster]:
            if worst < 0 or first < clusters.first[worst]:
                found = UNWRITTEN if clusters.written[cluster] == NEVER_WRITTEN else FUTURE
                worst = cluster
            continue
        if last >= 0:
            marks[last + 1] = cluster
            if first == -1:
                opened[key] = cluster
            elif first < last:
                marks[first + 1] = cluster
    return found, worst


@kernel
def walk_zones(clusters: Clusters, marks: Rows, opened: Rows) -> tuple[int, int, int]:
    """Walk over the marks: what was found, and the two clusters that show it."""
    for place in range(1, len(marks)):
        cluster = marks[place]
        if cluster < 0:
            continue
        key = clusters.key[cluster] + 1
        first, last = clusters.first[cluster], clusters.last[cluster]
        current = opened[key]
        if first >= last:
            if current >= 0 and clusters.last[current] > first:
                return INSIDE, cluster, current
        elif first + 1 == place:
            if current >= 0:
                return OVERLAP, current, cluster
            opened[key] = cluster
        elif current == cluster:
            opened[key] = -1
    return NONE, -1, -1
