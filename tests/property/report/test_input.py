"""Whatever stands in a run folder: it is read without an error, and never read as a pass."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from testbed.report.folder import read_run
from testbed.report.html import render_html
from testbed.report.judgement import Outcome
from testbed.report.reading import Problem
from testbed.report.story import outcome_of
from testbed.report.verdict_file import parse_judgement
from tests.property.report.strategies import texts

FILES = ("plan.json", "verdict.json", "history.jsonl", "evidence.jsonl", "roles.jsonl")
NAMES = """
    version validity reasons verdicts name promise counterexample numbers measures rto rpo lost
    value availability schedule kind target inject_s links regions nodes environment programs load
    seed time process type f node region shown readings fault phase
"""
KEYS = st.sampled_from(NAMES.split())
json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**62), 2**62),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(["valid", "invoke", "ok", "faults", "primary"]),
        texts.filter(lambda text: not any("\ud800" <= each <= "\udfff" for each in text)),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=10,
)
lines = st.lists(json_values.map(orjson.dumps) | st.binary(max_size=20), max_size=6).map(b"\n".join)


@given(st.dictionaries(KEYS, json_values, max_size=12))
def test_any_object_is_read_as_a_verdict(document: dict[str, Any]) -> None:
    problems: list[Problem] = []
    judged = parse_judgement(document, problems)
    assert (judged.outcome is Outcome.VALID) is (document.get("validity") == "valid")
    assert all(str(problem) for problem in problems)


@given(st.dictionaries(st.sampled_from(FILES), lines, min_size=1))
def test_any_folder_is_read_and_shown(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "plan.json").write_bytes(b"{}")
        for file, content in files.items():
            (folder / file).write_bytes(content)
        run = read_run(folder)
        missing = {file for file in FILES if not (folder / file).exists()}
        assert missing <= {problem.file for problem in run.problems}
        if run.judgement is None:
            assert outcome_of(run) is Outcome.UNKNOWN
        render_html(run)
