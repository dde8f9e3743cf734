"""Files of lines of a run folder: read whole, or refused with the line that is damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.runner.folder import FolderError, read_lines

OBJECTS = st.lists(st.dictionaries(st.text(), st.integers(0, 9) | st.text()), max_size=5)


def written(folder: Path, text: str) -> Path:
    path = folder / "looks.jsonl"
    path.write_text(text)
    return path


@given(objects=OBJECTS, cut=st.integers(0, 20))
def test_a_last_line_that_was_cut_off_is_left_out(
    tmp_path_factory: pytest.TempPathFactory, objects: list[dict[str, object]], cut: int
) -> None:
    whole = "".join(json.dumps(each) + "\n" for each in objects)
    path = written(tmp_path_factory.mktemp("lines"), whole + '{"time": 1, "cut": "o'[:cut])
    assert list(read_lines(path, dict)) == objects


def test_no_file_has_no_lines(tmp_path: Path) -> None:
    assert list(read_lines(tmp_path / "looks.jsonl", dict)) == []


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"cannot be read: Is a directory"):
        list(read_lines(tmp_path, dict))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "empty document"),
        ("[1]", "no JSON object"),
        ('{"time": NaN}', "unexpected character"),
        ("{}", "no 'time'"),
        ('{"time": "late"}', "invalid literal"),
        ('{"time": []}', "must be a string"),
    ],
)
def test_a_damaged_line_is_named_and_why(tmp_path: Path, line: str, problem: str) -> None:
    path = written(tmp_path, f'{{"time": 1}}\n{line}\n{{"time": 2}}\n')
    found = read_lines(path, lambda document: int(document["time"]))
    assert next(found) == 1
    with pytest.raises(FolderError, match=rf"looks\.jsonl:2: damaged: .*{problem}"):
        next(found)
