"""Stacks with unique values: whether some order exists, by peeling off what can lie at the bottom.

A value is certainly within from the earliest moment at which it certainly went in to the latest at
which it may have come out. A value can lie at the bottom of the stack when it can go in at a moment
at which no other value is certainly within, and come out at such a moment. Taking such values away
changes nothing of whether the rest is linearizable; if values are left of which none can lie at the
bottom, the stack is not linearizable (Lee and Mathur, "Efficient decrease-and-conquer
linearizability monitoring", arXiv 2410.04581). Moments with nothing within, and operations that
span them, come from trees over time, so that all takes O(n log n).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.budget import Budget
from testbed.checkers.kernel import kernel
from testbed.checkers.linearizability.calls import NEVER
from testbed.checkers.linearizability.container import Container
from testbed.history.operation_table import Integers

Array = NDArray[Any]

COMPILED_FACTOR = 20
"""Peeling off a value is worth so many rows of a simple loop."""
MOMENTS_AT_ONCE = 100_000
"""Moments between two looks at the clock."""
TRIES = 100
"""How often values are left out to find a small example."""
DEALT_WITH = 2**40
"""More values than are ever within."""
PUT_FROM, PUT_TO, GET_FROM, GET_TO = range(4)
"""Columns of the moments of a value."""
CAN_COME_OUT, BOTH = 2, 3


def leftover(stack: Container, budget: Budget) -> NDArray[np.bool_]:
    """The values that can never lie at the bottom; none if the stack is linearizable.

    Raises:
        OutOfBudgetError: The time is over.
    """
    count = len(stack.value)
    if not count:
        return np.zeros(0, dtype=bool)
    filled, emptied = stack.filled, stack.emptied
    stays = stack.out_end == NEVER
    ends = np.where(stays, emptied, stack.out_end)
    times = np.unique(np.concatenate([stack.in_start, filled, emptied, ends]))
    spans = np.stack(
        [np.searchsorted(times, column) for column in (stack.in_start, filled, emptied, ends)],
        axis=1,
    )
    # An operation spans the moments from its begin to before its end.
    spans[:, PUT_TO] -= 1
    spans[:, GET_TO] = np.where(stays, -1, spans[:, GET_TO] - 1)
    placed = np.where(stays, CAN_COME_OUT, 0).astype(np.int8)
    orders = np.argsort(spans[:, [PUT_FROM, GET_FROM]], axis=0, kind="stable").T.copy()
    trees = np.full((2, 2 * _power(count)), -1, dtype=np.int64)
    for side, column in enumerate((PUT_TO, GET_TO)):
        tree_of.for_rows(count)(spans[orders[side], column], trees[side])
    size = 2 * _power(len(times))
    within = Within(np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64))
    fill_within.for_rows(count)(within, spans, len(times))
    go_on = peel.for_rows(COMPILED_FACTOR * count)
    while go_on(spans, orders, trees, within, placed):
        out = int(np.count_nonzero(placed == BOTH))
        budget.note(f"{out:,} of {count:,} values of a stack were peeled off")
    return np.asarray(placed != BOTH)


def core(stack: Container, budget: Budget) -> Integers:
    """Few values that are not linearizable by themselves; none if all are linearizable.

    What is left over is halved again and again, as long as something is left over of the half;
    so few that nothing can be left out, unless that takes too many tries.

    Raises:
        OutOfBudgetError: The time is over.
    """
    chosen = np.flatnonzero(leftover(stack, budget))
    chunk, tries = len(chosen) // 2, TRIES
    while chunk:
        at = 0
        while at < len(chosen) and tries:
            rest = np.delete(chosen, slice(at, at + chunk))
            still = leftover(stack.only(rest), budget)
            tries -= 1
            if still.any():
                chosen = rest[still]
            else:
                at += chunk
        chunk //= 2
    return chosen


def _power(number: int) -> int:
    """The least power of two that is not less."""
    size = 2
    while size < number:
        size *= 2
    return size


class Within(NamedTuple):
    """How many values are within at each moment, as a tree of the least below each node.

    Args:
        least: Node 1 is the root; the second half are the leaves.
        added: What was added to all leaves below a node.
    """

    least: Array
    added: Array


@kernel
def add_over(within: Within, first: int, after: int, amount: int) -> None:
    """Add to the moments from ``first`` to before ``after``."""
    least, added = within.least, within.added
    size = len(least) // 2
    low, high = first + size, after + size
    left, right = low >> 1, (high - 1) >> 1
    while low < high:
        if low & 1:
            least[low] += amount
            added[low] += amount
            low += 1
        if high & 1:
            high -= 1
            least[high] += amount
            added[high] += amount
        low >>= 1
        high >>= 1
    for leaf in (left, right):
        node = leaf
        while node:
            least[node] = min(least[2 * node], least[2 * node + 1]) + added[node]
            node >>= 1


@kernel
def idle_moment(within: Within) -> int:
    """The first moment with nothing within; there is one when the root is 0."""
    least, added = within.least, within.added
    node, total = 1, 0
    while node < len(least) // 2:
        total += added[node]
        node *= 2
        if least[node] + total != 0:
            node += 1
    return node - len(least) // 2


@kernel
def fill_within(within: Within, spans: Array, moments: int) -> None:
    """Count what is within at each moment."""
    least = within.least
    size = len(least) // 2
    for value in range(len(spans)):
        first, after = spans[value, PUT_TO] + 1, spans[value, GET_FROM]
        if first < after:
            least[size + first] += 1
            if after < moments:
                least[size + after] -= 1
    for moment in range(1, moments):
        least[size + moment] += least[size + moment - 1]
    for moment in range(moments, size):
        least[size + moment] = DEALT_WITH
    for node in range(size - 1, 0, -1):
        least[node] = min(least[2 * node], least[2 * node + 1])


@kernel
def tree_of(ends: Array, tree: Array) -> None:
    """Fill a tree of the greatest end below each node."""
    size = len(tree) // 2
    for leaf in range(len(ends)):
        tree[size + leaf] = ends[leaf]
    for node in range(size - 1, 0, -1):
        tree[node] = max(tree[2 * node], tree[2 * node + 1])


@kernel
def next_spanning(tree: Array, moment: int) -> int:
    """The first leaf whose end is not before a moment; -1 without one."""
    if tree[1] < moment:
        return -1
    node = 1
    while node < len(tree) // 2:
        node *= 2
        if tree[node] < moment:
            node += 1
    return node - len(tree) // 2


@kernel
def forget(tree: Array, leaf: int) -> None:
    """Take a leaf out of a tree of the greatest."""
    node = leaf + len(tree) // 2
    tree[node] = -1
    node >>= 1
    while node:
        tree[node] = max(tree[2 * node], tree[2 * node + 1])
        node >>= 1


@kernel
def peel(spans: Array, orders: Array, trees: Array, within: Within, placed: Array) -> bool:
    """Peel off values, for some moments; whether there are more.

    Args:
        spans: One row a value: the first and the last moment at which it can go in, and come out;
            a last one of -1 if it can come out at the very end.
        orders: The values by the first moment, for both.
        trees: The last moments in that order, for both.
        within: What is within at each moment.
        placed: 1 for what can go in, 2 for what can come out, 3 for both; is filled.
    """
    for _ in range(MOMENTS_AT_ONCE):
        if within.least[1] != 0:
            return False
        moment = idle_moment(within)
        add_over(within, moment, moment + 1, DEALT_WITH)
        for side in range(2):
            while True:
                leaf = next_spanning(trees[side], moment)
                if leaf < 0 or spans[orders[side, leaf], 2 * side] > moment:
                    break
                forget(trees[side], leaf)
                value = orders[side, leaf]
                placed[value] |= 1 + side
                if placed[value] == BOTH and spans[value, PUT_TO] + 1 < spans[value, GET_FROM]:
                    add_over(within, spans[value, PUT_TO] + 1, spans[value, GET_FROM], -1)
    return True
