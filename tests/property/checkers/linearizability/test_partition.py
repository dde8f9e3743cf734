"""A history split by key: what each part holds, and what follows from the answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.partition import SHOWN_KEYS_MAX, check_by_key
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.operation_table import OperationTable
from testbed.history.problem import HistoryError
from tests.columns import table_of

Line = dict[str, Any]


@st.composite
def histories(draw: st.DrawFn) -> list[Line]:
    """Operations of three clients that overlap; every line says its key, or completions do not."""
    says = draw(st.booleans())
    timed = draw(st.booleans())
    pending: dict[int, Line] = {}
    lines: list[Line] = []
    for number in range(draw(st.integers(0, 14))):
        process = draw(st.integers(0, 2))
        begun = pending.pop(process, None)
        line: Line = {"process": process}
        if begun is None:
            line |= {"type": "invoke", "f": draw(st.sampled_from("rw")), "value": number}
            line["key"] = draw(st.sampled_from(["a", 7, [1]]))
            pending[process] = line
        else:
            line |= {"type": draw(st.sampled_from(["ok", "fail", "info"])), "f": begun["f"]}
            line |= {"value": -number, "key": begun["key"] if says else None}
            line |= {"error": "no"} if draw(st.booleans()) else {}
        lines.append(line | ({"time": 10 * number} if timed else {}))
    return lines


def key_of(lines: list[Line], at: int) -> Any:
    """The key of a line: its own, or that of its invocation."""
    mine = [line for line in lines[: at + 1] if line["process"] == lines[at]["process"]]
    return mine[-1]["key"] if mine[-1]["key"] is not None else mine[-2]["key"]


def plain(table: OperationTable) -> list[tuple[Any, ...]]:
    """Every row of a table, its partner included."""
    return [
        (
            table.process_names[table.process[row]],
            int(table.kind[row]),
            table.functions[table.f[row]],
            table.value(row),
            None if table.time_ns is None else int(table.time_ns[row]),
            table.errors.get(row),
            int(table.partner[row]),
            int(table.line[row]),
        )
        for row in range(len(table))
    ]


@given(histories(), st.data())
def test_each_part_is_the_history_of_one_key(lines: list[Line], data: Any) -> None:
    whole = table_of(lines)
    whole.errors.update({at: line["error"] for at, line in enumerate(lines) if "error" in line})
    keys = [key_of(lines, at) for at in range(len(lines))]
    names = sorted({str(key) for key in keys})
    answers = {name: data.draw(st.sampled_from(list(Validity))) for name in names}
    seen: dict[str, OperationTable] = {}
    asked = Request()

    def check(history: OperationTable, request: Request) -> Verdict:
        name = str(whole.keys[int(history.key[0])])
        seen[name] = history
        assert request is asked
        return Verdict("m", "p", answers[name], f"as {name}", ({"shown": name},))

    verdict = check_by_key(check, whole, asked)
    assert sorted(seen) == names
    expected = plain(whole)
    for name, part in seen.items():
        mine = [at for at, key in enumerate(keys) if str(key) == name]
        places = {row: place for place, row in enumerate(mine)} | {-1: -1}
        assert plain(part) == [
            (*expected[at][:6], places[expected[at][6]], expected[at][7]) for at in mine
        ]
    worst = [Validity.VIOLATION, Validity.UNKNOWN, Validity.VALID]
    found = [each for each in worst if each in answers.values()]
    assert verdict.validity == (found[0] if found else Validity.UNKNOWN)
    bad = [name for name in map(str, whole.keys) if answers[name] == verdict.validity]
    assert [each["shown"] for each in verdict.counterexample] == bad[:SHOWN_KEYS_MAX]
    assert [str(each["key"]) for each in verdict.counterexample] == bad[:SHOWN_KEYS_MAX]
    if bad and verdict.validity != Validity.VALID:
        assert f"as {bad[0]}" in verdict.reason
        assert verdict.reason.startswith(f"{len(bad)} of {len(names)} keys")
    assert verdict.numbers.get("keys", 0) == len(names)


@given(histories())
def test_an_operation_without_a_key_is_refused_with_its_place(lines: list[Line]) -> None:
    whole = table_of(lines)
    invoked = [at for at, line in enumerate(lines) if line["type"] == "invoke"]
    for at in invoked[::2]:
        whole.key[at] = -1
    if not invoked:
        return
    with pytest.raises(HistoryError) as refused:
        check_by_key(lambda *_: Verdict("m", "p", Validity.VALID, ""), whole, Request())
    assert refused.value.total == len(invoked[::2])
    assert [problem.line for problem in refused.value.problems] == [
        int(whole.line[at]) for at in invoked[::2]
    ]
    assert {problem.column for problem in refused.value.problems} == {1}


def test_how_far_it_came_is_noted() -> None:
    lines = [
        {"process": key, "type": "invoke", "f": "r", "value": None, "key": key} for key in range(3)
    ]
    request = Request()
    notes: list[str] = []

    def check(history: OperationTable, request: Request) -> Verdict:
        assert len(history) == 1
        notes.append(request.budget.reached)
        return Verdict("m", "p", Validity.VALID, "")

    check_by_key(check, table_of(lines), request)
    assert notes == [f"{number} of 3 keys were judged" for number in range(3)]
