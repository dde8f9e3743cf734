"""Convergence: whether all replicas show the same rows in the end, and since when.

A row is a key with its value: of registers the key that was read, of a bank an account, of a set
an element. A replica's final state is what its last reads that began after a moment show; that
moment is when whoever ran the history says that nothing was under way any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from testbed.history.history import History, Pair
from testbed.measures.session_steps import READS, canonical

ABSENT = "absent"
"""In place of a version: the replica does not have the row."""


@dataclass(frozen=True, slots=True)
class DifferingRow:
    """A row of which not all replicas have the same version.

    Args:
        key: The row.
        versions: By replica what it shows; :data:`ABSENT` where it does not have the row.
        writes: The operations that wrote the row or may have, in the order of their invocations.
    """

    key: Any
    versions: Mapping[str, Any]
    writes: tuple[Pair, ...]


@dataclass(frozen=True)
class FinalRows:
    """What every replica shows in the end.

    Args:
        rows: By replica, row to version; rows as canonical JSON.
        reads: By replica, the reads that show it.
        unread: Replicas that should have been read and were not, or not of every row.
        writes: By row, the operations that wrote it or may have.
    """

    rows: Mapping[str, Mapping[bytes, Any]]
    reads: Mapping[str, tuple[Pair, ...]]
    unread: tuple[str, ...]
    writes: Mapping[bytes, tuple[Pair, ...]]

    def differing(self) -> tuple[DifferingRow, ...]:
        """The rows of which not all replicas that were read have the same version."""
        keys = sorted({key for rows in self.rows.values() for key in rows})
        return tuple(self._differing(keys))

    def _read_whole(self, node: str) -> bool:
        """Whether a read of everything shows the replica, which says what is not there as well."""
        return any(pair.invocation.key is None for pair in self.reads[node])

    def _differing(self, keys: Iterable[bytes]) -> Iterator[DifferingRow]:
        # A row that was to be read alone, and was not, is not known to be absent.
        whole = {node for node in self.rows if self._read_whole(node)}
        for key in keys:
            versions = {
                node: rows.get(key, ABSENT)
                for node, rows in self.rows.items()
                if key in rows or node in whole
            }
            if len({canonical(version) for version in versions.values()}) > 1:
                yield DifferingRow(orjson.loads(key), versions, self.writes.get(key, ()))


def final_rows(
    history: History,
    nodes: Sequence[str],
    since_ns: int,
    *,
    reads: Iterable[str] = READS,
    writes: Iterable[str] | None = None,
) -> FinalRows:
    """What every replica shows in reads that began after a moment.

    Args:
        history: What clients saw; the completion of a read names its node.
        nodes: Every replica.
        since_ns: From here on nothing was under way any more.
        reads: The functions that read a key, all rows as an object, or all elements as a list.
        writes: The functions that may have written a row; all that read none if None.

    Raises:
        HistoryError: The history cannot be paired.
    """
    found: dict[str, dict[bytes, Any]] = {}
    used: dict[str, dict[bytes, Pair]] = {}
    whole: dict[str, bool] = {}
    ordered = sorted(history.of(reads, "ok"), key=lambda pair: pair.end_ns or 0)
    for pair in ordered:
        if pair.start_ns < since_ns or pair.node not in nodes:
            continue
        node = str(pair.node)
        rows = dict(_rows(pair))
        if pair.invocation.key is None:
            # A read of everything says of each row as well that it is not there.
            found[node], used[node], whole[node] = rows, {b"": pair}, True
        else:
            found.setdefault(node, {}).update(rows)
            used.setdefault(node, {})[canonical(pair.invocation.key)] = pair
    every = {key for rows in found.values() for key in rows}
    unread = tuple(
        node
        for node in nodes
        if node not in found or (not whole.get(node) and every - found[node].keys())
    )
    reads_of = {node: tuple(those.values()) for node, those in used.items()}
    return FinalRows(found, reads_of, unread, _writes(history, frozenset(reads), writes))


def _rows(pair: Pair) -> Iterator[tuple[bytes, Any]]:
    """The rows that a read shows."""
    value = None if pair.completion is None else pair.completion.value
    if pair.invocation.key is not None:
        yield canonical(pair.invocation.key), value
    elif isinstance(value, dict):
        yield from ((canonical(key), version) for key, version in value.items())
    elif isinstance(value, list):
        yield from ((canonical(element), "present") for element in value)


def _writes(
    history: History, reads: frozenset[str], writes: Iterable[str] | None
) -> Mapping[bytes, tuple[Pair, ...]]:
    """By row, what may have written it: of a set the adds of the element."""
    found: dict[bytes, list[Pair]] = {}
    for pair in history.pairs() if writes is None else history.of(writes):
        if pair.f in reads or pair.outcome == "fail":
            continue
        row = pair.invocation.value if pair.invocation.key is None else pair.invocation.key
        found.setdefault(canonical(row), []).append(pair)
    return {row: tuple(pairs) for row, pairs in found.items()}


def converged_ms(history: History, final: FinalRows, from_ns: int) -> tuple[float, float] | None:
    """How long after a moment all replicas showed their common final rows for good.

    Args:
        history: What clients saw.
        final: The final rows; they have to be the same everywhere.
        from_ns: The moment, for example when a fault was healed.

    Returns:
        At least and at most so many milliseconds: to the invocation of the last read that shows
        another version, and to the completion of the first read there after it; None where the
        replicas differ or were not all read.
    """
    if final.unread or final.differing() or not final.rows:
        return None
    least_ns = most_ns = from_ns
    agreed = {key: version for rows in final.rows.values() for key, version in rows.items()}
    functions = {pair.f for pairs in final.reads.values() for pair in pairs}
    shown: dict[tuple[str, bytes], list[Pair]] = {}
    for pair in history.of(functions, "ok"):
        if pair.node in final.rows and pair.start_ns >= from_ns:
            shown.setdefault((str(pair.node), canonical(pair.invocation.key)), []).append(pair)
    for pairs in shown.values():
        pairs.sort(key=lambda pair: pair.start_ns)
        wrong = [place for place, pair in enumerate(pairs) if not _agrees(pair, agreed)]
        after = pairs[wrong[-1] + 1 :] if wrong else pairs
        if wrong:
            least_ns = max(least_ns, pairs[wrong[-1]].start_ns)
        most_ns = max(most_ns, min((pair.end_ns or 0 for pair in after), default=most_ns))
    return (least_ns - from_ns) / 1e6, (most_ns - from_ns) / 1e6


def _agrees(pair: Pair, agreed: Mapping[bytes, Any]) -> bool:
    rows = dict(_rows(pair))
    if pair.invocation.key is not None:
        return all(agreed.get(key) == version for key, version in rows.items())
    return rows == agreed
