"""Dependencies of transactions on registers, from a partial order of the versions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.transactions.graph import Edge, Edges
from testbed.checkers.transactions.register_order import VersionOrder
from testbed.checkers.transactions.register_versions import Ids, RegisterVersions

FEW = 64
"""Pairs of readers and writers up to which each pair has its own edge."""
LATER_MAX = 2_000_000
"""Later versions, and pairs of their writers and readers, up to which each has its own edge."""


def register_dependencies(
    versions: RegisterVersions, order: VersionOrder, transactions: int
) -> tuple[Edges, int]:
    """WR, WW and RW: what was read from what, overwrote what, and missed what.

    Returns:
        The edges, and the number of nodes with helpers.
    """
    writer = versions.writer[versions.read_version]
    seen = (writer >= 0) & (writer != versions.read_row)
    parts = [_edges(writer[seen], versions.read_row[seen], Edge.WR)]
    before, after = _needed(versions, order)
    one, two = versions.writer[before], versions.writer[after]
    written = (one >= 0) & (two >= 0) & (one != two)
    parts.append(_edges(one[written], two[written], Edge.WW))
    missed, nodes = _missed(versions, before, after, transactions)
    return Edges.joined([*parts, *missed]), nodes


def later_versions(
    versions: RegisterVersions,
    order: VersionOrder,
    inside: NDArray[np.bool_],
    transactions: int,
) -> tuple[Edges, int]:
    """RW from transactions to those that wrote any later version of what they read.

    Args:
        versions: The versions.
        order: What is known of their order.
        inside: The transactions that matter.
        transactions: How many there are.

    Returns:
        The edges, and the number of nodes: the transactions, and helpers where pairs are many.
    """
    pairs = _later_pairs(versions, order, inside)
    if pairs is None:
        return _through_versions(versions, order, inside, transactions)
    one, two = pairs
    return _edges(one[one != two], two[one != two], Edge.RW), transactions


def _later_pairs(
    versions: RegisterVersions, order: VersionOrder, inside: NDArray[np.bool_]
) -> tuple[Ids, Ids] | None:
    """Each reader with each writer of a later version; None where that is too much."""
    following: dict[int, list[int]] = {}
    for one, two in zip(order.before.tolist(), order.after.tolist(), strict=True):
        following.setdefault(one, []).append(two)
    writer = versions.writer.tolist()
    source: list[int] = []
    target: list[int] = []
    work = 0
    chosen = np.flatnonzero(inside[versions.read_row])
    readers: dict[int, list[int]] = {}
    for row, version in zip(
        versions.read_row[chosen].tolist(), versions.read_version[chosen].tolist(), strict=True
    ):
        readers.setdefault(version, []).append(row)
    for version, rows in readers.items():
        seen, waiting = {version}, [version]
        while waiting:
            for later in following.get(waiting.pop(), ()):
                if later not in seen:
                    seen.add(later)
                    waiting.append(later)
        others = [writer[later] for later in seen - {version} if writer[later] >= 0]
        others = [row for row in others if inside[row]]
        work += len(seen) + len(rows) * len(others)
        if work > LATER_MAX:
            return None
        for row in rows:
            source += [row] * len(others)
            target += others
    return np.array(source, np.int64), np.array(target, np.int64)


def _through_versions(
    versions: RegisterVersions,
    order: VersionOrder,
    inside: NDArray[np.bool_],
    transactions: int,
) -> tuple[Edges, int]:
    """The same by a helper for each version: to who wrote the next ones, and to their helpers.

    A reader that wrote a later version itself leads back to itself, by helpers alone.
    """
    before, after = _needed(versions, order)
    writer = versions.writer[after]
    written = (writer >= 0) & inside[writer]
    reads = inside[versions.read_row]
    parts = [
        _edges(versions.read_row[reads], transactions + versions.read_version[reads], Edge.RW),
        _edges(transactions + before, transactions + after, Edge.JOIN),
        _edges(transactions + before[written], writer[written], Edge.JOIN),
    ]
    return Edges.joined(parts), transactions + len(versions)


def _edges(source: Ids, target: Ids, kind: Edge) -> Edges:
    return Edges(
        source.astype(np.int32), target.astype(np.int32), np.full(len(source), int(kind), np.int8)
    )


def _needed(versions: RegisterVersions, order: VersionOrder) -> tuple[Ids, Ids]:
    """The order without what follows from the rest.

    The initial state leads only to versions that no written version precedes.
    """
    initial = order.source == 0
    preceded = np.zeros(len(versions), np.bool_)
    known = ~initial & (versions.writer[order.before] >= 0)
    preceded[order.after[known]] = True
    kept = ~initial | ~preceded[order.after]
    return order.before[kept], order.after[kept]


def _missed(
    versions: RegisterVersions, before: Ids, after: Ids, transactions: int
) -> tuple[list[Edges], int]:
    """RW from the readers of each version to the writers of the versions after it."""
    kept = versions.writer[after] >= 0
    before, after = before[kept], after[kept]
    by_version = np.argsort(versions.read_version, kind="stable")
    rows = versions.read_row[by_version]
    first = np.searchsorted(versions.read_version[by_version], np.arange(len(versions) + 1))
    readers = np.diff(first)[before]
    many = readers * np.bincount(before, minlength=len(versions))[before] > FEW
    source, target = _each(before[~many], after[~many], readers[~many], first, rows)
    target = versions.writer[target]
    found = [_edges(source[source != target], target[source != target], Edge.RW)]
    before, after = before[many], after[many]
    order = np.argsort(before, kind="stable")
    bounds = np.flatnonzero(np.diff(before[order], prepend=-1, append=-2))
    nodes = transactions
    for start, stop in pairwise(bounds.tolist() if len(order) else []):
        version = int(before[order[start]])
        edges, nodes = _through_chains(
            rows[first[version] : first[version + 1]],
            np.unique(versions.writer[after[order[start:stop]]]),
            nodes,
        )
        found.append(edges)
    return found, nodes


def _each(before: Ids, after: Ids, counts: Ids, first: Ids, rows: Ids) -> tuple[Ids, Ids]:
    """Each reader of a version with each version after it."""
    pair = np.repeat(np.arange(len(before)), counts)
    offset = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows[first[before[pair]] + offset], after[pair]


def _through_chains(readers: Ids, writers: Ids, nodes: int) -> tuple[Edges, int]:
    """Each reader to each writer but itself, by two chains of helpers.

    The helpers of the first chain lead to the writers from a place on, those of the second to the
    ones up to a place: a reader that is a writer enters the one behind itself and the other before.
    """
    count = len(writers)
    onwards = nodes + np.arange(count)
    backwards = nodes + count + np.arange(count)
    place = np.searchsorted(writers, readers)
    own = (place < count) & (writers[np.minimum(place, count - 1)] == readers)
    behind = own & (place + 1 < count)
    ahead = own & (place > 0)
    source = [
        readers[~own],
        readers[behind],
        readers[ahead],
        onwards,
        onwards[:-1],
        backwards,
        backwards[1:],
    ]
    target = [
        np.full(np.count_nonzero(~own), onwards[0]),
        onwards[place[behind] + 1],
        backwards[place[ahead] - 1],
        writers,
        onwards[1:],
        writers,
        backwards[:-1],
    ]
    kinds = [Edge.RW] * 3 + [Edge.JOIN] * 4
    parts = [_edges(one, two, kind) for one, two, kind in zip(source, target, kinds, strict=True)]
    return Edges.joined(parts), nodes + 2 * count
