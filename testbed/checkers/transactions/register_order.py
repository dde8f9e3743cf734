"""A partial order of the versions of registers, from assumptions about each key.

After Elle (Kingsbury and Alvaro, VLDB 2020, and its checker of registers): the initial state comes
first; and, where the request says that it may be assumed,

- ``wfr_keys``: what a transaction writes comes after what it read of the same key before;
- ``sequential_keys``: each key is sequentially consistent, so that what a process touches later, in
  the same transaction or another one, is no earlier version;
- ``linearizable_keys``: each key is linearizable, so that what begins after something ended touches
  no earlier version;
- ``transaction_order``: transactions are serializable, so that one that read from another touches
  no earlier version of anything.

An assumption that contradicts what is known of a key before is not used for that key, and is
reported: versions in a circle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.cycles import Core, cyclic_core
from testbed.checkers.transactions.register_versions import Ids, RegisterVersions, Touches, distinct
from testbed.history.transaction_table import NEVER, Outcome

SOURCES = ("initial", "wfr_keys", "sequential_keys", "linearizable_keys", "transaction_order")
REASONS = {
    "initial": "the initial state comes first",
    "wfr_keys": "a transaction read the one and wrote the other",
    "sequential_keys": "a process touched the one before the other",
    "linearizable_keys": "a transaction that touched the one had ended before one that touched the"
    " other began",
    "transaction_order": "a transaction that touched the other read from one that touched the one",
}


@dataclass(frozen=True)
class VersionOrder:
    """What is known of the order of versions.

    Args:
        before: Versions.
        after: Versions that come later.
        source: Index into :data:`SOURCES`: how that is known.
        circles: For each assumption that was contradicted: its name and the versions in a circle.
    """

    before: Ids
    after: Ids
    source: NDArray[np.int8]
    circles: tuple[tuple[str, Core], ...]


def version_order(versions: RegisterVersions, params: Mapping[str, Any]) -> VersionOrder:
    """Combine what the parameters allow to be assumed."""
    touches = versions.touches()
    rules: dict[str, Callable[[], tuple[Ids, Ids]]] = {
        "initial": lambda: _initial_first(versions),
        "wfr_keys": lambda: written_after_read(versions),
        "sequential_keys": lambda: _by_process(versions, touches),
        "linearizable_keys": lambda: _by_time(versions, touches),
        "transaction_order": lambda: _by_reads(versions, touches),
    }
    before = after = np.zeros(0, np.int64)
    source = np.zeros(0, np.int8)
    circles = []
    for number, name in enumerate(SOURCES):
        if name != "initial" and not params.get(name):
            continue
        one, two = _distinct(*rules[name](), len(versions))
        all_before, all_after = np.append(before, one), np.append(after, two)
        all_source = np.append(source, np.full(len(one), number, np.int8))
        core = cyclic_core(
            len(versions), all_before.astype(np.int32), all_after.astype(np.int32), all_source
        )
        if core is not None:
            circles.append((name, core))
            bad = np.unique(versions.key[core.original])
            kept = (all_source < number) | ~np.isin(versions.key[all_before], bad)
            all_before, all_after = all_before[kept], all_after[kept]
            all_source = all_source[kept]
        before, after, source = all_before, all_after, all_source
    return VersionOrder(before, after, source, tuple(circles))


def _distinct(before: Ids, after: Ids, count: int) -> tuple[Ids, Ids]:
    codes = distinct(before[before != after] * np.int64(count) + after[before != after])
    return codes // count, codes % count


def _initial_first(versions: RegisterVersions) -> tuple[Ids, Ids]:
    every = np.arange(len(versions))
    initial = versions.initial[versions.key]
    return initial, every


def written_after_read(versions: RegisterVersions) -> tuple[Ids, Ids]:
    """Each version that a transaction read, with what it wrote of the key afterwards."""
    steps = versions.steps()
    places, none = np.arange(len(steps)), len(steps)
    following = np.minimum.accumulate(np.where(steps.write, places, none)[::-1])[::-1]
    read = np.flatnonzero((places < following) & (following < none))
    write = following[read]
    same = steps.of[read] == steps.of[write]
    return steps.version[read[same]], steps.version[write[same]]


def _by_process(versions: RegisterVersions, touches: Touches) -> tuple[Ids, Ids]:
    table = versions.resolved.table
    process = table.process[touches.row].astype(np.int64)
    order = np.lexsort((touches.row, touches.key, process))
    sure = table.outcome[touches.row] == Outcome.OK
    # An indeterminate transaction may take effect after what its process did next.
    chain = order[sure[order]]
    same = (process[chain[1:]] == process[chain[:-1]]) & (
        touches.key[chain[1:]] == touches.key[chain[:-1]]
    )
    one, two = chain[:-1][same], chain[1:][same]
    before, after = [touches.last[one]] * 2, [touches.first[two], touches.last[two]]
    # Of several versions that a transaction read the last one comes before what the next touches.
    steps = versions.steps()
    inside = steps.of[1:] == steps.of[:-1]
    ends = steps.version[np.append(~inside, True)] if len(steps) else steps.version
    before += [steps.version[:-1][inside], ends[one]]
    after += [steps.version[1:][inside], touches.first[two]]
    latest: dict[tuple[int, int], int] = {}
    if not sure.all():
        for at in order.tolist():
            where = int(process[at]), int(touches.key[at])
            if sure[at]:
                latest[where] = int(touches.last[at])
            elif where in latest:
                before.append(np.array([latest[where]]))
                after.append(touches.last[at : at + 1])
    return np.concatenate(before), np.concatenate(after)


def _by_time(versions: RegisterVersions, touches: Touches) -> tuple[Ids, Ids]:
    """Every pair by a linear number of edges where few are concurrent.

    A version precedes another if somebody who last touched it had ended before somebody who
    touched the other began. Of those after a version only the ones that begin before the earliest
    of them is settled need an edge, and that earliest one.
    """
    table, count = versions.resolved.table, len(versions)
    ended = np.where(table.outcome == Outcome.OK, table.end, NEVER)[touches.row]
    settled = np.full(count, NEVER, np.int64)
    np.minimum.at(settled, touches.last, ended)
    begun = np.full(count, -1, np.int64)
    for version in (touches.first, touches.last):
        np.maximum.at(begun, version, table.start[touches.row])
    order = np.lexsort((begun, versions.key))
    key, starts, ends = versions.key[order], begun[order], settled[order]
    walk = _order_by_time.for_rows(count)
    best = np.full((count + 1, 2), -1, np.int64)
    room = np.empty((0, 2), np.int64)
    found = int(walk(key, starts, ends, best, room))
    room = np.empty((found, 2), np.int64)
    walk(key, starts, ends, best, room)
    return order[room[:, 0]], order[room[:, 1]]


@kernel
def _later(starts: Ids, first: int, stop: int, limit: int) -> int:
    """The first of ``starts[first:stop]``, ascending, above a limit."""
    low = first
    high = stop
    while low < high:
        middle = (low + high) // 2
        if starts[middle] > limit:
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def _order_by_time(  # noqa: C901, PLR0912 - one loop
    key: Ids, starts: Ids, ends: Ids, best: Ids, room: Ids
) -> int:
    """Edges among versions sorted by key and ``starts``; returns how many, writes what has room.

    ``best`` has for each place the two versions of the key that are settled first among those from
    there on: one of them may be the version itself.
    """
    found = 0
    first = 0
    while first < len(key):
        stop = first
        while stop < len(key) and key[stop] == key[first]:
            stop += 1
        one = -1
        two = -1
        for at in range(stop - 1, first - 1, -1):
            if one < 0 or ends[at] <= ends[one]:
                two = one
                one = at
            elif two < 0 or ends[at] < ends[two]:
                two = at
            best[at, 0] = one
            best[at, 1] = two
        for own in range(first, stop):
            low = _later(starts, first, stop, ends[own])
            if low == stop:
                continue
            earliest = best[low, 0]
            if earliest == own:
                earliest = best[low, 1]
            if earliest < 0:
                continue
            high = _later(starts, low, stop, ends[earliest])
            for other in range(low, high):
                if other not in (own, earliest):
                    if found < len(room):
                        room[found, 0] = own
                        room[found, 1] = other
                    found += 1
            if found < len(room):
                room[found, 0] = own
                room[found, 1] = earliest
            found += 1
        first = stop
    return found


def _by_reads(versions: RegisterVersions, touches: Touches) -> tuple[Ids, Ids]:
    keys = len(versions.initial)
    codes = touches.row * keys + touches.key
    writer = versions.writer[versions.read_version]
    seen = writer >= 0
    rows = len(versions.resolved)
    pairs = distinct(writer[seen] * rows + versions.read_row[seen])
    source, reader = pairs // rows, pairs % rows
    # For each such pair every key that the reader touched, if the writer touched it too.
    first = np.searchsorted(touches.row, reader, side="left")
    stop = np.searchsorted(touches.row, reader, side="right")
    counts = stop - first
    pair = np.repeat(np.arange(len(pairs)), counts)
    at = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts) + first[pair]
    wanted = source[pair] * keys + touches.key[at]
    place = np.minimum(np.searchsorted(codes, wanted), max(len(codes) - 1, 0))
    both = codes[place] == wanted if len(codes) else np.zeros(0, np.bool_)
    last, at = touches.last[place[both]], at[both]
    return np.append(last, last), np.append(touches.first[at], touches.last[at])
