"""Whatever the bytes, a history is read or refused with the place: nothing else happens."""

from __future__ import annotations

import gzip
import io
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.history import scanned_tables
from testbed.history.convert import converted
from testbed.history.edn import NESTING_MAX
from testbed.history.pairing import Complaints
from testbed.history.problem import HistoryError
from testbed.history.reading import read_operations, read_transactions
from testbed.history.source import Source

LINES = b"""{"process":0,"type":"invoke","f":"txn","value":[["append","x",1],["r","y",null]]}
{"process":0,"type":"ok","f":"txn","value":[["append","x",1],["r","y",[1,2]]],"time":5}
{"process":1,"type":"invoke","f":"w","key":3,"value":[1,null]}
{"process":1,"type":"info","f":"w","value":"\\u00e4\xc3\xa4","error":"late"}
"""
EDN = b"""; a comment
[{:process 0, :type :invoke, :f :txn, :value [[:append :x 1] [:r "y" nil]] :index 1}
 {:process 0 :type :ok :f :txn :value [[:append :x 1] [:r "y" (1 2)]], :time 5N}
 #jepsen.history.Op{:process 1 :type :invoke :f :w :value #{1 2.5 1/2} :more #inst "2020"}
 #_ {:discarded true} [1 :info :w {1 \\a} "late"]]
"""
SESSIONS = b"""{"sessions": [[{"committed": true, "ops": [["r", 1, null], ["w", "x", 2]]}],
 [{"committed": false, "ops": []}]]}
"""
FILES = {"jsonl": LINES, "edn": EDN, "sessions": SESSIONS}
BITS = [b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"\n", b"0", b"-", b"#", b"null", b"\xff"]
BITS += [
    b"\x00",
    b"\xed\xa0\x80",
    b"1e999",
    b"NaN",
    b"[" * 300,
    b"9" * 40,
    b"#_",
    b"'",
    b"\xef\xbb\xbf",
]


def damaged(data: bytes, seed: int) -> bytes:
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice([0, 0, 1, 1, 5, 100]))
        data = data[:start] + chance.choice([b"", *BITS]) + data[end:]
    return data[: chance.choice([len(data), chance.randrange(len(data) + 1)])]


def read_every_way(data: bytes, form: str) -> None:
    def source() -> Source:
        return Source(io.BytesIO(data), "h")

    ways: list[Any] = [
        lambda lists=lists: read_transactions(source(), form, lists=lists)
        for lists in (True, False)
    ]
    if form != "sessions":
        ways += [
            lambda split=split: read_operations(source(), form, split_values=split)
            for split in (True, False)
        ]
    if form == "jsonl":
        ways.append(lambda: scanned_tables.operations([data], Complaints("h")))
        ways.append(lambda: scanned_tables.transactions([data], Complaints("h"), lists=True))
    ways.append(lambda: list(converted(source(), form, "edn")))
    refusals = []
    for way in ways:
        try:
            way()
        except HistoryError as error:
            refusals.append(error)
    assert all(problem.expected for error in refusals for problem in error.problems)
    assert all(error.problems for error in refusals)


@pytest.mark.parametrize("form", list(FILES))
@given(seed=st.integers(0, 2**48))
def test_damaged_files(form: str, seed: int) -> None:
    read_every_way(damaged(FILES[form], seed), form)


@pytest.mark.parametrize("form", list(FILES))
@given(data=st.binary(max_size=60))
def test_any_bytes(form: str, data: bytes) -> None:
    read_every_way(data, form)


@pytest.mark.parametrize("form", list(FILES))
@given(seed=st.integers(0, 2**48))
def test_damaged_gzip_streams(form: str, seed: int) -> None:
    read_every_way(damaged(gzip.compress(FILES[form]), seed), form)


@pytest.mark.parametrize(
    ("form", "text"), [("jsonl", "["), ("edn", "["), ("edn", "{:a "), ("edn", "#a "), ("edn", "#_")]
)
@given(depth=st.sampled_from([NESTING_MAX - 1, NESTING_MAX + 1, 1025, 100_000]))
def test_deep_nesting(form: str, text: str, depth: int) -> None:
    read_every_way(text.encode() * depth, form)
    read_every_way(b'{"value": ' * depth, "jsonl")
