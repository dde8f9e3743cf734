"""Fuzzes the readers of histories: whatever the bytes, a table or a refusal with the place.

Not part of any test run, and atheris is in no lock. With it installed (``pip install atheris``)::

    python tests/fuzz/fuzz_history.py -max_total_time=600 [CORPUS_FOLDER]

All options of libFuzzer hold: ``-runs=N``, ``-timeout=SECONDS`` (a hang is a finding),
``-rss_limit_mb=N`` (so is memory without bound). The first byte of an input chooses the reader, so
a corpus kept in a folder goes on where it ended. A finding is written to ``crash-HASH``; give the
file as the only argument to see it again.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import sys
from pathlib import Path

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["testbed.history"]):
    from testbed.history import edn, edn_atoms, edn_entries, jsonl, sessions  # noqa: F401 - to be watched
    from testbed.history.convert import LOSSES, converted
    from testbed.history.problem import HistoryError
    from testbed.history.reading import read_operations, read_transactions
    from testbed.history.sessions_of import LossError
    from testbed.history.source import Source

from tests.fuzz import seeds

FORMS = ("jsonl", "edn", "sessions")


def read(data: bytes) -> None:
    """Read one input in the way that its first byte says."""
    if not data:
        return
    way, data = data[0], data[1:]
    form = FORMS[way % 3]
    if way & 64:
        data = gzip.compress(data, 1)
    source = Source(io.BytesIO(data), "input")
    with contextlib.suppress(HistoryError, LossError):
        if way & 32:
            target = FORMS[(way >> 2) % 3]
            for _ in converted(source, form, target, without=LOSSES if way & 16 else ()):
                pass
        elif way & 16 or form == "sessions":
            read_transactions(source, form, lists=bool(way & 8))
        else:
            read_operations(source, form, split_values=bool(way & 8))


def main() -> None:
    """Try the seeds in every way, then fuzz."""
    inputs = [
        bytes([way]) + seed
        for way in range(128)
        for seed in (seeds.TRANSACTIONS, seeds.EDN, seeds.NAMED_SESSIONS)
    ]
    for each in inputs:
        read(each)
    seeds.sow(inputs)
    atheris.Setup(sys.argv, read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
