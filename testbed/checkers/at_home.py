"""Rows that are at home in a jurisdiction are taken, and held, by servers of it alone.

Definition. A row's residency is the jurisdiction that it is at home in. A write is taken abroad if
a server of another jurisdiction acknowledged it: a failover that left the jurisdiction, a client
that was routed elsewhere, or a rule that did not refuse the row. Rows are held abroad when a node
of another jurisdiction counts them at the end. Both are judged from what clients saw, apart from
any search for bytes. What was never acknowledged is no violation: data that is pinned to a
jurisdiction which is lost is unavailable, and not moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from testbed.checkers.operation_view import shown
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History, Pair

WRITES = "writes_at_home"
WRITES_PROMISE = "Rows of a jurisdiction are taken by servers of it alone, or not at all."
ROWS = "rows_at_home"
ROWS_PROMISE = "At the end no node holds rows that are at home in another jurisdiction."


def check_writes(
    history: History, homes: Mapping[str, str], functions: Iterable[str], *, free: str
) -> Verdict:
    """Judge who acknowledged what.

    Args:
        history: What clients saw; the value of a write lists its ``rows``.
        homes: Jurisdiction by node; the free residency for one that has nothing pinned.
        functions: Those that write.
        free: The residency of rows that are at home nowhere.

    Returns:
        A violation with every write that was taken abroad; unknown when none was acknowledged for
        some jurisdiction that has nodes, or the node of one is unknown.

    Raises:
        HistoryError: The history cannot be paired.
    """
    taken: dict[str, int] = dict.fromkeys(sorted({*homes.values()} - {free}), 0)
    abroad: list[Pair] = []
    nameless = 0
    for pair in history.of(frozenset(functions), "ok"):
        residencies = _residencies(pair.invocation.value) - {free}
        if not residencies:
            continue
        home = homes.get(str(pair.node))
        if home is None:
            nameless += 1
        elif residencies == {home}:
            taken[home] += 1
        else:
            abroad.append(pair)
    numbers = {"taken_at_home": float(sum(taken.values())), "taken_abroad": float(len(abroad))}
    if abroad:
        first = abroad[0]
        reason = (
            f"{len(abroad)} writes of rows at home elsewhere were acknowledged, the first by "
            f"{first.node} to a client in {first.region}"
        )
        return _writes(Validity.VIOLATION, reason, numbers, tuple(shown(pair) for pair in abroad))
    lacking = [name for name, count in taken.items() if not count]
    if lacking or nameless:
        doubts = [f"no write of {name} was acknowledged at home" for name in lacking]
        doubts += [f"of {nameless} writes it is not known who took them"] * bool(nameless)
        return _writes(Validity.UNKNOWN, "; ".join(doubts), numbers)
    said = ", ".join(f"{count} in {name}" for name, count in taken.items())
    return _writes(Validity.VALID, f"every acknowledged write was taken at home: {said}", numbers)


def check_rows(
    history: History, homes: Mapping[str, str], nodes: Iterable[str], *, free: str, reads: str
) -> Verdict:
    """Judge what every node counted at the end.

    Args:
        history: What clients saw; the read's value maps a residency to a number of rows.
        homes: As of ``check_writes``.
        nodes: Every node that holds data.
        free: The residency of rows that may be anywhere.
        reads: The function of the final reads.

    Raises:
        HistoryError: The history cannot be paired.
    """
    last = {str(pair.node): pair for pair in history.of(frozenset({reads}), "ok")}
    wanted = tuple(nodes)
    abroad = [
        (node, residency, count)
        for node in wanted
        if node in last
        for residency, count in dict(last[node].value).items()
        if count and residency not in (homes[node], free)
    ]
    numbers = {"nodes": float(len(last)), "rows_abroad": float(sum(one[2] for one in abroad))}
    if abroad:
        said = ", ".join(f"{count} of {where} on {node}" for node, where, count in abroad)
        reason = f"rows are at home elsewhere: {said}"
        return Verdict(ROWS, ROWS_PROMISE, Validity.VIOLATION, reason, tuple(abroad), numbers)
    unread = [node for node in wanted if node not in last]
    if unread:
        reason = f"not read at the end: {', '.join(unread)}"
        return Verdict(ROWS, ROWS_PROMISE, Validity.UNKNOWN, reason, (), numbers)
    reason = f"{len(wanted)} nodes hold rows of their own jurisdiction and free ones alone"
    return Verdict(ROWS, ROWS_PROMISE, Validity.VALID, reason, (), numbers)


def _residencies(value: Any) -> set[str]:
    """The residencies of the rows that a write is about."""
    if not isinstance(value, Mapping):
        return set()
    return {
        str(part["residency"])
        for row in value.get("rows", ())
        for part in (row.get("columns", {}), row.get("key", {}))
        if "residency" in part
    }


def _writes(
    validity: Validity, reason: str, numbers: dict[str, float], found: tuple[Any, ...] = ()
) -> Verdict:
    return Verdict(WRITES, WRITES_PROMISE, validity, reason, found, numbers)
