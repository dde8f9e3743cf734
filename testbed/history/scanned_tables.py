"""Tables of long histories, by way of the scanner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.history import scan_fields, scan_pairs, scan_values
from testbed.history.line_scan import OTHERS_FROM, LineScan
from testbed.history.operation_table import Integers, Kind, OperationTable
from testbed.history.pairing import Complaints
from testbed.history.problem import PROBLEMS_MAX, Problem
from testbed.history.transaction_table import NEVER, SPARSE, TransactionTable, narrowed
from testbed.history.transactions_of import disagreement


def operations(
    blocks: Iterable[bytes],
    complaints: Complaints,
    *,
    split_values: bool = False,
    progress: Callable[[int], None] | None = None,
) -> OperationTable:
    """What ``operations_of`` makes of the entries of the blocks, quicker.

    Raises:
        HistoryError: As it.
    """
    scanned = LineScan(complaints, scan_values.OPERATIONS, split_values=split_values)
    scanned.read(blocks, progress)
    partner = scanned.paired()
    columns = scanned.buffer.columns
    flags = columns["flags"].taken()
    timed = len(flags) > 0 and bool(np.all(flags & scan_fields.HAS_TIME))
    columns.pop("indexed")
    table = OperationTable(
        process=columns["process"].taken(),
        kind=columns["kind"].taken(),
        f=columns["f"].taken(),
        key=columns["key"].taken(),
        tag=columns["tag"].taken(),
        payload=columns["payload"].taken(),
        pairs=columns["pairs"].taken().reshape(-1, 2),
        list_starts=columns["ends"].taken(),
        list_items=columns["items"].taken(),
        others=scanned.others,
        functions=tuple(scanned.functions),
        keys=scanned.keys.interned(),
        process_names=scanned.processes.interned(),
        line=columns["line"].taken(),
        time_ns=columns["time"].taken() if timed else None,
        errors=scanned.buffer.error_texts,
        source=complaints.source,
    )
    # The pairing is known already: the table need not find it again.
    table.__dict__["partner"] = partner
    return table


def transactions(
    blocks: Iterable[bytes],
    complaints: Complaints,
    *,
    lists: bool,
    progress: Callable[[int], None] | None = None,
) -> TransactionTable:
    """What ``transactions_of`` makes of the entries of the blocks, quicker.

    Raises:
        HistoryError: As it.
    """
    mode = scan_values.ON_LISTS if lists else scan_values.ON_REGISTERS
    scanned = LineScan(complaints, mode)
    scanned.read(blocks, progress)
    partner = scanned.paired()
    columns = scanned.buffer.columns
    for unused in ("indexed", "time", "f", "key"):
        columns.pop(unused)
    flags = columns.pop("flags").taken()
    first, outcome = _merged(scanned, partner)
    invoked = np.flatnonzero(columns.pop("kind").taken() == Kind.INVOKE)
    end = partner[invoked]
    end[end < 0] = NEVER
    access = columns["access"].taken()
    values, value, items = _interned(
        columns["micro_value"].taken(),
        columns["items"].taken(),
        scanned.others,
        lambda: (access > 0) | (not lists),
    )
    return TransactionTable(
        process=columns["process"].taken()[invoked],
        outcome=outcome,
        start=invoked,
        end=end,
        first=first,
        access=access,
        key=columns["micro_key"].taken(),
        value=value,
        list_starts=columns["ends"].taken(),
        list_items=items,
        keys=scanned.keys.interned(),
        values=values,
        process_names=scanned.processes.interned(),
        timed=not len(flags) or not flags[0] & scan_fields.UNTIMED,
        line=columns["line"].taken()[invoked].astype(np.int64, copy=False),
        source=complaints.source,
    )


def _merged(scanned: LineScan, partner: Integers) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """First micro-operations and outcomes of transactions; completions must agree.

    Raises:
        HistoryError: One does not.
    """
    columns = scanned.buffer.columns
    rows = len(partner)
    first, outcome = np.zeros(rows + 1, np.int64), np.empty(rows, np.int8)
    wrong = np.empty(rows, np.int64)
    micros = [columns[name] for name in ("access", "micro_key", "micro_value")]
    count, disagreeing = scan_pairs.merge(
        columns["kind"].seen(),
        columns.pop("tag").taken() == 0,
        partner,
        columns.pop("micro_end").taken(),
        *(column.seen() for column in micros),
        first,
        outcome,
        wrong,
    )
    lines = columns["line"].seen()
    bad = np.sort(wrong[:disagreeing])
    problems = [
        Problem(int(lines[row]), 1, disagreement(int(lines[partner[row]])))
        for row in bad[:PROBLEMS_MAX].tolist()
    ]
    scanned.refuse(problems, disagreeing)
    first.resize(count + 1, refcheck=False)
    outcome.resize(count, refcheck=False)
    for column in micros:
        column.size = int(first[-1])
    return first, outcome


class _Values(Sequence[Any]):
    """The whole numbers of a history, then its other values."""

    def __init__(self, numbers: range | NDArray[np.int64], others: Sequence[Any]) -> None:
        self._numbers = numbers
        self._others = others

    def __len__(self) -> int:
        return len(self._numbers) + len(self._others)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = int(index) + (len(self) if index < 0 else 0)
        if place < len(self._numbers):
            return int(self._numbers[place])
        return self._others[place - len(self._numbers)]

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(len(self)))


def _interned(
    value: NDArray[Any], items: NDArray[Any], others: Sequence[Any], valued: Callable[[], Any]
) -> tuple[_Values, NDArray[np.int32], NDArray[np.int32]]:
    """Values, and the columns with their indexes.

    Whole numbers from 0 that lie close are their own indexes.

    Args:
        value: Of micro-operations.
        items: Of lists.
        others: Values that are no whole numbers from 0.
        valued: Gives which of the first column are values; the others number lists.
    """
    count = len(value) + len(items) + 1
    greatest = max(int(column.max(initial=-1)) for column in (value, items))
    if greatest < SPARSE * count:
        numbers: range | Integers = range(greatest + 1)
    else:
        mine = valued() & (value >= 0)
        numbers = np.unique(np.concatenate([value[mine], items[items >= 0]]))
        value[mine] = np.searchsorted(numbers, value[mine])
        items[items >= 0] = np.searchsorted(numbers, items[items >= 0])
    if len(others):
        for column in (value, items):
            other = column <= OTHERS_FROM
            column[other] = len(numbers) + OTHERS_FROM - column[other]
    return (
        _Values(numbers, others),
        narrowed(value),
        narrowed(items),
    )
