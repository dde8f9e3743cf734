"""Conversion of histories between formats, without loss or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

from testbed.history import edn_entries, jsonl, sessions
from testbed.history.edn import Reader
from testbed.history.edn_atoms import EdnError
from testbed.history.edn_text import same, text_of_entry
from testbed.history.entry import Entry
from testbed.history.pairing import Complaints, Pairing
from testbed.history.problem import Problem
from testbed.history.sessions import SessionTransaction
from testbed.history.sessions_of import EDN_FIELD, LOSSES, sessions_of
from testbed.history.source import Source
from testbed.history.strict_json import dumps

__all__ = ["EDN_FIELD", "LOSSES", "converted"]


def converted(
    source: Source, form: str, target: str, *, without: Collection[str] = ()
) -> Iterator[bytes]:
    """The bytes of a history in another format.

    Args:
        source: The file.
        form: Its format.
        target: The format wanted.
        without: What may get lost, of :data:`LOSSES`.

    Raises:
        HistoryError: The history is malformed.
        LossError: Something would get lost that may not; it is said what.
    """
    complaints = Complaints(source.name)
    if target == "sessions":
        found: Iterable[SessionTransaction]
        if form == "sessions":
            found = sessions.transactions(source)
        else:
            entries = _sound(_entries(source, form, complaints), complaints)
            found = sessions_of(entries, complaints, without)
        yield from _of_sessions(found)
        return
    entries = _sound(_entries(source, form, complaints), complaints)
    for entry in entries:
        if target == "jsonl":
            yield line_of(entry) + b"\n"
        else:
            yield _edn_of(entry, complaints).encode() + b"\n"
    complaints.refuse()


def line_of(entry: Entry) -> bytes:
    """An entry as a line of JSON."""
    document: dict[str, Any] = {"process": entry.process, "type": entry.type, "f": entry.f}
    for name in ("key", "value", "time", "error", "index"):
        value = getattr(entry, name)
        if value is not None or name == "value":
            document[name] = value
    if entry.untimed:
        document["untimed"] = True
    if entry.process is None:
        del document["process"]
    return dumps(document | dict(entry.more))


def _entries(source: Source, form: str, complaints: Complaints) -> Iterator[Entry]:
    if form == "sessions":
        return _of_transactions(sessions.transactions(source))
    if form == "edn":
        return _of_edn(source, complaints)
    return jsonl.entries(source.blocks(), complaints)


def _sound(entries: Iterable[Entry], complaints: Complaints) -> Iterator[Entry]:
    """The entries, of which each process does one thing after the other."""
    pairing = Pairing(complaints)
    for row, entry in enumerate(entries):
        if not entry.of_faults:
            if entry.type == "invoke":
                pairing.invoked(row, entry)
            else:
                pairing.completed(entry)
        yield entry
    complaints.refuse()


def _of_edn(source: Source, complaints: Complaints) -> Iterator[Entry]:
    """The entries of EDN, with their text where JSON would not bring it back."""
    text = edn_entries.text_of(source, complaints)
    for written in edn_entries.written_entries(text or "", complaints):
        entry = written.entry
        if EDN_FIELD in entry.more:
            text = f"expected no field '{EDN_FIELD}': it is for the text of what JSON cannot hold"
            complaints.add(Problem(entry.line, 1, text))
            continue
        plain = jsonl.entry_of_line(line_of(entry), entry.line)
        back = Reader(text_of_entry(plain)).next_value() if isinstance(plain, Entry) else None
        if not same(_filled(written.document), _filled(back)):
            entry = replace(entry, more={**entry.more, EDN_FIELD: written.text})
        yield entry


def _filled(document: Any) -> Any:
    """A map without its empty fields, which mean the same as missing ones."""
    if not isinstance(document, dict):
        return document
    return {name: value for name, value in document.items() if value is not None}


def _edn_of(entry: Entry, complaints: Complaints) -> str:
    """An entry as EDN: the text that it carries if it carries one."""
    text = entry.more.get(EDN_FIELD)
    if text is None:
        return text_of_entry(entry)
    more = {name: value for name, value in entry.more.items() if name != EDN_FIELD}
    bare = replace(entry, more=more)
    if not isinstance(text, str) or _line_of_edn(text) != line_of(bare):
        why = f"expected the field '{EDN_FIELD}' to say what the line says"
        complaints.add(Problem(entry.line, 1, why))
        return ""
    return text


def _line_of_edn(text: str) -> bytes | None:
    aside = Complaints("")
    try:
        found = list(edn_entries.written_entries(f"[{text}]", aside))
    except EdnError:
        return None
    return line_of(found[0].entry) if len(found) == 1 and not aside.total else None


def _of_transactions(found: Iterable[SessionTransaction]) -> Iterator[Entry]:
    """Transactions of sessions as entries that claim no order in time."""
    for number, transaction in enumerate(found):
        asked = [
            [name, key, None if name == "r" else value]
            for name, key, value in transaction.operations
        ]
        line = 2 * number + 1
        session = transaction.session
        yield Entry(line, session, "invoke", "txn", asked, untimed=True)
        kind = "ok" if transaction.committed else "fail"
        yield Entry(line + 1, session, kind, "txn", transaction.operations, untimed=True)


def _of_sessions(found: Iterable[SessionTransaction]) -> Iterator[bytes]:
    """The document of sessions, piece by piece."""
    yield b'{"sessions": ['
    session = -1
    for transaction in found:
        while session < transaction.session:
            yield b"[" if session < 0 else b"],\n["
            session += 1
            first = True
        document = {"committed": transaction.committed, "ops": transaction.operations}
        yield (b"" if first else b",\n ") + dumps(document)
        first = False
    yield b"]]}\n" if session >= 0 else b"]}\n"
