"""From the anomalies that were found to the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.checkers.counted import counted
from testbed.checkers.request import Request
from testbed.checkers.transactions import anomaly, level
from testbed.checkers.transactions.classify import Cycles
from testbed.checkers.transactions.explain import ExplainEdge, cycle_shown, finding_shown
from testbed.checkers.transactions.finding import Finding
from testbed.checkers.transactions.graph import Edge
from testbed.checkers.transactions.shape_search import Cycle
from testbed.checkers.verdict import Levels, Validity, Verdict
from testbed.history.transaction_table import TransactionTable

NOT_SOUGHT = "is not looked for"


@dataclass(frozen=True)
class Examined:
    """What a checker of transactions found in a history.

    Args:
        model: Name of the model.
        findings: Anomalies that are no cycles, one for each name.
        cycles: The classified cycles.
        dependencies: Edges WW, WR and RW that could be inferred; with none the verdict is unknown
            unless there is a finding.
        explain: Says why an edge is there.
        numbers: Figures for the verdict.
        unsought: Anomalies, without a form, that are not looked for, or not everywhere.
        obstacle: Why they are not.
        unread: Anomalies that are there or not by the order of what no read shows.
    """

    model: str
    findings: Sequence[Finding]
    cycles: Cycles
    dependencies: int
    explain: ExplainEdge
    numbers: dict[str, float]
    unsought: tuple[str, ...] = ()
    obstacle: str = NOT_SOUGHT
    unread: frozenset[str] = frozenset()

    def absent(self, *, timed: bool) -> frozenset[str]:
        """What is surely not there: what was looked for and not found, and what is a case of that.

        Args:
            timed: Whether the history has times; else nothing is sure of real time.
        """
        unsure = {name + form for name in self.unsought for form in anomaly.FORMS}
        unsure |= self.unread.union(self.cycles.undecided)
        return anomaly.absent(self.found, unsure, timed=timed)

    @property
    def found(self) -> tuple[str, ...]:
        """Every anomaly that was found, the worst first."""
        names = {finding.anomaly for finding in self.findings}
        names |= {cycle.anomaly for cycle in self.cycles.cycles}
        names |= {cycle.special for cycle in self.cycles.cycles}
        return tuple(name for name in anomaly.ALL if name in names)


def judge(table: TransactionTable, request: Request, examined: Examined) -> Verdict:
    """Say whether the levels or anomalies asked for are violated, and where the history stands.

    The default level is strict-serializable, serializable for a history without times. What needs
    real time is unknown, not valid, where a history without times shows no violation.
    """
    levels = _asked(table, request)
    wanted = anomaly.implying(request.anomalies) | level.proscribed_by(levels)
    seen = [name for name in examined.found if name in wanted]
    if seen:
        validity, reason = Validity.VIOLATION, _violated(seen, levels, examined)
    elif why := _unknown(table, request, levels, examined):
        validity, reason = Validity.UNKNOWN, why
    else:
        validity, reason = Validity.VALID, _held(table, examined)
    return Verdict(
        name=examined.model,
        promise=promise_of(table, request),
        validity=validity,
        reason=reason,
        counterexample=counterexamples_of(table, seen, examined),
        numbers=examined.numbers,
        levels=_levels(table, examined),
    )


def promise_of(table: TransactionTable, request: Request) -> str:
    """What is asked for, as a sentence."""
    if request.anomalies:
        return f"The transactions show none of {', '.join(request.anomalies)}."
    return f"The transactions keep to {' and '.join(_asked(table, request))}."


def _asked(table: TransactionTable, request: Request) -> tuple[str, ...]:
    if request.levels or request.anomalies:
        return request.levels
    return ("strict-serializable",) if table.timed else ("serializable",)


def _levels(table: TransactionTable, examined: Examined) -> Levels | None:
    if not examined.dependencies and not examined.found:
        return None
    return level.place(examined.found, examined.absent(timed=table.timed))


def _violated(seen: list[str], levels: tuple[str, ...], examined: Examined) -> str:
    broken = [name for name in levels if name in level.violated_by(seen)]
    what = f", which {' and '.join(broken)} rules out" if broken else ""
    others = [name for name in examined.found if name not in seen]
    also = f"; not asked for: {', '.join(others)}" if others else ""
    return f"found {', '.join(seen)}{what}{also}"


def _unknown(
    table: TransactionTable, request: Request, levels: tuple[str, ...], examined: Examined
) -> str | None:
    """Why it cannot be said that what is asked for holds; None where it can."""
    if not examined.dependencies:
        return "nothing can be inferred: no read says anything of the order of transactions"
    absent = examined.absent(timed=table.timed)
    ruled_out = {name: level.proscribed_by((name,)) for name in levels}
    ruled_out |= {name: frozenset({name}) for name in request.anomalies}
    opens = [name for name, those in ruled_out.items() if not those <= absent]
    missing = frozenset().union(*ruled_out.values()) - absent
    if not missing:
        return None
    if missed := [name for name in examined.cycles.undecided if name in missing]:
        return f"the search for {', '.join(missed)} was given up: too many circles"
    if open_ones := [name for name in anomaly.ALL if name in missing & examined.unread]:
        return (
            f"whether it is {', '.join(opens)} is not known: {open_ones[0]} depends on the order "
            "of appends that no read shows"
        )
    if not table.timed and all(name.endswith(anomaly.FORMS[-1]) for name in missing):
        return f"the history has no times, {', '.join(opens)} cannot be shown to hold"
    sought = [name for name in anomaly.ALL if name in missing]
    hidden = anomaly.split_form(sought[0])[0] in examined.unsought
    obstacle = examined.obstacle if hidden else NOT_SOUGHT
    return f"whether it is {', '.join(opens)} is not known: {sought[0]} {obstacle}"


def _held(table: TransactionTable, examined: Examined) -> str:
    others = f"; not asked for: {', '.join(examined.found)}" if examined.found else ""
    transactions = counted(len(table), "transaction")
    shows = "shows" if len(table) == 1 else "show"
    dependencies = counted(examined.dependencies, "dependency", "dependencies")
    return f"{transactions} with {dependencies} {shows} nothing against it{others}"


def counterexamples_of(
    table: TransactionTable, seen: list[str], examined: Examined
) -> tuple[dict[str, object], ...]:
    """What shows some of the anomalies that were found."""
    shown: list[dict[str, object]] = []
    # A circle that has several names is told once, by the last of them: the usual one.
    circles: dict[tuple[tuple[int, Edge], ...], list[Cycle]] = {}
    for each in examined.cycles.cycles:
        if each.special in seen:
            circles.setdefault(_turned(each), []).append(each)
    for name in seen:
        shown += [finding_shown(table, each) for each in examined.findings if each.anomaly == name]
        shown += [
            cycle_shown(table, same, examined.explain)
            for same in circles.values()
            if same[-1].special == name
        ]
    return tuple(shown)


def _turned(cycle: Cycle) -> tuple[tuple[int, Edge], ...]:
    """The transactions and reasons of a circle, from the same one on wherever it was entered."""
    steps = tuple(zip(cycle.rows, cycle.kinds, strict=True))
    first = steps.index(min(steps))
    return steps[first:] + steps[:first]
