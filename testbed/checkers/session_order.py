"""The one pass over all sessions that finds where versions run backwards."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel

RYW, MR, MW, WFR = range(4)
"""Rows of what :data:`regressions` returns: read your writes, monotonic reads, monotonic writes,
writes follow reads."""


@kernel
def regressions(
    group: NDArray[Any],
    writes: NDArray[Any],
    low: NDArray[Any],
    high: NDArray[Any],
    groups: int,
) -> NDArray[Any]:
    """For each step the earlier step that it contradicts, by guarantee; -1 without one.

    Args:
        group: Number of session and key of each step, from 0; the steps of a group in order.
        writes: Whether the step wrote.
        low: The step's version is at least so new.
        high: The step's version is at most so new.
        groups: How many groups there are.

    Returns:
        Four rows, as ``RYW`` and the others say, one column a step. O(steps).
    """
    found = np.full((4, len(group)), -1, dtype=np.int64)
    wrote = np.full(groups, -1, dtype=np.int64)
    saw = np.full(groups, -1, dtype=np.int64)
    for step in range(len(group)):
        mine = group[step]
        for kind in range(2):
            before = wrote[mine] if kind == 0 else saw[mine]
            if before >= 0 and high[step] < low[before]:
                # 0 and 1 are what reads can contradict, 2 and 3 what writes can.
                found[kind + 2 if writes[step] else kind, step] = before
        if writes[step]:
            if wrote[mine] < 0 or low[step] > low[wrote[mine]]:
                wrote[mine] = step
        elif saw[mine] < 0 or low[step] > low[saw[mine]]:
            saw[mine] = step
    return found
