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

# A kernel takes its arrays one by one and is one loop: calls and objects would cost its speed.
# ruff: noqa: C901, PLR0912, PLR0915, PLR0917
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.budget import Budget
from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.commit_graph import Forced
from testbed.checkers.transactions.predecessors import Predecessors
from testbed.checkers.transactions.resolved import Flags, Resolved, Rows

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


def topological_order(resolved: Resolved, before: Predecessors) -> Rows | None:
    """Committed transactions and helpers, each after what comes before it; None if none exists."""
    rows, nodes = len(resolved), len(before)
    if rows == nodes and follows_rows.for_rows(resolved.work)(before.first, before.row):
        return np.flatnonzero(resolved.committed).astype(np.int32)
    wanted = np.ones(nodes, np.bool_)
    wanted[:rows] = resolved.committed
    order = np.empty(nodes, np.int32)
    peeled = peel_sinks.for_rows(resolved.work)(
        wanted, before.first, before.row, np.zeros(nodes, np.int32), order
    )
    return order[:peeled][::-1].copy() if peeled == np.count_nonzero(wanted) else None


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
    index: _WriterIndex = field(init=False)

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
        self.index = _index_writers(resolved)
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


@dataclass(frozen=True)
class _WriterIndex:
    """Writers of each key by chain: groups ``first_group[key]`` to ``first_group[key + 1]``.

    Args:
        group_chain: The chain of a group.
        group_start: Its writers in ``position`` and ``row``, in order.
        position: Place of a writer in its chain.
        row: The writer.
        group_of_write: The group of each write of ``Resolved.write_op``.
    """

    first_group: NDArray[np.int64]
    group_chain: Rows
    group_start: NDArray[np.int64]
    position: Rows
    row: Rows
    group_of_write: Rows


def _index_writers(resolved: Resolved) -> _WriterIndex:
    writer = np.repeat(np.arange(len(resolved), dtype=np.int32), np.diff(resolved.write_first))
    # Rows stand in session order, so a stable sort leaves each group in it.
    by_chain = np.argsort(resolved.chain[writer], kind="stable")
    by_key = by_chain[np.argsort(resolved.write_key[by_chain], kind="stable")]
    row = writer[by_key]
    key, chain = resolved.write_key[by_key], resolved.chain[row]
    begins = np.ones(len(row), np.bool_)
    begins[1:] = (key[1:] != key[:-1]) | (chain[1:] != chain[:-1])
    start = np.flatnonzero(begins)
    first = np.zeros(len(resolved.table.keys) + 1, np.int64)
    np.cumsum(np.bincount(key[start], minlength=len(first) - 1), out=first[1:])
    group_of_write = np.empty(len(row), np.int32)
    group_of_write[by_key] = np.cumsum(begins) - 1
    return _WriterIndex(
        first, chain[start], np.append(start, len(row)), resolved.position[row], row, group_of_write
    )


@kernel
def follows_rows(first: NDArray[np.int64], before: Rows) -> bool:
    """Whether what comes before a row are rows before it."""
    for row in range(len(first) - 1):
        for at in range(first[row], first[row + 1]):
            if before[at] >= row:
                return False
    return True


@kernel
def peel_sinks(
    wanted: Flags, first: NDArray[np.int64], before: Rows, count: Rows, order: Rows
) -> int:
    """Kahn's algorithm from the ends: ``order`` is a topological order reversed."""
    for at in range(len(before)):
        count[before[at]] += 1
    filled = 0
    for node in range(len(wanted) - 1, -1, -1):
        if wanted[node] and count[node] == 0:
            order[filled] = node
            filled += 1
    taken = 0
    while taken < filled:
        node = order[taken]
        taken += 1
        for at in range(first[node], first[node + 1]):
            source = before[at]
            count[source] -= 1
            if count[source] == 0:
                order[filled] = source
                filled += 1
    return filled


@kernel
def join(clocks: Rows, into: int, other: int) -> int:
    """The greater of two clocks, entry by entry."""
    for chain in range(clocks.shape[1]):
        clocks[into, chain] = max(clocks[into, chain], clocks[other, chain])
    return 0


@kernel
def latest_before(position: Rows, start: int, stop: int, limit: int) -> int:
    """The last of ``position[start:stop]``, ascending, below a limit; ``start - 1`` if none is."""
    low = start
    high = stop
    while low < high:
        middle = (low + high) // 2
        if position[middle] < limit:
            low = middle + 1
        else:
            high = middle
    return low - 1


@kernel
def walk_past(
    order: Rows,
    start: int,
    stop: int,
    first: NDArray[np.int64],
    before: Rows,
    chain: Rows,
    place: Rows,
    read_first: Rows,
    write_first: Rows,
    read_key: Rows,
    read_source: Rows,
    first_group: NDArray[np.int64],
    group_chain: Rows,
    group_start: NDArray[np.int64],
    position: Rows,
    writer: Rows,
    group_of_write: Rows,
    latest: NDArray[np.int64],
    latest_place: Rows,
    clocks: Rows,
    slot: Rows,
    free: Rows,
    uses: Rows,
    edges: Rows,
    state: NDArray[np.int64],
) -> int:
    """Judge a slice of the order; returns where it stopped for want of room.

    An entry of a clock is how many transactions of a chain are before the transaction or itself.
    ``latest`` and ``latest_place`` are of each group the last writer that was walked over: most
    often it is no later than what the source knew, and there is nothing to search.
    """
    available = state[0]
    found = state[1]
    for index in range(start, stop):
        row = order[index]
        need = 0
        for at in range(read_first[row], read_first[row + 1]):
            need += first_group[read_key[at] + 1] - first_group[read_key[at]]
        if available == 0 or found + need > len(edges):
            state[0] = available
            state[1] = found
            return index
        available -= 1
        own = free[available]
        slot[row] = own
        begin = first[row]
        if begin < first[row + 1]:
            clocks[own, :] = clocks[slot[before[begin]], :]
        else:
            clocks[own, :] = 0
        for at in range(begin + 1, first[row + 1]):
            source = before[at]
            if chain[source] < 0 or clocks[own, chain[source]] <= place[source]:
                join(clocks, own, slot[source])
        for at in range(read_first[row], read_first[row + 1]):
            source = read_source[at]
            key = read_key[at]
            known = slot[source] if source >= 0 else -1
            for group in range(first_group[key], first_group[key + 1]):
                where = group_chain[group]
                covered = clocks[known, where] if known >= 0 else 0
                if latest_place[group] < covered:
                    continue
                seen = clocks[own, where]
                if seen <= covered:
                    continue
                last = latest[group]
                if latest_place[group] >= seen:
                    last = latest_before(position, group_start[group], last, seen)
                if last >= group_start[group] and position[last] >= covered:
                    edges[found, 0] = writer[last]
                    edges[found, 1] = source
                    edges[found, 2] = at
                    found += 1
        for at in range(begin, first[row + 1]):
            source = before[at]
            uses[source] -= 1
            if uses[source] == 0:
                free[available] = slot[source]
                available += 1
        for write in range(write_first[row], write_first[row + 1]):
            group = group_of_write[write]
            latest[group] += 1
            latest_place[group] = place[row]
        if chain[row] >= 0:
            clocks[own, chain[row]] = place[row] + 1
        if uses[row] == 0:
            free[available] = own
            available += 1
    state[0] = available
    state[1] = found
    return stop
