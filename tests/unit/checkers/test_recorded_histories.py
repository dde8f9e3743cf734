"""Histories that other projects recorded, with verdicts that are known."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from testbed.cli.main import main

_CHECKOUT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("TESTBED_HISTORIES", _CHECKOUT.parent / "shared" / "histories"))
MANIFEST = FOLDER / "manifest.jsonl"

NOTHING_COMPLETED = frozenset(
    f"knossos/cas-register/good/mongodb-v0-ack-rollback-{number}.edn"
    for number in ("", "9", "10", "11")
)
"""Histories in which no operation was ok: they contradict nothing and show nothing."""

pytestmark = pytest.mark.skipif(
    not MANIFEST.is_file(),
    reason="no recorded histories: set TESTBED_HISTORIES to the folder with manifest.jsonl",
)


def cases() -> list[dict[str, Any]]:
    if not MANIFEST.is_file():
        return []
    return [json.loads(line) for line in MANIFEST.read_text(encoding="utf-8").splitlines()]


def of_suites(*suites: str) -> Any:
    chosen = [case for case in cases() if case["suite"] in suites]
    return pytest.mark.parametrize("case", chosen, ids=[case["id"] for case in chosen])


def words_of(case: dict[str, Any]) -> list[str]:
    """The command line of a case of Jepsen's or Elle's terms."""
    form = "edn" if "edn" in case["format"] else "jsonl"
    words = ["check", "--model", case["model"], "--format", form]
    params = case.get("params") or {}
    if "init" in params:
        words += ["--init", json.dumps(params["init"])]
    options = params.get("cli", [])
    if "--consistency-models" in options:
        words += ["--level", options[options.index("--consistency-models") + 1]]
    if "--group-size" in options:
        size = int(options[options.index("--group-size") + 1])
        words += ["--params", json.dumps({"group_size": size})]
    return words


@of_suites("knossos", "elle-cli")
def test_of_operations_and_transactions(
    case: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([*words_of(case), str(FOLDER / case["path"])])
    out, err = capsys.readouterr()
    (valid,) = case["expected"].values()
    expected = 2 if case["id"] in NOTHING_COMPLETED else 0 if valid else 1
    assert code == expected, out + err


def sessions_of(text: str) -> dict[str, Any]:
    """AWDIT's text: sessions end with a line of ``=``, transactions with one of ``-``."""
    sessions: list[list[dict[str, Any]]] = [[]]
    ops: list[list[Any]] = []

    def end_transaction() -> None:
        if ops:
            sessions[-1].append({"committed": True, "ops": [list(op) for op in ops]})
            ops.clear()

    for line in text.splitlines():
        if line.startswith(("-", "=")):
            end_transaction()
            if line.startswith("="):
                sessions.append([])
        elif line.strip():
            name, key, value = line.split()
            ops.append([name, int(key), int(value)])
    end_transaction()
    return {"sessions": sessions}


@pytest.mark.parametrize("level", ["read-committed", "read-atomic", "causal"])
@of_suites("awdit")
def test_of_sessions(
    case: dict[str, Any], level: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = tmp_path / "history.json"
    text = (FOLDER / case["path"]).read_text(encoding="utf-8")
    history.write_text(json.dumps(sessions_of(text)), encoding="utf-8")
    words = ["check", "--model", case["model"], "--level", level, "--format", "sessions"]
    code = main([*words, str(history)])
    out, err = capsys.readouterr()
    assert code == (0 if case["expected"][level] else 1), out + err
