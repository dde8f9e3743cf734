from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.history.journal import Journal, read
from testbed.history.operation import Operation, OperationType
from testbed.history.problem import HistoryError

pytestmark = pytest.mark.property

integers = st.integers(-(2**63), 2**63 - 1)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | integers | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
texts = st.none() | st.text(min_size=1)


@st.composite
def operations(draw: st.DrawFn) -> list[Operation]:
    """Well-formed lines: processes that never do two things, and retire after an info."""
    lines: list[Operation] = []
    for process in range(draw(st.integers(0, 4))):
        region = draw(texts)
        for _ in range(draw(st.integers(0, 3))):
            f = draw(st.sampled_from(["add", "read"]))
            time = len(lines)
            lines.append(Operation(time, process, "invoke", f, draw(values), draw(values), region))
            kind: OperationType = draw(st.sampled_from(["ok", "fail", "info"]))
            lines.append(
                Operation(time + 1, process, kind, f, draw(values), node=draw(texts), term=time)
            )
            if kind == "info":
                break
    return lines


@given(operations(), st.data())
def test_any_prefix_of_the_bytes_reads_as_a_prefix_of_the_lines(
    lines: list[Operation], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "h.jsonl"
        with Journal(path) as journal:
            for line in lines:
                journal.append(line)
        whole = path.read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:cut])
        history = read(path)
    kept = [Operation(**{**_fields(line), "index": None}) for line in history]
    assert kept == lines[: len(kept)]
    ended = whole[:cut].count(b"\n")
    # A line that only lacks its newline is whole.
    assert len(kept) - ended == (cut > 0 and whole[cut : cut + 1] == b"\n")


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_a_refusal(noise: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "h.jsonl"
        path.write_bytes(noise)
        with contextlib.suppress(HistoryError):
            read(path).pairs()


def _fields(operation: Operation) -> dict[str, Any]:
    return {name: getattr(operation, name) for name in Operation.__slots__}
