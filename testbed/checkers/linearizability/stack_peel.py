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

from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.linearizability.calls import NEVER
from testbed.checkers.linearizability.container import Container

Array = NDArray[Any]

NO_MOMENT = np.int64(2**40)
"""More values than are ever within: a moment that was dealt with."""


def leftover(stack: Container) -> NDArray[np.bool_]:
    """The values that can never lie at the bottom; none if the stack is linearizable."""
    count = len(stack.value)
    if not count:
        return np.zeros(0, dtype=bool)
    filled, emptied = stack.filled, stack.emptied
    stays = stack.out_end == NEVER
    ends = np.where(stays, emptied, stack.out_end)
    times = np.unique(np.concatenate([stack.in_start, filled, emptied, ends]))
    moments = len(times)
    put_from, put_to, get_from, get_to = (
        np.searchsorted(times, column) for column in (stack.in_start, filled, emptied, ends)
    )
    # An operation spans the moments from its begin to before its end.
    placed = np.zeros(count, dtype=np.int8)
    placed[stays] = 2
    peel.for_rows(6 * count)(
        put_from, put_to - 1, get_from, np.where(stays, -1, get_to - 1), placed, moments
    )
    return placed != 3


@kernel
def add_over(tree: Array, add: Array, size: int, first: int, last: int, amount: int) -> None:
    """Add to all leaves from first to last, both included; each node is the least below it."""
    low, high = first + size, last + size + 1
    left, right = low, high - 1
    while low < high:
        if low & 1:
            tree[low] += amount
            add[low] += amount
            low += 1
        if high & 1:
            high -= 1
            tree[high] += amount
            add[high] += amount
        low >>= 1
        high >>= 1
    left >>= 1
    while left:
        tree[left] = min(tree[2 * left], tree[2 * left + 1]) + add[left]
        left >>= 1
    right >>= 1
    while right:
        tree[right] = min(tree[2 * right], tree[2 * right + 1]) + add[right]
        right >>= 1


@kernel
def next_spanning(tree: Array, size: int, moment: int) -> int:
    """The first leaf whose end is not before a moment, in a tree of the greatest; -1 without one."""
    if tree[1] < moment:
        return -1
    node = 1
    while node < size:
        node *= 2
        if tree[node] < moment:
            node += 1
    return node - size


@kernel
def forget(tree: Array, size: int, leaf: int) -> None:
    """Take a leaf out of a tree of the greatest."""
    node = leaf + size
    tree[node] = -1
    node >>= 1
    while node:
        tree[node] = max(tree[2 * node], tree[2 * node + 1])
        node >>= 1


@kernel
def tree_of(ends: Array, size: int) -> Array:
    """A tree of the greatest."""
    tree = np.full(2 * size, -1, np.int64)
    for leaf in range(len(ends)):
        tree[size + leaf] = ends[leaf]
    for node in range(size - 1, 0, -1):
        tree[node] = max(tree[2 * node], tree[2 * node + 1])
    return tree


@kernel
def peel(
    put_from: Array, put_to: Array, get_from: Array, get_to: Array, placed: Array, moments: int
) -> int:
    """Peel off values; how many are left.

    Args:
        put_from: The first moment at which each value can go in.
        put_to: The last one.
        get_from: The first moment at which it can come out.
        get_to: The last one; -1 if it can do so at the very end.
        placed: 1 for what can go in, 2 for what can come out, 3 for both; is filled.
        moments: How many moments there are.
    """
    count = len(put_from)
    size = 1
    while size < moments:
        size *= 2
    within = np.zeros(2 * size, np.int64)
    add = np.zeros(2 * size, np.int64)
    change = np.zeros(moments + 1, np.int64)
    for value in range(count):
        if put_to[value] + 1 < get_from[value]:
            change[put_to[value] + 1] += 1
            change[get_from[value]] -= 1
    level = 0
    for moment in range(size):
        if moment < moments:
            level += change[moment]
            within[size + moment] = level
        else:
            within[size + moment] = 2**40
    for node in range(size - 1, 0, -1):
        within[node] = min(within[2 * node], within[2 * node + 1])
    leaves = 1
    while leaves < count:
        leaves *= 2
    put_order = np.argsort(put_from)
    get_order = np.argsort(get_from)
    puts = tree_of(put_to[put_order], leaves)
    gets = tree_of(get_to[get_order], leaves)
    left = count
    while within[1] == 0:
        node, total = 1, 0
        while node < size:
            total += add[node]
            node *= 2
            if within[node] + total != 0:
                node += 1
        moment = node - size
        add_over(within, add, size, moment, moment, 2**40)
        for side in range(2):
            tree = puts if side == 0 else gets
            order = put_order if side == 0 else get_order
            starts = put_from if side == 0 else get_from
            while True:
                leaf = next_spanning(tree, leaves, moment)
                if leaf < 0 or starts[order[leaf]] > moment:
                    break
                forget(tree, leaves, leaf)
                value = order[leaf]
                placed[value] |= 1 + side
                if placed[value] == 3:
                    left -= 1
                    if put_to[value] + 1 < get_from[value]:
                        add_over(within, add, size, put_to[value] + 1, get_from[value] - 1, -1)
    return left
