"""``testbed check --params``: each name changes a verdict, what is unknown or wrong is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.checkers.models import MODELS, PARAMS
from testbed.cli.main import main

Call = tuple[int, str, Any, Any]
"""Process, function, what was asked and what came back."""


def one_after_the_other(*calls: Call) -> list[dict[str, Any]]:
    return [
        {"process": process, "type": kind, "f": f, "value": value}
        for process, f, asked, seen in calls
        for kind, value in (("invoke", asked), ("ok", seen))
    ]


def transactions(*each: tuple[int, list[list[Any]]]) -> list[dict[str, Any]]:
    return one_after_the_other(*((process, "txn", micros, micros) for process, micros in each))


def overlapping(*each: tuple[int, list[list[Any]]]) -> list[dict[str, Any]]:
    """The first comes before the others, and they all run at once."""
    lines = transactions(*each)
    return [*lines[:2], *lines[2::2], *lines[3::2]]


def balances(*reads: dict[str, int]) -> list[dict[str, Any]]:
    return one_after_the_other(*((0, "read", None, seen) for seen in reads))


SEEN_AND_MISSED = [["r", "y", 3], ["r", "x", 1]]
"""Of a transaction that wrote both, with the version of x before its own."""
BLIND = [["w", "x", 2], ["w", "y", 3]]
OF_THREE = transactions(
    (0, [["r", "x", 1], ["r", "y", None], ["r", "z", 1]]),
    (1, [["r", "x", 1], ["r", "y", 1], ["r", "z", 1]]),
)
LATE = one_after_the_other((0, "add", 1, 1), (1, "read", None, []), (1, "read", None, [1]))
OF_TWO_SETS = one_after_the_other(
    (0, "add", ["a", 1], ["a", 1]),
    (0, "add", ["b", 2], ["b", 2]),
    (1, "read", ["b", None], ["b", [2]]),
    (1, "read", ["a", None], ["a", [1]]),
)
OF_TWO_REGISTERS = one_after_the_other(
    (0, "write", ["a", 1], ["a", 1]),
    (0, "write", ["b", 2], ["b", 2]),
    (1, "read", ["a", None], ["a", 1]),
)

# Parameter, its value, model, level, history, exit code without it and with it.
CHANGES: list[tuple[str, Any, str, str | None, list[dict[str, Any]], int, int]] = [
    ("total", 12, "bank", None, balances({"a": 5, "b": 5}), 0, 1),
    ("total", 10, "bank", None, balances({"a": 5, "b": 5}), 0, 0),
    ("negative_balances", True, "bank", None, balances({"a": -1, "b": 11}), 1, 0),
    ("negative_balances", False, "bank", None, balances({"a": -1, "b": 11}), 1, 1),
    ("linearizable", True, "set-full", None, LATE, 0, 1),
    ("linearizable", False, "set-full", None, LATE, 0, 0),
    ("group_size", 3, "long-fork", None, OF_THREE, 0, 0),
    ("group_size", 2, "long-fork", None, OF_THREE, 0, 2),
    ("partition_by", "key", "set", None, OF_TWO_SETS, 1, 0),
    ("partition_by", "key", "register", None, OF_TWO_REGISTERS, 1, 0),
    (
        "wfr_keys",
        True,
        "rw-register",
        "serializable",
        overlapping((0, [["w", "x", 1]]), (1, [["r", "x", 1], *BLIND]), (2, SEEN_AND_MISSED)),
        0,
        1,
    ),
    (
        "sequential_keys",
        True,
        "rw-register",
        "serializable",
        overlapping((0, [["w", "x", 1]]), (0, BLIND), (2, SEEN_AND_MISSED)),
        0,
        1,
    ),
    (
        "linearizable_keys",
        True,
        "rw-register",
        "serializable",
        overlapping((0, [["w", "x", 1]]), (1, BLIND), (2, SEEN_AND_MISSED)),
        0,
        1,
    ),
    (
        "transaction_order",
        True,
        "rw-register",
        "serializable",
        overlapping(
            (0, [["w", "x", 1], ["w", "z", 1]]), (1, [["r", "z", 1], *BLIND]), (2, SEEN_AND_MISSED)
        ),
        0,
        1,
    ),
]


@pytest.mark.parametrize(
    ("name", "value", "model", "level", "lines", "without", "with_it"),
    CHANGES,
    ids=[f"{change[2]} {change[0]}={change[1]}" for change in CHANGES],
)
def test_a_parameter_changes_the_verdict(
    name: str,
    value: Any,
    model: str,
    level: str | None,
    lines: list[dict[str, Any]],
    without: int,
    with_it: int,
    tmp_path: Path,
) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    words = ["check", "--model", model, *(["--level", level] if level else []), str(path)]
    assert main(words) == without
    assert main([*words, "--params", json.dumps({name: value})]) == with_it


def test_each_parameter_is_shown_to_change_one() -> None:
    assert {change[0] for change in CHANGES if change[-2] != change[-1]} == set(PARAMS)


WRONG: dict[str, list[Any]] = {
    "total": [1.5, "10", None, True, 2**63],
    "negative_balances": [1, "true", None],
    "linearizable": [0, "no"],
    "group_size": [1, -2, 2.0, "2", True],
    "partition_by": ["process", True, None, ["key"]],
    "linearizable_keys": [1, "x"],
    "sequential_keys": [None],
    "wfr_keys": [["x"]],
    "transaction_order": ["session"],
}


@pytest.mark.parametrize("name", PARAMS)
def test_values_of_a_wrong_type_are_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("", "utf-8")
    model = next(model.name for model in MODELS.values() if name in model.params)
    for value in WRONG[name]:
        words = ["check", "--model", model, "--params", json.dumps({name: value}), str(path)]
        assert main(words) == 64, value
        assert f"testbed check: parameter '{name}': expected " in capsys.readouterr().err


@pytest.mark.parametrize("model", MODELS)
def test_names_that_a_model_does_not_take_are_refused(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("", "utf-8")
    foreign = [name for name in ("colour", *PARAMS) if name not in MODELS[model].params]
    words = ["check", "--model", model, str(path), "--params"]
    assert main([*words, json.dumps(dict.fromkeys(foreign, True))]) == 64
    err = capsys.readouterr().err
    assert all(f"model '{model}' has no parameter '{name}', expected: " in err for name in foreign)
    assert main([*words, "[]"]) == 64
    assert "expected --params as a JSON object" in capsys.readouterr().err
