"""A loop has another number exactly when it, or what it names, is another."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest

from testbed.checkers.kernel import Kernel
from testbed.history.loop import Loop
from testbed.history.loop_digest import loop_digest

SOURCE = """
from enum import IntEnum
import numpy as np
STEP = 2
UNUSED = 3
class Kind(IntEnum):
    OK = 1
class Loop:
    def __init__(self, plain, **options):
        self.plain, self.options = plain, options
@Loop
def inner(value):
    return value + STEP
def loop(values):
    total = np.int64(0)
    for value in values:
        total += inner(value) * (value != Kind.OK)
    return total
"""


def digest(*changes: tuple[str, str], **options: Any) -> str:
    """Of the loop, after some changes of its source."""
    source = SOURCE
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    names: dict[str, Any] = {"__name__": "module"}
    exec(source, names)
    return loop_digest(names["loop"], options)


@pytest.mark.parametrize(
    "change",
    [
        ("inner(value) *", "inner(value) +"),
        ("np.int64(0)", "np.int64(1)"),
        ("value + STEP", "value - STEP"),
        ("STEP = 2", "STEP = 4"),
        ("STEP = 2", "STEP = 2.0"),
        ("OK = 1", "OK = 2"),
        ("@Loop", "@lambda plain: Loop(plain, inline='always')"),
    ],
)
def test_what_is_compiled_in_counts(change: tuple[str, str]) -> None:
    assert digest(change) != digest()


def test_options_count() -> None:
    assert digest(nogil=True) != digest()


@pytest.mark.parametrize(
    "change",
    [("UNUSED = 3", "UNUSED = 4"), ("STEP = 2", "# why\n\nSTEP = 2"), ("OK = 1", "OK = 1  # well")],
)
def test_nothing_else_does(change: tuple[str, str]) -> None:
    assert digest(change) == digest()


def test_loops_may_call_themselves_and_each_other() -> None:
    circle = ("value + STEP", "value + STEP if value < 9 else loop(value - 1)")
    assert digest(circle) not in {digest(), digest(circle, ("STEP = 2", "STEP = 4"))}


@pytest.mark.parametrize("unclear", ["[1]", "__import__('os')", "object()"])
def test_what_has_no_number_is_refused(unclear: str) -> None:
    with pytest.raises(TypeError, match="can name constants, loops and numpy"):
        digest(("STEP = 2", f"STEP = {unclear}"))


def test_every_loop_of_ours_has_one() -> None:
    found: dict[Any, tuple[str, str]] = {}
    for floor in ("checkers", "history", "measures", "probes"):
        package = importlib.import_module(f"testbed.{floor}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            loops: dict[str, Any] = vars(importlib.import_module(module.name))
            for name, loop in loops.items():
                if isinstance(loop, (Loop, Kernel)):
                    plain: Any = loop.plain
                    found[loop] = (name, loop_digest(plain, {}))
    assert len(found) > 100
    assert len({number for _, number in found.values()}) == len(found)
