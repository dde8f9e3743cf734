"""Compiled loops: the same results as plain, and no compiler where one has compiled before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from testbed.history.argument_words import kind_of
from testbed.history.loop import Loop, LoopCall
from testbed.history.object_code import kept_code

ROOT = Path(__file__).parents[3]


class Pair(NamedTuple):
    """Two arrays."""

    one: Any
    other: Any


def _twice(value: int) -> int:
    return 2 * value


def _mixed(pair: Any, many: Any, by: int, part: float, flag: bool) -> Any:
    for at in range(len(pair.one)):
        pair.other[at] = twice(pair.one[at]) + by
    made = np.arange(by) + many[0, 1]
    return made[1:], flag, part / 2, pair.one.sum(), (many[1, 0], np.uint8(200)), many


def _too_much(size: int) -> int:
    return len(np.empty(size, np.int64))


twice = Loop(_twice, lambda: Path(os.environ["LOOPS"]))
mixed = Loop(_mixed, lambda: Path(os.environ["LOOPS"]))
too_much = Loop(_too_much, lambda: Path(os.environ["LOOPS"]))


def results() -> Any:
    """What the loop says of the same arguments, and what it wrote."""
    pair = Pair(np.array([1, 2, 3], np.int32), np.zeros(3, np.int64))
    many = np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3))[:, ::2]
    many.flags.writeable = False
    return pair.other, mixed(pair, many, 4, 0.5, True)


@pytest.fixture(scope="module")
def loops(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("loops")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOOPS", str(folder))
        patch.setenv("NUMBA_DISABLE_JIT", "0")
        yield folder


def other_process(said: str) -> str:
    """What a process of its own says that takes what is kept."""
    program = "import sys; from tests.unit.history.test_loop import results, twice; "
    program += f"print({said}); print('numba' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return run.stdout + run.stderr


def test_results_are_those_of_the_plain_function(loops: Path) -> None:
    wrote, (made, flag, part, total, (small, unsigned), many) = results()
    assert wrote.tolist() == [6, 8, 10]
    assert (made.tolist(), made.dtype) == ([3, 4, 5], np.int64)
    assert (flag, part, total, small, unsigned) == (True, 0.25, 6, 3, 200)
    assert (many.tolist(), many.dtype) == ([[0, 2], [3, 5]], np.int16)
    assert type(flag) is bool


def test_what_was_compiled_once_needs_no_compiler(loops: Path) -> None:
    here = results()
    assert other_process("results()") == f"{here}\nFalse\n"


def test_damaged_code_is_compiled_again(loops: Path) -> None:
    twice(4)
    (path,) = loops.glob("_twice_*.code")
    path.write_bytes(path.read_bytes()[:-100] + bytes(100))
    assert kept_code(path) is None
    assert other_process("twice(4)") == "8\nTrue\n"
    assert kept_code(path) is not None


def test_want_of_memory_is_told(loops: Path) -> None:
    with pytest.raises(MemoryError):
        too_much(2**58)


def test_a_result_outlives_its_call(loops: Path) -> None:
    kept = [results()[1][0] for _ in range(1000)]
    assert all(one.tolist() == [3, 4, 5] for one in kept)


def test_a_call_sees_what_has_changed_between_two(loops: Path) -> None:
    call = LoopCall(mixed)
    pair = Pair(np.array([1, 2, 3], np.int32), np.zeros(3, np.int64))
    wide = np.asfortranarray(np.arange(12, dtype=np.int16).reshape(2, 6) // 2)
    many, more = wide[:, ::2], (wide + np.int16(1))[:, ::2]  # of a kind that is compiled already
    for one in (wide, many, more):
        one.flags.writeable = False
    assert call(pair, many, 4, 0.5, True)[0].tolist() == [2, 3, 4]
    assert call(pair, many, 3, 0.5, True)[0].tolist() == [2, 3]
    assert pair.other.tolist() == [5, 7, 9]
    assert call(pair, more, 3, 1.5, False)[:3][1:] == (False, 0.75)
    other = Pair(np.array([5], np.int32), np.zeros(1, np.int64))
    call(other, many, 3, 0.5, True)
    assert other.other.tolist() == [13]


def test_kinds_tell_apart_what_the_same_code_cannot_take() -> None:
    array = np.zeros((2, 3), np.int64)
    alike = [array, array.astype(np.int32), array[0], array.T, array[:, ::2], 1, 1.0, True]
    frozen = array.copy()
    frozen.flags.writeable = False
    kinds = {kind_of(value) for value in [*alike, frozen, (array,), (1, 2), np.int32(1)]}
    assert len(kinds) == len(alike) + 4
    with pytest.raises(TypeError):
        kind_of("text")
