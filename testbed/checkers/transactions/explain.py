"""Counterexamples for people: the transactions, and each reason why one comes before another."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from testbed.checkers.transactions.anomaly import meaning_of, split_form
from testbed.checkers.transactions.finding import Finding
from testbed.checkers.transactions.graph import Edge
from testbed.checkers.transactions.shape_search import Cycle
from testbed.history.transaction_table import NEVER, Access, Outcome, Read, TransactionTable

ExplainEdge: TypeAlias = Callable[[int, int, Edge, str, str], str]
"""(row, next row, kind, name, next name) to why the first comes before the second, for WW, WR, RW:
a clause with the names in it, such as ``T1 read key 5 as [1 2]; T2 appended 3 right after``."""

_SHOWN_MAX = 12
_ACCESSES = {Access.READ: "r", Access.WRITE: "w", Access.APPEND: "append"}


def shown_transaction(table: TransactionTable, row: int) -> dict[str, Any]:
    """A transaction as plain JSON: where it stands, who ran it, and its micro-operations.

    In a history of sessions, which have no lines, it stands at a place among its process's.
    """
    line = int(table.line[row])
    shown: dict[str, Any] = {
        **({"line": line} if line else {"transaction": position_in_process(table, row)}),
        "process": table.process_names[int(table.process[row])],
        "outcome": Outcome(int(table.outcome[row])).name.lower(),
        "value": [
            micro_operation(table, at)
            for at in range(int(table.first[row]), int(table.first[row + 1]))
        ],
    }
    if table.timed:
        end = int(table.end[row])
        shown |= {"start": int(table.start[row]), "end": None if end >= NEVER else end}
    return shown


def micro_operation(table: TransactionTable, at: int) -> list[Any]:
    """A micro-operation as in Jepsen: ``["append", key, value]``, ``["r", key, [...]]``."""
    access = Access(int(table.access[at]))
    value = int(table.value[at])
    shown: Any = None
    if access != Access.READ:
        shown = table.values[value]
    elif value >= 0:
        shown = read_value(table, value)
    return [_ACCESSES[access], table.keys[int(table.key[at])], shown]


def read_value(table: TransactionTable, value: int) -> Any:
    """What a read saw as plain JSON: a list where the history has lists."""
    if value in {Read.NOTHING, Read.UNSEEN}:
        return None
    if len(table.list_starts) <= 1:
        return table.values[value]
    first, after = table.list_starts[value : value + 2].tolist()
    return [table.values[item] for item in table.list_items[first:after].tolist()]


def short(value: Any) -> str:
    """A value in a line of text; the middle of a long list is left out."""
    if isinstance(value, list):
        items = [short(item) for item in value[:_SHOWN_MAX]]
        if len(value) > _SHOWN_MAX:
            half = _SHOWN_MAX // 2
            ends = [short(item) for item in value[-half:]]
            items = [*items[:half], f"... {len(value) - 2 * half} more ...", *ends]
        return "[" + " ".join(items) + "]"
    return json.dumps(value, ensure_ascii=False)


def position_in_process(table: TransactionTable, row: int) -> int:
    """Which transaction of its process one is, from 1."""
    return int(np.count_nonzero(table.process[: row + 1] == table.process[row]))


def transaction_line(table: TransactionTable, row: int, name: str) -> str:
    """One line that says who a transaction is."""
    shown = shown_transaction(table, row)
    steps = [
        f"{access} {short(key)} {'?' if value is None else short(value)}"
        if access != "r" or value is not None
        else f"r {short(key)} {'nil' if shown['outcome'] == 'ok' else '?'}"
        for access, key, value in shown["value"][:_SHOWN_MAX]
    ]
    more = len(shown["value"]) - len(steps)
    rest = [f"... {more} more"] if more else []
    place = f"process {shown['process']}, transaction {shown.get('transaction')}"
    if "line" in shown:
        place = f"line {shown['line']}, process {shown['process']}"
    who = f"{place}, {shown['outcome']}"
    return f"{name} ({who}): " + ", ".join([*steps, *rest])


def cycle_shown(
    table: TransactionTable, same: Sequence[Cycle], explain: ExplainEdge
) -> dict[str, Any]:
    """A cycle edge by edge, with the reason of each edge.

    Args:
        table: The transactions.
        same: One circle under each of its names; the last of them is the one that is explained.
        explain: Says why an edge is there.
    """
    cycle = same[-1]
    names = _names(cycle.rows)
    edges = []
    for at, (row, kind) in enumerate(zip(cycle.rows, cycle.kinds, strict=True)):
        after = cycle.rows[(at + 1) % len(cycle.rows)]
        why = _why(table, (row, after), kind, (names[row], names[after]), explain)
        edges.append(
            {"from": names[row], "to": names[after], "kind": kind.name.lower(), "why": why}
        )
    special = "" if cycle.special == cycle.anomaly else f"{cycle.special}: "
    meant = cycle.anomaly if split_form(cycle.anomaly)[1] else cycle.special
    others = ", ".join(each.special for each in same[:-1])
    text = [f"{special}{meaning_of(meant)}" + (f" (also {others})" if others else "")]
    text += [f"  {transaction_line(table, row, names[row])}" for row in names]
    text += [
        f"  {edge['why']}: {edge['from']} must come before {edge['to']} ({edge['kind']})"
        for edge in edges
    ]
    text.append("  that is a circle: no order of these transactions explains what they saw")
    return {
        "anomaly": cycle.anomaly,
        "special": cycle.special,
        "names": [each.special for each in same],
        "text": text,
        "operations": _operations(table, names),
        "edges": edges,
    }


def finding_shown(table: TransactionTable, finding: Finding) -> dict[str, Any]:
    """An anomaly that is no cycle."""
    names = _names(finding.rows)
    text = [meaning_of(finding.anomaly)]
    text += [f"  {transaction_line(table, row, names[row])}" for row in names]
    text += [f"  {line}" for line in finding.text]
    return {
        "anomaly": finding.anomaly,
        "text": text,
        "operations": _operations(table, names),
        **finding.evidence,
    }


def _names(rows: Sequence[int]) -> dict[int, str]:
    return {row: f"T{number}" for number, row in enumerate(dict.fromkeys(rows), 1)}


def _operations(table: TransactionTable, names: dict[int, str]) -> list[dict[str, Any]]:
    return [{"name": name, **shown_transaction(table, row)} for row, name in names.items()]


def _why(
    table: TransactionTable,
    rows: tuple[int, int],
    kind: Edge,
    names: tuple[str, str],
    explain: ExplainEdge,
) -> str:
    first, second = names
    if kind == Edge.PROCESS:
        process = table.process_names[int(table.process[rows[0]])]
        return f"process {process} ran {first} before {second}"
    if kind == Edge.REALTIME:
        return f"{first} had completed before {second} was invoked"
    return explain(*rows, kind, first, second)
