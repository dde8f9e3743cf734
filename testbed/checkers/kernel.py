"""A loop over arrays that runs as plain Python on small histories and compiled on large ones.

Compiling takes longer than judging a few thousand operations, and a compiled loop is some hundred
times faster than a plain one. A kernel is one function for both: nothing is written
twice, and what the tests try in Python is what runs compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, ParamSpec, TypeVar

from testbed.history.loop import Loop

COMPILED_FROM = 50_000
"""From so many rows on a loop is worth compiling."""

P = ParamSpec("P")
R = TypeVar("R")


class Kernel(Generic[P, R]):
    """A function of arrays and numbers in the part of Python that numba compiles.

    It may call other kernels by their global names, with the same arguments as in Python: compiled
    it calls them compiled. It raises nothing, prints nothing, and returns numbers, arrays or tuples
    of them; a search returns after a bounded number of steps so that budgets hold.

    Args:
        plain: The function.
    """

    def __init__(self, plain: Callable[P, R], **options: Any) -> None:
        self.plain = plain
        self.options = options
        self.__doc__ = plain.__doc__
        self.__name__ = plain.__name__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run it as plain Python; how one kernel calls another."""
        return self.plain(*args, **kwargs)

    def for_rows(self, rows: int) -> Callable[P, R]:
        """The function to call for so many rows: plain for few, compiled for many."""
        return self.plain if rows < COMPILED_FROM else self.compiled

    @cached_property
    def compiled(self) -> Callable[P, R]:
        """The compiled function; what was compiled once is loaded from the disk.

        It releases the interpreter's lock, so that a budget can end it.
        """
        compiled: Any = self.loop
        return compiled  # type: ignore[no-any-return]

    @cached_property
    def loop(self) -> Loop:
        """The same, as what may be part of other loops."""
        return Loop(self.plain, **self.options)

    @property
    def dispatcher(self) -> Any:
        """What the compiler knows it as."""
        return self.loop.dispatcher


def kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Make a kernel of a function."""
    return Kernel(function)


def lean_kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Make a kernel of a function that makes no arrays, and of which all callees are like it.

    Then nobody counts who uses each array: between small functions that costs more than their work.
    """
    return Kernel(function, _nrt=False)
