"""Puts changed code into a module."""

from __future__ import annotations

import gc
import importlib.machinery
from collections.abc import Collection, Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any


def functions_of(modules: Collection[Path]) -> dict[Path, list[FunctionType]]:
    """Every function of some loaded modules, wherever it is kept."""
    found: dict[str, list[FunctionType]] = {str(module): [] for module in modules}
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename in found:
            found[one.__code__.co_filename].append(one)
    return {module: found[str(module)] for module in modules}


def plant_in_functions(functions: list[FunctionType], code: CodeType) -> bool:
    """Give functions of a loaded module their changed code.

    Whoever imported the functions before has them changed too. What ran at import stays.

    Args:
        functions: Those of the module.
        code: The whole module's, changed.

    Returns:
        Whether all could be changed; not where a function needs other variables around it.
    """
    changed = {(one.co_qualname, one.co_firstlineno): one for one in _codes(code)}
    for function in functions:
        old = function.__code__
        new = changed.get((old.co_qualname, old.co_firstlineno))
        if new is not None and new.co_freevars != old.co_freevars:
            return False
        if new is not None:
            function.__code__ = new
    return True


def plant_in_import(module: Path, code: CodeType) -> None:
    """Have the import system take changed code for a module that is not loaded yet."""
    read = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: Any, fullname: str) -> CodeType | None:
        return code if self.path == str(module) else read(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def _codes(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _codes(inner)
