"""The graph of dependencies between transactions, as arrays of edges."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from testbed.history.operation_table import Small

Nodes = NDArray[np.int32]


class Edge(enum.IntEnum):
    """Values of ``Edges.kind``, after Adya, Liskov and O'Neil, ICDE 2000.

    ``JOIN`` leads out of a node that is no transaction and continues the edge that led into it: the
    path ``a -RW-> helper -JOIN-> b`` is the one edge ``a -RW-> b``. It stands for many edges where
    all of ``m`` transactions precede all of ``n`` others: ``m + n`` edges instead of ``m * n``.
    """

    WW = 0
    WR = 1
    RW = 2
    PROCESS = 3
    REALTIME = 4
    JOIN = 5


@dataclass(frozen=True)
class Edges:
    """Edges ``source[i]`` to ``target[i]`` of kind ``kind[i]``; no edge leads to its own source.

    Args:
        source: Nodes.
        target: Nodes.
        kind: See :class:`Edge`.
    """

    source: Nodes
    target: Nodes
    kind: Small

    def __len__(self) -> int:
        return len(self.kind)

    @staticmethod
    def joined(parts: Sequence[Edges]) -> Edges:
        """Several sets of edges as one."""
        return Edges(
            np.concatenate([part.source for part in parts]),
            np.concatenate([part.target for part in parts]),
            np.concatenate([part.kind for part in parts]),
        )


@dataclass(frozen=True)
class DependencyGraph:
    """Transactions and what must come before what.

    Args:
        transactions: Nodes below this are rows of the :class:`TransactionTable`.
        nodes: All nodes; those from ``transactions`` on only pass edges on (see :class:`Edge`).
        edges: Dependencies, and where known the order of sessions and of real time.
        timed: Whether the edges of real time are among them.
    """

    transactions: int
    nodes: int
    edges: Edges
    timed: bool

    @property
    def dependencies(self) -> int:
        """How many edges say something of data."""
        return int(np.count_nonzero(self.edges.kind <= Edge.RW))
