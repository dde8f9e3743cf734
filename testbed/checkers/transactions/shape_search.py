"""One kind of circle in one graph: the shortest, as transactions and reasons."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.checkers.budget import Budget
from testbed.checkers.transactions.anomaly import split_form
from testbed.checkers.transactions.circle import FAR, Paths, shortest_circle
from testbed.checkers.transactions.cycles import Core
from testbed.checkers.transactions.graph import Edge
from testbed.checkers.transactions.ground import Ground, circular, mutual, with_one_missed
from testbed.checkers.transactions.shapes import FORM_KINDS, SPECIAL, Shape
from testbed.checkers.transactions.steps import Steps


@dataclass(frozen=True)
class Cycle:
    """A witness: transactions in a circle, each before the next, the last before the first.

    Args:
        anomaly: Canonical name, one of Adya's or Elle's.
        special: Canonical name of the special case of it that this is; the same without one.
        rows: Rows of the :class:`TransactionTable`; helpers are left out.
        kinds: ``kinds[i]`` says why ``rows[i]`` comes before the next one; never ``JOIN``.
    """

    anomaly: str
    special: str
    rows: tuple[int, ...]
    kinds: tuple[Edge, ...]


def find_shape(core: Core, shape: Shape, form: str, budget: Budget) -> tuple[Cycle | None, bool]:
    """One anomaly: its shortest circle, or None and whether the search gave up."""
    longest = FAR if shape.longest == 1 and form == "-process" else shape.longest
    ground = _ground(core, shape, form)
    steps, seeds, back = ground.steps, ground.seeds, ground.back
    if len(seeds) == 0:
        return None, False
    joins = steps.kind[back] == Edge.JOIN
    paths = Paths(steps.nodes, steps.source[back], steps.target[back], joins, ground.rank)
    ends = (steps.source[seeds], steps.target[seeds])
    circle = shortest_circle(paths, ends, budget, longest=longest, certain=shape.certain)
    if circle.seed < 0:
        return None, circle.exhausted
    used = [int(seeds[circle.seed]), *(int(back[edge]) for edge in circle.path)]
    return cycle_of(core, steps, shape.anomaly + form, used), False


def _ground(core: Core, shape: Shape, form: str) -> Ground:
    """Where the circles of a shape are looked for."""
    form_kinds = FORM_KINDS[form]
    if shape.certain:
        after = (*shape.after, *form_kinds) if shape.after else ()
        return circular(core, shape.seed, (*shape.ways, *form_kinds), after)
    if shape.seed in shape.ways:
        return mutual(core, shape.seed)
    if shape.longest == 1 and form:
        return with_one_missed(core, form_kinds[-1:])
    return with_one_missed(core, (*shape.ways, *form_kinds))


def cycle_of(core: Core, steps: Steps, anomaly: str, used: list[int]) -> Cycle:
    """Transactions and reasons of a circle of edges; a way through one session is one step."""
    rows: list[int] = []
    kinds: list[Edge] = []
    for edge in used:
        kind = Edge(int(steps.kind[edge]))
        if kind == Edge.JOIN or (kind == Edge.PROCESS and kinds and kinds[-1] == Edge.PROCESS):
            continue
        rows.append(int(core.original[steps.source[edge] % core.nodes]))
        kinds.append(kind)
    name, form = split_form(anomaly)
    if name in {"write-skew", "G-update"}:
        name = "G2-item"
    elif name in SPECIAL:
        name = "G-single" if kinds.count(Edge.RW) == 1 else "G-nonadjacent"
    return Cycle(name + form, anomaly, tuple(rows), tuple(kinds))
