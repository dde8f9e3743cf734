"""The format ``sessions``: transactions of registers by session, without times."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from testbed.history.entry import shown
from testbed.history.jsonl import QUICK_FROM_BYTES
from testbed.history.pairing import Complaints
from testbed.history.problem import Problem
from testbed.history.quick_sessions import quick_table
from testbed.history.session_bounds import refuse_long
from testbed.history.source import Source
from testbed.history.strict_json import JsonError, line_and_column, loads, place
from testbed.history.transaction_table import Outcome, TransactionTable
from testbed.history.transactions_of import TransactionBuilder

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class SessionTransaction:
    """One transaction of a session.

    Args:
        session: Number of the session, from 0.
        committed: Whether it took effect; else it surely did not.
        operations: ``[function, key, value]`` each.
    """

    session: int
    committed: bool
    operations: list[list[Any]]


def table_of(source: Source) -> TransactionTable:
    """The transactions of a file; what a transaction that did not commit read is not kept.

    Raises:
        HistoryError: It is not as the format wants it.
    """
    data = _read(source)
    if len(data) >= QUICK_FROM_BYTES:
        # Late, and only for long files: it has to be compiled once.
        from testbed.history.scanned_sessions import scanned_table  # noqa: PLC0415

        scanned = scanned_table(data, source.name)
        if scanned is not None:
            return scanned
    with _without_collection():
        document = _loaded(data, source)
        quick = quick_table(document, source.name)
    return slow_table(document, data, source.name) if quick is None else quick


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Keep the collector from walking a million new lists again and again: none is a circle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def slow_table(document: Any, data: bytes, name: str) -> TransactionTable:
    """The table of any document, an operation at a time.

    Raises:
        HistoryError: It is not as the format wants it.
    """
    builder = TransactionBuilder(Complaints(name), lists=False)
    for transaction in _sound(document, data, name):
        outcome = Outcome.OK if transaction.committed else Outcome.FAIL
        # The whole file may be one line: no line of it says where a transaction stands.
        builder.add(transaction.session, 0, outcome, transaction.operations)
    return builder.table(timed=False)


def transactions(source: Source) -> list[SessionTransaction]:
    """The transactions of a file, session by session.

    Raises:
        HistoryError: With everything that is not as the format wants it.
    """
    data = _read(source)
    return _sound(_loaded(data, source), data, source.name)


def _read(source: Source) -> bytes:
    """The file, of which no piece is too long."""
    data = source.whole()
    refuse_long(data, source.name)
    return data


def _loaded(data: bytes, source: Source) -> Any:
    """The parsed file."""
    try:
        return loads(data)
    except JsonError as error:
        raise source.refused(error.problem()) from error


def _sound(document: Any, data: bytes, name: str) -> list[SessionTransaction]:
    """The transactions of a document, or everything that is wrong with it."""
    complaints = Complaints(name)
    found = []
    text: str | None = None
    for item in _walk(document):
        if isinstance(item, SessionTransaction):
            found.append(item)
            continue
        if complaints.total < len(complaints.first) + 1:  # only what is listed needs its place
            text = data.decode() if text is None else text
            line, column = line_and_column(text, place(text, item[0]))
            complaints.add(Problem(line, column, item[1]))
        else:
            complaints.total += 1
    complaints.refuse()
    return found


def _walk(document: Any) -> Iterator[SessionTransaction | tuple[Path, str]]:
    """Transactions, and what is wrong with the path to it."""
    if not isinstance(document, dict) or not isinstance(document.get("sessions"), list):
        yield (), 'expected an object {"sessions": [...]}'
        return
    for name in document:
        if name != "sessions":
            yield (name,), f"unknown field '{name[:40]}', expected 'sessions' alone"
    for number, session in enumerate(document["sessions"]):
        path: Path = ("sessions", number)
        if not isinstance(session, list):
            yield path, f"expected a session as a list of transactions, not {shown(session)}"
            continue
        for order, transaction in enumerate(session):
            yield from _transaction(number, transaction, (*path, order))


def _transaction(
    session: int, document: Any, path: Path
) -> Iterator[SessionTransaction | tuple[Path, str]]:
    if not isinstance(document, dict):
        yield path, f"expected a transaction as an object, not {shown(document)}"
        return
    sound = True
    for name in document:
        if name not in ("committed", "ops"):
            sound = False
            yield (*path, name), f"unknown field '{name[:40]}', expected 'committed' and 'ops'"
    if not isinstance(document.get("committed"), bool):
        sound = False
        shown_value = shown(document.get("committed"))
        yield (*path, "committed"), f"expected 'committed' as true or false, not {shown_value}"
    operations = document.get("ops")
    if not isinstance(operations, list):
        yield (*path, "ops"), f"expected 'ops' as a list, not {shown(operations)}"
        return
    for number, operation in enumerate(operations):
        trouble = _trouble(operation)
        if trouble:
            sound = False
            yield (*path, "ops", number), trouble
    if sound:
        yield SessionTransaction(session, document["committed"], operations)


def _trouble(operation: Any) -> str | None:
    if not isinstance(operation, list) or len(operation) != 3:
        return f'expected ["r" or "w", key, value], not {shown(operation)}'
    if operation[0] not in ("r", "w"):
        return f"expected 'r' or 'w', not {shown(operation[0])}"
    if operation[1] is None:
        return "expected a key, not null"
    if operation[0] == "w" and operation[2] is None:
        return "expected the value that was written, not null"
    return None
