"""A guess at the order in which a history's transactions committed.

Most histories are what they should be, and their order is near to that of their times. So before
anything is searched the transactions are run again one after the other: next comes the earliest
one whose reads are what the keys hold now, and that overwrites nothing that another one is still to
read. If all of them can be run so, the history is serializable. If not, nothing is said.
"""

from __future__ import annotations

import heapq
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.transactions.resolved import Resolved
from testbed.checkers.transactions.version_chains import Versions
from testbed.history.transaction_table import NEVER, Outcome

STEPS_PER_ROW = 200
"""Looks at transactions that cannot be run yet, for each transaction, before it gives up."""


def weights(resolved: Resolved) -> list[NDArray[np.int64]]:
    """Times at which transactions may have committed, for each a number; the likeliest first."""
    table = resolved.table
    if not table.timed:
        return [resolved.position.astype(np.int64)]
    ended = table.end < NEVER
    return [
        np.where(ended, table.end, table.start),
        np.where(ended, (table.start + table.end) // 2, table.start),
        table.start,
    ]


def replay(
    resolved: Resolved, versions: Versions, weight: NDArray[np.int64], *, realtime: bool
) -> list[int] | None:
    """Rows in an order in which they can be run one after the other; None if the guess fails.

    Args:
        resolved: The history.
        versions: Its versions.
        weight: What is smaller is tried first, one a row.
        realtime: Whether what had ended must come before what began later.
    """
    return _Replay(resolved, versions, weight, realtime=realtime).run()


class _Replay:
    def __init__(
        self,
        resolved: Resolved,
        versions: Versions,
        weight: NDArray[np.int64],
        *,
        realtime: bool,
    ) -> None:
        table = resolved.table
        self.rows = np.flatnonzero(resolved.committed).tolist()
        self.weight = weight.tolist()
        first, keys = resolved.read_first.tolist(), resolved.read_key.tolist()
        seen = versions.read.tolist()
        self.reads = {
            row: list(dict.fromkeys(zip(keys[first[row] : first[row + 1]],
                                        seen[first[row] : first[row + 1]], strict=True)))
            for row in self.rows
        }  # fmt: skip
        self.write_first = resolved.write_first.tolist()
        self.write_key = resolved.write_key.tolist()
        writes = len(self.write_key)
        self.current = [writes + key for key in range(len(versions.row) - writes)]
        self.pending: dict[int, int] = defaultdict(int)
        self.readers: dict[int, list[int]] = defaultdict(list)
        self.needs: dict[int, int] = {}
        self.followers: dict[int, list[int]] = defaultdict(list)
        self.waiting: dict[int, list[int]] = defaultdict(list)
        self.heap: list[tuple[int, int]] = []
        previous = resolved.previous.tolist()
        for row in self.rows:
            self.needs[row] = len(self.reads[row]) + (previous[row] >= 0) + realtime
            if previous[row] >= 0:
                self.followers[previous[row]].append(row)
            for _, version in self.reads[row]:
                self.pending[version] += 1
                self.readers[version].append(row)
        ended = table.outcome == Outcome.OK
        self.starts = table.start.tolist()
        self.ends = np.where(ended, table.end, NEVER).tolist()
        self.done = [False] * len(table)
        self.by_end = sorted(self.rows, key=self.ends.__getitem__) if realtime else []
        self.begun = 0
        self.ended = 0
        self.realtime = realtime

    def run(self) -> list[int] | None:
        for row in self.rows:
            if not self.needs[row]:
                heapq.heappush(self.heap, (self.weight[row], row))
        for version in self.current:
            self._offer(version)
        self._let_begin()
        order = []
        steps = STEPS_PER_ROW * len(self.rows)
        while self.heap and steps:
            steps -= 1
            row = heapq.heappop(self.heap)[1]
            blocked = self._blocked(row)
            if blocked is not None:
                self.waiting[blocked].append(row)
                continue
            order.append(row)
            self._execute(row)
        return order if len(order) == len(self.rows) else None

    def _blocked(self, row: int) -> int | None:
        """A key that it would overwrite though another one is still to read it."""
        own = {version for _, version in self.reads[row]}
        for write in range(self.write_first[row], self.write_first[row + 1]):
            version = self.current[self.write_key[write]]
            if self.pending[version] > (version in own):
                return int(self.write_key[write])
        return None

    def _execute(self, row: int) -> None:
        self.done[row] = True
        for key, version in self.reads[row]:
            self.pending[version] -= 1
            # One reader may be left that replaces it.
            if self.pending[version] <= 1:
                self._wake(key)
        for write in range(self.write_first[row], self.write_first[row + 1]):
            key = self.write_key[write]
            self.current[key] = write
            self._offer(write)
            if self.pending[write] <= 1:
                self._wake(key)
        for follower in self.followers[row]:
            self._met(follower)
        if self.realtime:
            self._let_begin()

    def _offer(self, version: int) -> None:
        """A version is what its key holds now."""
        for reader in self.readers[version]:
            self._met(reader)

    def _wake(self, key: int) -> None:
        for row in self.waiting.pop(key, ()):
            heapq.heappush(self.heap, (self.weight[row], row))

    def _met(self, row: int) -> None:
        self.needs[row] -= 1
        if not self.needs[row]:
            heapq.heappush(self.heap, (self.weight[row], row))

    def _let_begin(self) -> None:
        """Those before whose beginning everything that had ended is done."""
        while self.ended < len(self.by_end) and self.done[self.by_end[self.ended]]:
            self.ended += 1
        over = self.ended == len(self.by_end)
        limit = NEVER if over else self.ends[self.by_end[self.ended]]
        while self.begun < len(self.rows) and self.starts[self.rows[self.begun]] <= limit:
            self._met(self.rows[self.begun])
            self.begun += 1
