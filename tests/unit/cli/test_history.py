"""``testbed history convert``: what it writes and what it refuses."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from testbed.cli.main import main

LINES = (
    '{"process": 0, "type": "invoke", "f": "txn", "value": [["w", "x", 1]], "time": 5}\n'
    '{"process": 0, "type": "ok", "f": "txn", "value": [["w", "x", 1]], "time": 6}\n'
)


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "history.jsonl"
    path.write_text(LINES, encoding="utf-8")
    return path


def test_formats_by_name_and_gzip(lines: Path, tmp_path: Path) -> None:
    packed = tmp_path / "history.edn.gz"
    assert main(["history", "convert", str(lines), str(packed)]) == 0
    text = gzip.decompress(packed.read_bytes()).decode()
    first = "{:process 0, :type :invoke, :f :txn, :value [[:w :x 1]], :time 5}"
    assert text.splitlines()[0] == first
    back = tmp_path / "back.jsonl"
    assert main(["history", "convert", str(packed), str(back)]) == 0
    read = [
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in (lines, back)
    ]
    assert read[0] == read[1]


def test_what_would_get_lost_is_said(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "history.sessions.json"
    words = ["history", "convert", str(lines), str(target)]
    assert main(words) == 64
    err = capsys.readouterr().err
    assert "what happened before what" in err
    assert "--without order,times" in err
    assert not target.exists()
    assert main([*words, "--without", "order,times"]) == 0
    document = json.loads(target.read_text(encoding="utf-8"))
    assert document == {"sessions": [[{"committed": True, "ops": [["w", "x", 1]]}]]}


@pytest.mark.parametrize(
    ("last", "problem"),
    [
        ("", "line 3: sessions hold no transaction whose outcome is not known"),
        ('{"process": 0, "type": "info", "f": "txn"}\n', "line 4: sessions hold no transaction"),
    ],
)
def test_what_never_fits(
    lines: Path, capsys: pytest.CaptureFixture[str], last: str, problem: str
) -> None:
    lines.write_text(LINES + LINES.splitlines(keepends=True)[0] + last, encoding="utf-8")
    assert main(["history", "convert", "--to", "sessions", str(lines), "-"]) == 64
    assert problem in capsys.readouterr().err


def test_what_json_cannot_hold_is_carried_along(tmp_path: Path) -> None:
    edn = tmp_path / "h.edn"
    text = "{:process 0, :type :invoke, :f :add, :value #{1 :a}}"
    edn.write_text(text, encoding="utf-8")
    line, back = tmp_path / "h.jsonl", tmp_path / "back.edn"
    assert main(["history", "convert", str(edn), str(line)]) == 0
    document = json.loads(line.read_text(encoding="utf-8"))
    assert document["value"] == [1, "a"]
    assert document["edn"] == text
    assert main(["history", "convert", str(line), str(back)]) == 0
    assert back.read_text(encoding="utf-8") == text + "\n"
    line.write_text(json.dumps({**document, "value": [2]}), encoding="utf-8")
    assert main(["history", "convert", str(line), str(back)]) == 65


def test_a_malformed_history_leaves_nothing(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines.write_text(LINES + "{", encoding="utf-8")
    target = tmp_path / "h.edn"
    assert main(["history", "convert", str(lines), str(target)]) == 65
    assert f"{lines}:3:2: expected JSON" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.jsonl"]


def test_bad_usage(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "convert", "--without", "sense", "-", "-"]) == 64
    err = capsys.readouterr().err
    assert "'sense'" in err
    assert "--from" in err
    assert "--to" in err
    assert main(["history", "convert", "--to", "edn", "/nowhere.jsonl", "-"]) == 64


def test_an_output_that_cannot_be_written(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder.edn"
    folder.mkdir()
    for output in (tmp_path / "nowhere" / "h.edn", folder):
        assert main(["history", "convert", str(lines), str(output)]) == 64
        assert str(output) in capsys.readouterr().err
