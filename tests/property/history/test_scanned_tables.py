"""The compiled scanner and the ordinary reader make the same of the same bytes."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.history import jsonl, scanned_tables
from testbed.history.operations_of import operations_of
from testbed.history.pairing import Complaints
from testbed.history.problem import HistoryError
from testbed.history.transactions_of import transactions_of
from tests.tables_seen import operations_seen, outcome_of, transactions_seen

INTEGERS = st.one_of(
    st.integers(-3, 5), st.sampled_from([10**17, 10**18, -(10**18), 2**63, 2**64, -(2**63)])
)
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [1.5, 1.0, True, False, "a", "", "ä", 'q"', "\\", {"a": 1}, [[1]], ["x", None]]
)
VALUES = st.one_of(
    st.none(), INTEGERS, st.lists(st.one_of(st.none(), st.integers(-2, 9)), max_size=4), ODD
)
KEYS = st.one_of(st.none(), st.integers(0, 3), st.sampled_from(["x", "y", "1", 2.0, [1, 2]]))


@st.composite
def operation_lines(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A history that is mostly sound."""
    lines: list[dict[str, Any]] = []
    pending: dict[Any, dict[str, Any]] = {}
    groups: list[list[Any]] = [[0, 1, 2], [5, 100_000, "p"], [0, "nemesis"], [3]]
    processes = draw(st.sampled_from(groups))
    keyed = draw(st.booleans())
    for step in range(draw(st.integers(0, 12))):
        process = draw(st.sampled_from(processes))
        begun = pending.pop(process, None)
        if begun is None:
            line = {"process": process, "type": "invoke", "f": draw(st.sampled_from("abc"))}
            if keyed:
                line["key"] = draw(KEYS)
            pending[process] = line
        else:
            kind = draw(st.sampled_from(["ok", "ok", "ok", "fail", "info"]))
            line = {"process": process, "type": kind, "f": begun["f"]}
            if kind != "ok":
                line["error"] = draw(st.sampled_from(["late", "ä", ["x", 1], None]))
        line["value"] = draw(VALUES)
        if draw(st.booleans()):
            line["time"] = step
        lines.append(line)
    if draw(st.booleans()):
        for index, line in enumerate(lines):
            line["index"] = index
    return lines


@st.composite
def transaction_lines(draw: st.DrawFn, lists: bool) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    pending: dict[int, list[Any]] = {}
    element = st.one_of(st.integers(0, 9), st.sampled_from([10**12, "v", -1, 1.5]))
    seen = st.one_of(st.none(), st.lists(element, max_size=3) if lists else element)
    untimed = draw(st.booleans())
    for _ in range(draw(st.integers(0, 10))):
        process = draw(st.integers(0, 2))
        if process in pending:
            asked = pending.pop(process)
            kind = draw(st.sampled_from(["ok", "ok", "fail", "info"]))
            value: Any = [
                [name, key, draw(seen) if name == "r" else what] for name, key, what in asked
            ]
            if kind != "ok" and draw(st.booleans()):
                value = None
        else:
            kind = "invoke"
            value = []
            for _ in range(draw(st.integers(0, 3))):
                write = draw(st.booleans())
                name = ("append" if lists else "w") if write else "r"
                key = draw(st.sampled_from([0, 1, "x", "y"]))
                value.append([name, key, draw(element) if write else None])
            pending[process] = value
        line = {"process": process, "type": kind, "f": "txn", "value": value}
        lines.append({**line, "untimed": True} if untimed else line)
    return lines


def written(draw: Any, lines: list[dict[str, Any]]) -> bytes:
    """The bytes of lines, sometimes with blanks, in another order of fields, or damaged."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    style = draw(st.sampled_from(["compact", "blanks", "damaged"]))
    texts = []
    for line in lines:
        fields = list(line.items())
        chance.shuffle(fields)
        separators = (",", ":") if style == "compact" else (" ,\t", ": ")
        texts.append(json.dumps(dict(fields), separators=separators, ensure_ascii=False))
    end = draw(st.sampled_from(["\n", "\r\n", "\n\n"]))
    data = bytearray((end.join(texts) + draw(st.sampled_from(["", end]))).encode())
    if style == "damaged" and data:
        for _ in range(draw(st.integers(1, 3))):
            place = chance.randrange(len(data))
            data[place] = chance.choice(b'{}[]",:0123456789-abc\xff\n \x00eE.tn')
    return bytes(data)


def blocks_of(data: bytes, draw: Any) -> list[bytes]:
    """The bytes in one block, or a line a block."""
    return data.splitlines(keepends=True) if draw(st.booleans()) and b"\r" not in data else [data]


def test_what_is_wrong_with_lines_and_with_all_of_them_is_said_together() -> None:
    text = b'{"process":0,"type":"invoke","f":"write","value":1,"untimed":true}\n'
    complaints = Complaints("h")
    with pytest.raises(HistoryError) as slowly:
        operations_of(jsonl.entries([text], complaints), complaints, split_values=True)
    with pytest.raises(HistoryError) as quickly:
        scanned_tables.operations([text], Complaints("h"), split_values=True)
    assert str(quickly.value) == str(slowly.value)
    assert len(quickly.value.problems) == 2


@pytest.mark.filterwarnings("ignore:overflow encountered")  # as wanted: numbers of 64 bits
@pytest.mark.parametrize("plain", ["0", "1"])
def test_a_key_below_zero_is_a_key(monkeypatch: pytest.MonkeyPatch, plain: str) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", plain)
    text = b'{"process":0,"type":"invoke","f":"write","value":[-11,-2]}\n'
    table = scanned_tables.operations([text], Complaints("h"), split_values=True)
    assert list(table.keys) == [-11]
    assert table.value(0) == -2


@given(st.data())
def test_operations(data: st.DataObject) -> None:
    text = written(data.draw, data.draw(operation_lines()))
    split = data.draw(st.booleans())
    blocks = blocks_of(text, data.draw)
    if text.lstrip()[:1] == b"[":
        return

    def slowly() -> Any:
        complaints = Complaints("h")
        entries = jsonl.entries([text], complaints)
        return operations_seen(operations_of(entries, complaints, split_values=split))

    def quickly() -> Any:
        table = scanned_tables.operations(blocks, Complaints("h"), split_values=split)
        return operations_seen(table)

    assert outcome_of(quickly) == outcome_of(slowly)


@pytest.mark.parametrize("lists", [True, False])
@given(data=st.data())
def test_transactions(lists: bool, data: st.DataObject) -> None:
    text = written(data.draw, data.draw(transaction_lines(lists)))
    blocks = blocks_of(text, data.draw)
    if text.lstrip()[:1] == b"[":
        return

    def slowly() -> Any:
        complaints = Complaints("h")
        entries = jsonl.entries([text], complaints)
        return transactions_seen(transactions_of(entries, complaints, lists=lists), lists)

    def quickly() -> Any:
        table = scanned_tables.transactions(blocks, Complaints("h"), lists=lists)
        assert table.value.dtype == table.list_items.dtype == np.int32
        return transactions_seen(table, lists)

    assert outcome_of(quickly) == outcome_of(slowly)
