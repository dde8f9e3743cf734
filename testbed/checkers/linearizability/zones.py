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

from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel

NONE, UNWRITTEN, FUTURE, OVERLAP, INSIDE = 0, 1, 2, 3, 4
"""What the walk found: nothing; a value nobody wrote; one read too early; two zones."""

NEVER_WRITTEN, INITIALLY = -2, -1
"""In place of the row of a cluster's write."""

Rows = NDArray[Any]


@kernel
def slot_of(slots: Rows, keys: Rows, values: Rows, key: int, value: int) -> int:
    """Where in the table of clusters one stands, or the free place where it belongs."""
    mask = len(slots) - 1
    low = ((value & 0x7FFFFFFF) * 0x9E3779B1) >> 15
    high = (((value >> 31) & 0x7FFFFFFF) * 0x85EBCA77) >> 17
    place = (low ^ high ^ (key * 0x27D4EB2F)) & mask
    while True:
        cluster = slots[place]
        if cluster < 0 or (values[cluster] == value and keys[cluster] == key):
            return place
        place = (place + 1) & mask


@kernel
def walk_zones(
    process: Rows,
    kind: Rows,
    f: Rows,
    key: Rows,
    value: Rows,
    processes: int,
    write: int,
    init: int,
    unknown: int,
    ambiguous: Rows,
) -> tuple[int, int, int, Rows, Rows, Rows, Rows, int]:
    """Cluster the operations and look for a violation.

    Args:
        process: One a row, as the other columns.
        kind: 0 invoked, 1 ok, 2 failed, 3 indeterminate.
        f: The function.
        key: -1 for the only key.
        value: The value's number.
        processes: How many there are.
        write: The function that writes.
        init: The initial value.
        unknown: Reads that returned this number are dropped: what they saw is unknown.
        ambiguous: One more than there are keys, zeros; set to 1 where a value was written twice,
            so that the zones decide nothing.

    Returns:
        What was found; the two clusters that show it; ``f``, ``s``, the row of the write and the
        key of each cluster; how many clusters there are.
    """
    rows = len(kind)
    operations = 0
    for row in range(rows):
        if kind[row] == 0:
            operations += 1
    size = 16
    while size < 2 * operations:
        size *= 2
    slots = np.full(size, -1, np.int32)
    keys = np.empty(operations, np.int32)
    values = np.empty(operations, np.int64)
    first = np.empty(operations, np.int32)
    last = np.empty(operations, np.int32)
    written = np.empty(operations, np.int32)
    count = 0
    begun = np.full(processes, -1, np.int32)
    for step in range(rows + processes):
        # After the last row: whatever is still open never completed.
        if step < rows:
            who = process[step]
            if kind[step] == 0:
                begun[who] = step
                continue
            outcome = kind[step]
        else:
            who = step - rows
            outcome = 3
        start = begun[who]
        begun[who] = -1
        if start < 0 or outcome == 2:
            continue
        writes = f[start] == write
        if not writes and outcome == 3:
            continue
        source = start if writes else step
        if not writes and value[source] == unknown:
            continue
        place = slot_of(slots, keys, values, key[start], value[source])
        cluster = slots[place]
        if cluster < 0:
            cluster = count
            count += 1
            slots[place] = cluster
            keys[cluster] = key[start]
            values[cluster] = value[source]
            initial = value[source] == init
            written[cluster] = INITIALLY if initial else NEVER_WRITTEN
            first[cluster] = -1 if initial else rows
            last[cluster] = -1
        if writes:
            if written[cluster] != NEVER_WRITTEN:
                ambiguous[key[start] + 1] = 1
            written[cluster] = start
        last[cluster] = max(last[cluster], start)
        if outcome == 1:
            first[cluster] = min(first[cluster], step)
    found, one, other = judge_zones(rows, first, last, written, keys, count, ambiguous)
    return found, one, other, first[:count], last[:count], written[:count], keys[:count], count


@kernel
def judge_zones(
    rows: int,
    first: Rows,
    last: Rows,
    written: Rows,
    keys: Rows,
    count: int,
    ambiguous: Rows,
) -> tuple[int, int, int]:
    """Look for what contradicts itself among clusters; the earliest of its kind."""
    found, one = NONE, -1
    marks = np.full(rows + 1, -1, np.int32)
    for cluster in range(count):
        if ambiguous[keys[cluster] + 1] != 0 or first[cluster] == rows:
            continue  # or an indeterminate write that nobody saw
        if written[cluster] == NEVER_WRITTEN or first[cluster] < written[cluster]:
            if one < 0 or first[cluster] < first[one]:
                found = UNWRITTEN if written[cluster] == NEVER_WRITTEN else FUTURE
                one = cluster
        elif first[cluster] < last[cluster]:
            marks[first[cluster] + 1] = cluster
            marks[last[cluster] + 1] = cluster
        elif last[cluster] >= 0:
            marks[last[cluster] + 1] = cluster
    if one >= 0:
        return found, one, one
    opened = np.full(len(ambiguous), -1, np.int32)
    # The initial values come before the first row, each with a key of its own.
    for cluster in range(count):
        if first[cluster] == -1 and last[cluster] >= 0 and ambiguous[keys[cluster] + 1] == 0:
            opened[keys[cluster] + 1] = cluster
    for place in range(1, rows + 1):
        cluster = marks[place]
        if cluster < 0:
            continue
        current = opened[keys[cluster] + 1]
        if first[cluster] >= last[cluster]:
            if current >= 0 and last[current] > first[cluster]:
                return INSIDE, cluster, current
        elif first[cluster] + 1 == place:
            if current >= 0:
                return OVERLAP, current, cluster
            opened[keys[cluster] + 1] = cluster
        elif current == cluster:
            opened[keys[cluster] + 1] = -1
    return NONE, -1, -1
