"""The formats that a history may be written in, and how to tell them by the name of a file."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.history.entry import Entry
from testbed.history.pairing import Complaints
from testbed.history.source import Source

FORMATS = ("jsonl", "sessions", "edn")

_ENDINGS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".edn": "edn"}


def format_by_name(path: str) -> str | None:
    """The format that a file's name speaks for; None if it speaks for none."""
    name = path.removesuffix(".gz")
    if name.endswith(".sessions.json"):
        return "sessions"
    for ending, form in _ENDINGS.items():
        if name.endswith(ending):
            return form
    return None


def entries_of(source: Source, form: str, complaints: Complaints) -> Iterator[Entry]:
    """The entries of a file of a format that has them.

    Raises:
        HistoryError: The file cannot be read on; other problems go to the complaints.
    """
    if form == "edn":
        from testbed.history import edn_entries  # noqa: PLC0415 - only where it is needed

        return edn_entries.entries(source, complaints)
    from testbed.history import jsonl  # noqa: PLC0415 - only where it is needed

    return jsonl.entries(source.blocks(), complaints)
