"""Recorded histories of other projects over registers, with the verdicts that they state."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from testbed.checkers.request import Request
from testbed.checkers.transactions import rw_register, rw_unique
from testbed.checkers.verdict import Validity
from tests.transaction_tables import table_of

HISTORIES = Path(
    os.environ.get("TESTBED_HISTORIES", Path(__file__).parents[5] / "shared" / "histories")
)


def cases(suite: str, model: str) -> list[Any]:
    manifest = HISTORIES / "manifest.jsonl"
    if not manifest.is_file():
        reason = "the recorded histories are not here: name their folder in TESTBED_HISTORIES"
        return [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=reason))]
    found = [json.loads(line) for line in manifest.read_text().splitlines()]
    return [
        pytest.param(case, id=case["id"])
        for case in found
        if (case["suite"], case["model"]) == (suite, model)
    ]


def sessions(text: str) -> list[dict[str, Any]]:
    """Sessions are split by lines of ``=``, transactions by lines of ``-``."""
    return [
        {"process": process, "ops": [(name, int(key), int(value)) for name, key, value in ops]}
        for process, session in enumerate(text.split("="))
        for transaction in session.split("-")
        if (ops := [line.split() for line in transaction.splitlines() if line.strip()])
    ]


@pytest.mark.parametrize("case", cases("awdit", "rw-register-unique-writes"))
def test_awdit_and_this_agree_on_every_level(case: dict[str, Any]) -> None:
    history = table_of(sessions((HISTORIES / case["path"]).read_text()), timed=False, lists=False)
    for level, expected in case["expected"].items():
        verdict = rw_unique.check(history, Request(levels=(level,)))
        assert verdict.validity == (Validity.VALID if expected else Validity.VIOLATION), level
        assert bool(verdict.counterexample) != expected


@pytest.mark.parametrize("case", cases("elle-cli", "rw-register"))
def test_elle_and_this_agree(case: dict[str, Any]) -> None:
    if not case["path"].endswith(".json"):
        pytest.skip("the same history as JSON is judged beside it")
    completions = [
        each for each in json.loads((HISTORIES / case["path"]).read_text()) if each["type"] == "ok"
    ]
    history = table_of(
        [{"process": each["process"], "ops": each["value"]} for each in completions], lists=False
    )
    verdict = rw_register.check(history, Request())
    assert (verdict.validity == Validity.VALID) == case["expected"]["valid?"]
