"""Reading of a history of any format into columns: quickly where it is long."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from testbed.history.entry import Entry
from testbed.history.formats import entries_of
from testbed.history.operation_table import OperationTable
from testbed.history.pairing import Complaints
from testbed.history.source import Source
from testbed.history.transaction_table import TransactionTable

Progress = Callable[[int], None]
"""Called now and then with the number of lines that were read."""


def read_operations(
    source: Source, form: str, *, split_values: bool = False, progress: Progress | None = None
) -> OperationTable:
    """The single operations of a file.

    Args:
        source: The file.
        form: ``jsonl`` or ``edn``.
        split_values: Whether a value ``[key, value]`` of an entry without a key says both.
        progress: Called now and then.

    Raises:
        HistoryError: The history is malformed.
    """
    complaints = Complaints(source.name)
    entries, blocks = _opened(source, form, complaints)
    if blocks is not None:
        # Late, and only for long files: it has to be compiled once.
        from testbed.history import scanned_tables  # noqa: PLC0415

        return scanned_tables.operations(
            blocks, complaints, split_values=split_values, progress=progress
        )
    from testbed.history.operations_of import operations_of  # noqa: PLC0415

    return operations_of(entries, complaints, split_values=split_values, progress=progress)


def read_transactions(
    source: Source, form: str, *, lists: bool, progress: Progress | None = None
) -> TransactionTable:
    """The transactions of a file.

    Args:
        source: The file.
        form: ``jsonl``, ``edn`` or ``sessions``.
        lists: Whether reads see lists.
        progress: Called now and then.

    Raises:
        HistoryError: The history is malformed.
    """
    if form == "sessions":
        from testbed.history import sessions  # noqa: PLC0415

        return sessions.table_of(source)
    complaints = Complaints(source.name)
    entries, blocks = _opened(source, form, complaints)
    if blocks is not None:
        from testbed.history import scanned_tables  # noqa: PLC0415

        return scanned_tables.transactions(blocks, complaints, lists=lists, progress=progress)
    from testbed.history.transactions_of import transactions_of  # noqa: PLC0415

    return transactions_of(entries, complaints, lists=lists, progress=progress)


def _opened(
    source: Source, form: str, complaints: Complaints
) -> tuple[Iterator[Entry], Iterator[bytes] | None]:
    """The entries of a file; for one that is worth scanning its blocks."""
    if form != "jsonl":
        return entries_of(source, form, complaints), None
    from testbed.history import jsonl  # noqa: PLC0415

    blocks = source.blocks()
    first = next(blocks, b"")
    again = _again([first], blocks)
    if jsonl.worth_scanning(first):
        return iter(()), again
    return jsonl.entries(again, complaints), None


def _again(first: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    """All blocks, without keeping the first."""
    yield first.pop()
    yield from rest
