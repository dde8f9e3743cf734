"""Fuzzes the compiled scanners: of the same bytes they make what the ordinary readers make.

The same table, or the same refusal. Machine code cannot be watched for what an input reaches, so
each input is read three times: by the ordinary reader, by the scanner as plain Python, which is
watched and whose arrays refuse a place outside of them, and by the scanner as machine code.

Not part of any test run, and atheris is in no lock. With it installed (``pip install atheris``)::

    python tests/fuzz/fuzz_scanners.py -dict=tests/fuzz/history.dict -max_total_time=1200 [FOLDER]

Options and findings as of ``fuzz_history.py``. The first byte of an input chooses what is read.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

sys.path.insert(0, str(Path(__file__).parents[2]))


class Readers:
    """The readers as they are imported now."""

    def __init__(self) -> None:
        self.jsonl = self._module("jsonl")
        self.operations_of = self._module("operations_of").operations_of
        self.transactions_of = self._module("transactions_of").transactions_of
        self.scanned_tables = self._module("scanned_tables")
        self.scanned_sessions = self._module("scanned_sessions")
        self.slow_table = self._module("sessions").slow_table
        self.loads = self._module("strict_json").loads
        self.complaints = self._module("pairing").Complaints
        problem = self._module("problem")
        self.refusals = (problem.HistoryError, self._module("strict_json").JsonError)

    @staticmethod
    def _module(name: str) -> Any:
        return importlib.import_module(f"testbed.history.{name}")


compiled = Readers()
for name in [name for name in sys.modules if name.partition(".")[0] == "testbed"]:
    del sys.modules[name]
with atheris.instrument_imports(include=["testbed.history"]):
    watched = Readers()

from tests.fuzz import seeds  # noqa: E402
from tests.tables_seen import operations_seen, sessions_seen, transactions_seen  # noqa: E402

OPERATIONS, SPLIT, LISTS, REGISTERS, SESSIONS = range(5)
BY_LINES = 8


def ordinary(way: int, data: bytes) -> Any:
    """What the ordinary reader says."""
    if way == SESSIONS:
        return sessions_seen(watched.slow_table(watched.loads(data), data, "h"))
    complaints = watched.complaints("h")
    entries = watched.jsonl.entries([data], complaints)
    if way in (OPERATIONS, SPLIT):
        split = way == SPLIT
        return operations_seen(watched.operations_of(entries, complaints, split_values=split))
    lists = way == LISTS
    return transactions_seen(watched.transactions_of(entries, complaints, lists=lists), lists)


def scanned(readers: Readers, way: int, blocks: list[bytes]) -> Any:
    """What the scanner says; None where it leaves the file to the ordinary reader."""
    if way == SESSIONS:
        table = readers.scanned_sessions.scanned_table(b"".join(blocks), "h")
        return None if table is None else sessions_seen(table)
    complaints, tables = readers.complaints("h"), readers.scanned_tables
    if way in (OPERATIONS, SPLIT):
        return operations_seen(tables.operations(blocks, complaints, split_values=way == SPLIT))
    lists = way == LISTS
    return transactions_seen(tables.transactions(blocks, complaints, lists=lists), lists)


def outcome(readers: Readers, read: Any, *arguments: Any) -> Any:
    """What is read, or the text of the refusal."""
    try:
        return read(*arguments)
    except readers.refusals as error:
        return str(error)


def compare(data: bytes) -> None:
    """Read one input in each way."""
    if not data:
        return
    way, by_lines, data = data[0] % 8, data[0] & BY_LINES, data[1:]
    if way > SESSIONS or data.lstrip()[:1] == b"[":
        return  # an array of operations is no file for the scanner
    lines = by_lines and b"\r" not in data and way != SESSIONS
    blocks = data.splitlines(keepends=True) if lines else [data]
    expected = outcome(watched, ordinary, way, data)
    for readers, plain in ((watched, "1"), (compiled, "0")):
        os.environ["NUMBA_DISABLE_JIT"] = plain
        found = outcome(readers, scanned, readers, way, blocks)
        if way == SESSIONS and found is None:
            continue
        assert repr(found) == repr(expected), f"plain {plain}: {found!r}, expected {expected!r}"


def main() -> None:
    """Try the seeds in every way, then fuzz."""
    warnings.simplefilter("ignore", RuntimeWarning)  # plain numbers of 64 bits that overflow
    inputs = [
        bytes([way]) + seed
        for way in range(16)
        if way % 8 <= SESSIONS
        for seed in (seeds.OPERATIONS, seeds.LISTS, seeds.UNTIMED, seeds.SESSIONS)
    ]
    for each in inputs:
        compare(each)
    seeds.sow(inputs)
    atheris.Setup(sys.argv, compare)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
