"""The small changes that a piece of code can suffer, by kind.

Kinds: ``comparison`` (turned round, and its boundary moved), ``boolean``, ``condition`` (negated),
``arithmetic``, ``constant``, ``choice`` (``min`` for ``max``, ``any`` for ``all``), ``removed`` (a
statement), ``verdict`` (another answer). Texts are no code and are left alone, but for a text that
is compared with: those are the names of operations and outcomes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
_CHOICES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "minimum": "maximum",
    "maximum": "minimum",
}
_VERDICTS = {
    "VALID": ("VIOLATION", "UNKNOWN"),
    "VIOLATION": ("VALID", "UNKNOWN"),
    "UNKNOWN": ("VALID", "VIOLATION"),
}


@dataclass(frozen=True)
class Edit:
    """One change of one field of a node.

    Args:
        kind: What is changed.
        owner: The node.
        field: The name of its field.
        index: The place in that field, if it is a list.
        new: What stands there instead.
    """

    kind: str
    owner: ast.AST
    field: str
    index: int | None
    new: Any

    @property
    def held(self) -> Any:
        """What stands there before."""
        held = getattr(self.owner, self.field)
        return held if self.index is None else held[self.index]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Make the change for as long as the block runs."""
        held = getattr(self.owner, self.field)
        if self.index is None:
            setattr(self.owner, self.field, self.new)
        else:
            setattr(
                self.owner, self.field, [*held[: self.index], self.new, *held[self.index + 1 :]]
            )
        try:
            yield
        finally:
            setattr(self.owner, self.field, held)


def edits_of(node: ast.AST, parent: ast.AST | None) -> Iterator[Edit]:
    """Every change of one node that is no change of a node below it."""
    match node:
        case ast.Compare():
            yield from _of_comparison(node)
        case ast.BoolOp(op=op):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield Edit("boolean", node, "op", None, other)
        case ast.BinOp(op=op) | ast.AugAssign(op=op):
            if (swapped := _ARITHMETIC.get(type(op))) and not _joins_texts(node):
                yield Edit("arithmetic", node, "op", None, swapped())
        case ast.Constant(value=value):
            yield from _of_constant(node, value, parent)
        case ast.Name(id=name) if name in _CHOICES:
            yield Edit("choice", node, "id", None, _CHOICES[name])
        case ast.Attribute(attr=name) if name in _CHOICES:
            yield Edit("choice", node, "attr", None, _CHOICES[name])
        case ast.Attribute(attr=name, value=ast.Name(id="Validity")) if name in _VERDICTS:
            for other_name in _VERDICTS[name]:
                yield Edit("verdict", node, "attr", None, other_name)
    yield from _of_conditions(node)
    yield from _of_statements(node)


def _of_comparison(node: ast.Compare) -> Iterator[Edit]:
    for index, op in enumerate(node.ops):
        for other in _COMPARISONS[type(op)]:
            yield Edit("comparison", node, "ops", index, other())
    for index, side in enumerate(node.comparators):
        if isinstance(side, ast.Constant) and isinstance(side.value, str):
            yield Edit("constant", node, "comparators", index, ast.Constant(f"{side.value}?"))


def _of_constant(node: ast.Constant, value: Any, parent: ast.AST | None) -> Iterator[Edit]:
    # ``x or 0`` only tells the type checker that there is an x; ``[:20]`` bounds what is shown.
    if isinstance(parent, ast.Slice) or (isinstance(parent, ast.BoolOp) and value == 0):
        return
    if isinstance(value, bool):
        yield Edit("constant", node, "value", None, not value)
    elif isinstance(value, int | float):
        # A limit of 2500 moved by one says nothing, nor does another million for a unit.
        yield Edit("constant", node, "value", None, value + 1 if abs(value) < 100 else value * 2)
        if value == 1 and not isinstance(parent, ast.UnaryOp):
            yield Edit("constant", node, "value", None, 0)


def _of_conditions(node: ast.AST) -> Iterator[Edit]:
    """Negate what decides alone; comparisons have changes of their own."""
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield from _negated(node, "test", None, node.test)
    if isinstance(node, ast.comprehension):
        for index, test in enumerate(node.ifs):
            yield from _negated(node, "ifs", index, test)
    if isinstance(node, ast.BoolOp):
        for index, test in enumerate(node.values):
            yield from _negated(node, "values", index, test)


def _negated(owner: ast.AST, field: str, index: int | None, test: ast.expr) -> Iterator[Edit]:
    if isinstance(test, ast.Compare | ast.BoolOp | ast.Constant):
        return
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield Edit("condition", owner, field, index, test.operand)
        return
    yield Edit("condition", owner, field, index, ast.UnaryOp(ast.Not(), test))


def _of_statements(node: ast.AST) -> Iterator[Edit]:
    for field in ("body", "orelse", "finalbody"):
        block = getattr(node, field, None)
        if not isinstance(block, list) or isinstance(node, ast.Module | ast.ClassDef):
            continue
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for index, statement in enumerate(block):
            # The end of a function returns nothing anyway, or its return is its whole purpose.
            last = is_function and index == len(block) - 1
            if _is_removable(statement) and not (last and isinstance(statement, ast.Return)):
                yield Edit("removed", node, field, index, ast.Pass())


def _is_removable(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant()):
            return False
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Return() | ast.Continue():
            return True
        case ast.Break() | ast.Delete():
            return True
        case ast.Assign(targets=targets):
            return any(isinstance(target, ast.Subscript | ast.Attribute) for target in targets)
    return False


def _joins_texts(node: ast.BinOp | ast.AugAssign) -> bool:
    sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in sides
    )
