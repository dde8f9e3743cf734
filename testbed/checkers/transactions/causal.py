"""Causal consistency with convergence of unique-value registers.

Whatever happens before a transaction (in sessions and by reads) comes before the source of each of
its reads where it writes the same key. The axiom is Biswas and Enea's (2019); the commit order is
one for all, so this is what others call causal+ (convergent). As in AWDIT (arXiv 2504.06975) a
vector clock says for each chain how much of it happens before, and of each chain only the latest
such writer of the key matters. Beyond that: what happens before the source anyway forces nothing
and is skipped by comparing two clocks, and a clock lives from its transaction to the last reader of
it, so the memory is that of the transactions in flight.

Under the strong form what had ended happens before what began later: the helpers of that order have
clocks of their own.

Time is transactions times chains (sessions, and one for each indeterminate transaction).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.budget import Budget
from testbed.checkers.transactions.commit_graph import Forced
from testbed.checkers.transactions.past import walk_past
from testbed.checkers.transactions.predecessors import Predecessors
from testbed.checkers.transactions.resolved import Resolved, Rows
from testbed.checkers.transactions.topological_order import topological_order
from testbed.checkers.transactions.writer_index import WriterIndex, index_writers

STEP = 20_000
"""Transactions between two looks at the clock."""
CLOCKS = 256
"""Vector clocks that are kept to begin with."""
EDGES = 1024
"""Room for so many edges at first."""


def forced_by_past(resolved: Resolved, before: Predecessors, budget: Budget) -> Forced | None:
    """The edges that causal consistency forces; None if the past itself is a cycle.

    Args:
        resolved: The history.
        before: What happens directly before each transaction.
        budget: What it may cost.

    Raises:
        OutOfBudgetError: It took too long.
    """
    order = topological_order(resolved, before)
    if order is None:
        return None
    walk = _Walk(resolved, before, order)
    done = 0
    while done < len(order):
        budget.note(f"the past of {done:,} of {len(order):,} transactions was judged")
        done = walk.advance(done, min(done + STEP, len(order)))
    return walk.forced()


@dataclass
class _Walk:
    """The walk in topological order: clocks, and the edges found so far."""

    resolved: Resolved
    before: Predecessors
    order: Rows
    arrays: tuple[Rows, Rows, Rows, Rows] = field(init=False)
    clocks: Rows = field(init=False)
    slot: Rows = field(init=False)
    free: Rows = field(init=False)
    uses: Rows = field(init=False)
    edges: Rows = field(init=False)
    latest: NDArray[np.int64] = field(init=False)
    latest_place: Rows = field(init=False)
    state: NDArray[np.int64] = field(init=False)
    index: WriterIndex = field(init=False)

    def __post_init__(self) -> None:
        resolved, nodes = self.resolved, len(self.before)
        helpers = nodes - len(resolved)
        none, reads = np.full(helpers, -1, np.int32), resolved.read_first
        # A helper is in no chain, reads and writes nothing.
        self.arrays = (
            np.append(resolved.chain, none),
            np.append(resolved.position, none),
            np.append(reads, np.full(helpers, reads[-1])),
            np.append(resolved.write_first, np.full(helpers, resolved.write_first[-1])),
        )
        self.index = index_writers(resolved)
        self.clocks = np.empty((CLOCKS, max(resolved.chains, 1)), np.int32)
        self.free = np.arange(CLOCKS, dtype=np.int32)
        self.slot = np.full(nodes, -1, np.int32)
        self.uses = np.bincount(self.before.row, minlength=nodes).astype(np.int32)
        self.edges = np.empty((EDGES, 3), np.int32)
        self.latest = self.index.group_start[:-1] - 1
        self.latest_place = np.full(len(self.latest), -1, np.int32)
        # Free clocks, edges.
        self.state = np.array([CLOCKS, 0], np.int64)

    def advance(self, start: int, stop: int) -> int:
        """Walk on as far as there is room, and make more; returns how far it is."""
        resolved, index = self.resolved, self.index
        done = walk_past.for_rows(resolved.work)(
            self.order, start, stop, self.before.first, self.before.row, *self.arrays,
            resolved.read_key, resolved.read_source,
            index.first_group, index.group_chain, index.group_start, index.position, index.row,
            index.group_of_write, self.latest, self.latest_place,
            self.clocks, self.slot, self.free, self.uses, self.edges, self.state,
        )  # fmt: skip
        if done < stop:
            self._grow(int(self.order[done]))
        return int(done)

    def _grow(self, row: int) -> None:
        if self.state[0] == 0:
            have = len(self.clocks)
            more = np.arange(have, have + have // 2, dtype=np.int32)
            grown = np.empty((have + len(more), self.clocks.shape[1]), np.int32)
            grown[:have] = self.clocks
            self.clocks = grown
            self.free = np.concatenate([more, np.empty(have, np.int32)])
            self.state[0] = len(more)
        resolved, groups = self.resolved, np.diff(self.index.first_group)
        reads = slice(self.arrays[2][row], self.arrays[2][row + 1])
        room = len(self.edges) - int(self.state[1])
        need = int(groups[resolved.read_key[reads]].sum())
        if room < need:
            grown = np.empty((len(self.edges) * 2 + need, 3), np.int32)
            grown[: len(self.edges)] = self.edges
            self.edges = grown

    def forced(self) -> Forced:
        found = self.edges[: self.state[1]]
        return Forced(found[:, 0].copy(), found[:, 1].copy(), found[:, 2].copy())
