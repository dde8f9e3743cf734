"""What the calls of a register did and saw, as the search takes it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.linearizability.calls import Calls
from testbed.checkers.linearizability.cas_arrays import CAS, DIFFERS, READ, WRITE
from testbed.checkers.linearizability.cas_problem import CasOperations
from testbed.checkers.linearizability.values import UNSAID, Numbered, without_unsaid
from testbed.checkers.operation_shapes import refuse
from testbed.history.operation_table import NULL, Integers, Kind, OperationTable, Tag


@dataclass
class CasReader:
    """Reads the calls of a register of one key.

    Args:
        history: The operations: ``read``, ``write`` and ``cas`` with ``[old, new]``.
        values: Their values.
        failed_differs: Whether a compare-and-set that failed saw another value than ``old``.

    Raises:
        HistoryError: A compare-and-set has another value than two.
    """

    history: OperationTable
    values: Numbered
    failed_differs: bool = False
    _olds: Integers = field(init=False)
    _news: Integers = field(init=False)

    def __post_init__(self) -> None:
        history = self.history
        self._olds = self.values.rows
        self._news = np.full(0, -1, dtype=np.int64)
        invoked = history.kind == Kind.INVOKE
        nulled = invoked & (history.f == history.function("write")) & (self._olds == NULL)
        asked = invoked & (history.f == history.function("cas"))
        if asked.any():
            self._split(asked)
            nulled |= asked & (self._news == NULL)
        self._olds = without_unsaid(history, replace(self.values, rows=self._olds), nulled).rows

    def _split(self, asked: NDArray[np.bool_]) -> None:
        """Old and new values of compare-and-set."""
        history = self.history
        pairs = asked & (history.tag == Tag.PAIR)
        wrong = asked & ~pairs
        self._olds, self._news = self._olds.copy(), self._olds.copy()
        given = self.values.plain(history.pairs[history.payload[pairs]])
        self._olds[pairs], self._news[pairs] = given[:, 0], given[:, 1]
        for row in np.flatnonzero(wrong & (history.tag == Tag.OTHER)).tolist():
            value = history.value(row)
            if isinstance(value, list) and len(value) == 2:
                self._olds[row], self._news[row] = map(self.values.number, value)
                wrong[row] = False
        refuse(history, wrong, "expected [old, new] as the value of '%s'")

    def read(self, calls: Calls) -> CasOperations:
        """The operations."""
        history = self.history
        read, cas = history.function("read"), history.function("cas")
        calls = calls.only(self._said_something(calls, read, cas))
        reads, sets = calls.f == read, calls.f == cas
        failed = calls.outcome == Kind.FAIL
        source = np.where(reads, calls.end, calls.start)
        said = ~(reads & (self._olds[source] == UNSAID))
        calls, reads, sets, failed, source = (
            calls.only(said),
            reads[said],
            sets[said],
            failed[said],
            source[said],
        )
        first = self._olds[source]
        second = self._news[source[sets]] if sets.any() else self._news[:0]
        every, numbers = np.unique(
            np.concatenate([np.array([self.values.init]), first, second]), return_inverse=True
        )
        news = np.full(len(calls), -1, dtype=np.int64)
        news[sets] = numbers[1 + len(calls) :]
        news[failed] = -1
        code = np.where(reads, READ, np.where(sets, np.where(failed, DIFFERS, CAS), WRITE))
        return CasOperations(
            code=code,
            first=numbers[1 : 1 + len(calls)],
            second=news,
            start=calls.start,
            end=calls.end,
            initial=int(numbers[0]),
            names=every,
        )

    def _said_something(self, calls: Calls, read: int, cas: int) -> Any:
        """Not what failed, unless that is informative, nor reads of which nothing is known."""
        told = calls.outcome == Kind.OK
        told |= (calls.outcome == Kind.INFO) & (calls.f != read)
        if self.failed_differs:
            told |= (calls.outcome == Kind.FAIL) & (calls.f == cas)
        return told
