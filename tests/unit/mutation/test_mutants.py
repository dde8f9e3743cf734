"""The driver that plants changes finds a hole in tests where there is one, and none where not."""

from __future__ import annotations

import ast
from pathlib import Path
from types import FunctionType

import pytest

from tests.mutation.child import in_child
from tests.mutation.edits import edits_of
from tests.mutation.mutant import mutants_of, mutated
from tests.mutation.planting import plant_in_functions
from tests.mutation.reach import Reach
from tests.mutation.reasons import Reasons

SOURCE = '''
"""At most this is no text of code."""
LIMIT = 3

def judge(reads: list[int], strict: bool = False) -> str:
    """Whether any read is too large."""
    if not reads and strict:
        return "unknown"
    for read in reads:
        if read > LIMIT:
            return f"{read + 1} is too large"
    return "valid"
'''


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "module.py"
    path.write_text(SOURCE)
    return path


def test_every_kind_of_change_is_named_by_its_text_and_wording_is_left_alone(module: Path) -> None:
    assert {f"{mutant.kind}: {mutant.name}" for mutant in mutants_of(module)} == {
        "constant: <module>: LIMIT = 3 -> LIMIT = 4",
        (
            "constant: judge: reads: list[int], strict: bool=False -> "
            "reads: list[int], strict: bool=True"
        ),
        "boolean: judge: if not reads and strict -> if not reads or strict",
        "condition: judge: if not reads and strict -> if reads and strict",
        "condition: judge: if not reads and strict -> if not reads and (not strict)",
        "removed: judge: return 'unknown' -> pass",
        "comparison: judge: if read > LIMIT -> if read >= LIMIT",
        "comparison: judge: if read > LIMIT -> if read <= LIMIT",
        "removed: judge: return f'{read + 1} is too large' -> pass",
    }


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("a + b", {"a - b"}),
        ("a | b", {"a & b"}),
        ("'x' + b", set()),
        ("a is None", {"a is not None"}),
        ("a == 'ok'", {"a != 'ok'", "a == 'ok?'"}),
        ("0 <= a < b", {"0 < a < b", "0 > a < b", "0 <= a <= b", "0 <= a >= b"}),
        ("max(a)", {"min(a)"}),
        ("Validity.UNKNOWN", {"Validity.VALID", "Validity.VIOLATION"}),
        ("a or 0", {"a and 0", "not a or 0"}),
        ("b if a else c", {"b if not a else c"}),
    ],
)
def test_the_changes_of_one_expression(code: str, changed: set[str]) -> None:
    node = ast.parse(code, mode="eval").body
    found = set()
    for edit in edits_of(node, None):
        with edit.applied():
            found.add(ast.unparse(node))
    for name in [inner for inner in ast.walk(node) if isinstance(inner, ast.Name)]:
        for edit in edits_of(name, node):
            with edit.applied():
                found.add(ast.unparse(node))
    assert found == changed
    assert ast.unparse(node) == code


def test_a_constant_of_the_module_may_be_imported_by_anyone(module: Path) -> None:
    shared = {mutant.name for mutant in mutants_of(module) if mutant.shared}
    assert shared == {"<module>: LIMIT = 3 -> LIMIT = 4"}


def test_a_planted_change_reaches_who_imported_the_function_before(module: Path) -> None:
    space: dict[str, object] = {}
    exec(compile(SOURCE, str(module), "exec"), space)
    judge = space["judge"]
    assert isinstance(judge, FunctionType)
    at_the_limit = {}
    for mutant in mutants_of(module):
        code = judge.__code__
        plant_in_functions([judge], mutated(module, mutant))
        at_the_limit[mutant.after] = judge([3])
        judge.__code__ = code
    assert at_the_limit["if read >= LIMIT"] == "4 is too large"
    assert at_the_limit["if not reads or strict"] == "valid"


def test_the_tests_of_a_line_are_those_that_ran_it_the_quickest_first() -> None:
    reach = Reach(frozenset({"a", "b"}))
    reach.lines = {"slow": {"a": [1, 5]}, "quick": {"a": [5], "b": [2]}, "other": {"b": [5]}}
    reach.took_s = {"slow": 2.0, "quick": 1.0, "other": 0.5}
    assert reach.tests_of("a", (4, 6)) == ["quick", "slow"]
    assert reach.tests_of("a", (2, 4)) == []
    assert reach.tests_of("a", None) == ["quick", "slow"]
    assert reach.tests_of(None, None) == ["other", "quick", "slow"]


def test_a_child_answers_raises_or_is_ended() -> None:
    def hang() -> None:
        while True:
            pass

    assert in_child(lambda: {"a": [1]}, 5) == {"a": [1]}
    assert in_child(lambda: 1 // 0, 5) == "ZeroDivisionError('integer division or modulo by zero')"
    assert in_child(hang, 0) is None


def test_a_reason_is_of_a_known_sort_and_says_something(tmp_path: Path) -> None:
    listed = tmp_path / "survivors.toml"
    listed.write_text('["checkers/bank".equivalent]\n"check: a -> b" = "the same by any input"\n')
    reasons = Reasons.read(listed)
    assert reasons.of("checkers/bank", "check: a -> b") == "equivalent"
    assert reasons.of("checkers/bank", "check: a -> c") is None
    assert reasons.unknown("checkers/bank", {"check: a -> c"}) == ["check: a -> b"]
    for text in ('[a.lazy]\n"b" = "c"\n', '[a.speed]\n"b" = ""\n'):
        listed.write_text(text)
        with pytest.raises(ValueError, match="expected reasons"):
            Reasons.read(listed)
