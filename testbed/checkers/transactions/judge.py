"""From the anomalies that were found to the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from testbed.checkers.request import Request
from testbed.checkers.transactions.classify import Cycles
from testbed.checkers.transactions.finding import Finding
from testbed.checkers.transactions.graph import Edge
from testbed.checkers.verdict import Verdict
from testbed.history.transaction_table import TransactionTable

ExplainEdge: TypeAlias = Callable[[int, int, Edge], str]
"""(row, next row, WW | WR | RW) to why the first comes before the second, one sentence. The
transactions are named by :func:`testbed.checkers.transactions.explain.name_of`."""


@dataclass(frozen=True)
class Examined:
    """What a checker of transactions found in a history.

    Args:
        model: Name of the model.
        findings: Anomalies that are no cycles.
        cycles: The classified cycles.
        dependencies: Edges WW, WR and RW that could be inferred; with none and no finding the
            verdict is unknown.
        explain: Says why an edge is there.
        numbers: Figures for the verdict.
    """

    model: str
    findings: Sequence[Finding]
    cycles: Cycles
    dependencies: int
    explain: ExplainEdge
    numbers: dict[str, float]


def judge(table: TransactionTable, request: Request, examined: Examined) -> Verdict:
    """Say whether the levels or anomalies asked for are violated, and where the history stands.

    The default level is strict-serializable, serializable for a history without times. A level
    that needs real time is unknown, not valid, where a history without times shows no violation.
    """
    raise NotImplementedError
