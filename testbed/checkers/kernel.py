"""A loop over arrays that runs as plain Python on small histories and compiled on large ones.

Loading the compiler takes longer than judging a few thousand operations, and a compiled loop is
some hundred times faster than a plain one. A kernel is one function for both: nothing is written
twice, and what the tests try in Python is what runs compiled.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

from testbed.history.compiled_folder import compiled_folder

COMPILED_FROM = 50_000
"""From so many rows on a loop is worth compiling."""

PACKAGES = ("checkers", "history", "measures")
"""The packages that hold kernels, and the constants that are compiled into them."""

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

    def __init__(self, plain: Callable[P, R]) -> None:
        self.plain = plain
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
        numba = _compiler()
        function = self.plain
        assert isinstance(function, types.FunctionType)
        inner = {
            name: value.compiled if isinstance(value, Kernel) else value
            for name in function.__code__.co_names
            if (value := function.__globals__.get(name)) is not None and value is not self
        }
        bound = types.FunctionType(
            function.__code__,
            {**function.__globals__, **inner},
            function.__name__,
            function.__defaults__,
            function.__closure__,
        )
        bound.__module__ = function.__module__
        bound.__qualname__ = function.__qualname__
        compiled: Any = numba.njit(bound, cache=True, nogil=True)
        return compiled  # type: ignore[no-any-return]


def kernel_sources() -> list[Path]:
    """Every file that may hold a kernel."""
    package = Path(__file__).resolve().parent.parent
    return [path for name in PACKAGES for path in (package / name).rglob("*.py")]


@cache
def _compiler() -> Any:
    """The compiler, told where to keep what it compiles."""
    # Half a second that small histories need not pay.
    import numba  # noqa: PLC0415

    config: Any = numba.config
    config.CACHE_DIR = str(compiled_folder("kernels", kernel_sources()))
    return numba


def kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Make a kernel of a function."""
    return Kernel(function)
