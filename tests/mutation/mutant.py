"""A mutant: one small change of a module, planted to see whether a test goes red."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

from tests.mutation.edits import Edit, edits_of

LONGEST_SHOWN = 88
"""So many characters of code around a change are shown at most."""

LONGEST_CUT = 140
"""A change in a longer piece shows only its beginning."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_HIDDEN = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.match_case | ast.Match


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    Args:
        function: The qualified name of the function or class around it; empty for the module's own.
        kind: What was changed: ``comparison``, ``constant`` and so on.
        before: The code around the change, on one line.
        after: The same, changed.
        again: How many mutants of the same function and text stand before it.
        lines: The first and last line of the statement around it; None where it runs at import.
        shared: Whether it is a constant of the module or a class, which others may import.
        number: Its place among the module's mutants.
    """

    function: str
    kind: str
    before: str
    after: str
    again: int
    lines: tuple[int, int] | None
    shared: bool
    number: int

    @property
    def name(self) -> str:
        """What it is called in the list of reasons: no line numbers, they move."""
        nth = f" ({self.again + 1})" if self.again else ""
        return f"{self.function or '<module>'}: {self.before} -> {self.after}{nth}"


@dataclass(frozen=True)
class _Site:
    """Where a change stands.

    Args:
        parents: The nodes around it, outermost first; the last is the changed one.
    """

    parents: tuple[ast.AST, ...]

    @property
    def function(self) -> str:
        """The qualified name of what surrounds it."""
        named = (node for node in self.parents if isinstance(node, (*_FUNCTIONS, ast.ClassDef)))
        return ".".join(node.name for node in named)

    @property
    def lines(self) -> tuple[int, int] | None:
        """The lines of its statement: for a compound one those of its head."""
        inside = [node for node in self.parents if isinstance(node, _FUNCTIONS)]
        statement = next(node for node in reversed(self.parents) if isinstance(node, ast.stmt))
        if not inside or statement is inside[-1]:
            return None
        body = getattr(statement, "body", None)
        last = body[0].lineno - 1 if body else statement.end_lineno or statement.lineno
        return statement.lineno, max(last, statement.lineno)

    @property
    def shared(self) -> bool:
        """Whether it stands in no function."""
        return not any(isinstance(node, _FUNCTIONS) for node in self.parents)

    def text(self) -> str:
        """The code around it on one line, as much of it as is still short."""
        shown = _text(self.parents[-1])
        for node in reversed(self.parents):
            text = _text(node)
            if isinstance(node, ast.mod | _HIDDEN) or len(text) > LONGEST_SHOWN:
                break
            shown = text
            if isinstance(node, ast.stmt):
                break
        return shown[:LONGEST_CUT]


def mutants_of(path: Path) -> list[Mutant]:
    """Every mutant of a module, in the order of its text."""
    found: list[Mutant] = []
    seen: dict[tuple[str, str, str], int] = {}
    for number, (site, edit) in enumerate(_changes(ast.parse(path.read_bytes()))):
        before = site.text()
        with edit.applied():
            after = "pass" if edit.kind == "removed" else site.text()
        key = (site.function, before, after)
        seen[key] = seen.get(key, -1) + 1
        text = (site.function, edit.kind, before, after, seen[key])
        found.append(Mutant(*text, site.lines, site.shared, number))
    return found


def mutated(path: Path, mutant: Mutant) -> CodeType:
    """The code of the module with the change in it."""
    tree = ast.parse(path.read_bytes())
    for number, (_, edit) in enumerate(_changes(tree)):
        if number == mutant.number:
            with edit.applied():
                changed = ast.fix_missing_locations(tree)
                return compile(changed, str(path), "exec", dont_inherit=True)
    raise LookupError(f"{path} has no mutant {mutant.number}")


def _changes(tree: ast.Module) -> Iterator[tuple[_Site, Edit]]:
    stack: list[tuple[ast.AST, ...]] = [(tree,)]
    while stack:
        around = stack.pop()
        for edit in edits_of(around[-1], around[-2] if len(around) > 1 else None):
            removed = (edit.held,) if isinstance(edit.held, ast.stmt) else ()
            yield _Site((*around, *removed)), edit
        stack.extend([(*around, child) for child in _mutated_below(around[-1])][::-1])


def _mutated_below(node: ast.AST) -> Iterator[ast.AST]:
    """What lies below a node, without what is only wording or never runs.

    Texts for people are no verdict: neither formatted ones nor those of what is raised (that it is
    raised is mutated).
    """
    if isinstance(node, ast.Raise | ast.JoinedStr):
        return
    for field, value in ast.iter_fields(node):
        if field not in ("annotation", "returns", "decorator_list", "ctx", "op", "ops"):
            yield from (each for each in _listed(value) if isinstance(each, ast.AST))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.If | ast.While):
        return f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
    if isinstance(node, ast.For):
        return f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}"
    return " ".join(ast.unparse(node).split())
