"""Values in counterexamples: short ones whole, long ones bounded, with how much there was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.brief import PLAIN_ITEMS_MAX, bounded, brief
from testbed.cli.main import main

names = st.text(max_size=8)
short = st.recursive(
    st.none() | st.booleans() | st.integers() | names,
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(names, inner, max_size=12),
    max_leaves=30,
)
ITEMS = 50_000


@given(value=short)
def test_what_is_short_is_told_whole(value: Any) -> None:
    assert json.loads(brief(value)) == value
    assert bounded(value) == value


@given(value=short, count=st.integers(200, 5000))
def test_what_is_long_is_bounded_and_counted(value: Any, count: int) -> None:
    several = [0, value] * count
    assert brief(several).endswith(f", ... {2 * count} in all]")
    assert len(bounded(several)) == PLAIN_ITEMS_MAX + 1
    assert bounded(several)[-1] == f"... {2 * count} in all"
    text = "x" * (25 * count)
    assert len(brief(text)) < 400
    assert f"{25 * count} characters in all" in brief(text)
    assert len(bounded(text)) < 4100
    named = {str(number): number for number in range(count)}
    assert len(brief(named)) < 400
    assert brief(named).endswith(f"... {count} in all}}")


def test_operations_are_kept_whole() -> None:
    operations = [{"line": number, "value": [1] * 500} for number in range(300)]
    kept = bounded({"operations": operations})["operations"]
    assert len(kept) == 300
    assert all(len(one["value"]) == PLAIN_ITEMS_MAX + 1 for one in kept)


LONG = list(range(ITEMS))
HISTORIES: dict[str, list[tuple[str, Any, Any]]] = {
    "register": [("write", LONG, LONG), ("read", None, LONG[1:])],
    "cas-register": [("write", LONG, LONG), ("read", None, LONG[1:])],
    "set": [("add", ITEMS + 1, ITEMS + 1), ("read", None, LONG)],
    "set-full": [("add", ITEMS + 1, ITEMS + 1), ("read", None, LONG)],
    # Every element of the drain is strange: the list must not be made anew for each of them.
    "total-queue": [("enqueue", 0, 0), ("drain", None, LONG)],
    "list-append": [
        ("txn", [["append", 1, 7]], [["append", 1, 7]]),
        ("txn", [["r", 1, None]], [["r", 1, LONG]]),
    ],
}


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize("model", HISTORIES)
def test_a_violation_of_a_huge_read_is_told_in_a_few_lines(tmp_path, capsys, model, form) -> None:
    path = tmp_path / "history.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for f, asked, got in HISTORIES[model]:
            for kind, value in (("invoke", asked), ("ok", got)):
                line = {"process": 0, "type": kind, "f": f, "value": value}
                file.write(json.dumps(line) + "\n")
    assert main(["check", "--model", model, *form, str(path)]) == 1
    told = capsys.readouterr().out
    assert len(told) < 15_000
    if form:
        json.loads(told)
