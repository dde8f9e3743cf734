"""Named anomalies of registers in which no value is written twice to a key.

Who read from whom is known; the order of versions is not, and none is assumed. What single reads
show is there for sure. Beyond that, a history shows an anomaly when every order of the versions
does that agrees with who read from whom: that is when the level fails which rules out that anomaly
and, besides circles of what was read from what, nothing else (see
:mod:`testbed.checkers.transactions.unique_levels`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from testbed.checkers.request import Request
from testbed.checkers.transactions.anomaly import ALIKE, FORMS, implying, split_form
from testbed.checkers.transactions.judge import Examined, counterexamples_of
from testbed.checkers.transactions.narrator import Narrator
from testbed.checkers.transactions.order_search import Answer
from testbed.checkers.transactions.resolved import THIN_AIR, Resolved
from testbed.checkers.transactions.rw_register import inferred
from testbed.checkers.transactions.unique_levels import (
    BELOW,
    LevelJudge,
    included_in,
    strong,
)
from testbed.checkers.verdict import Validity

SHOWN_BY_READS = (
    "garbage-read",
    "internal",
    "future-read",
    "dirty-update",
    "G1a",
    "G1b",
    "lost-update",
)
"""They are found where they are, whatever the order of versions is."""
NEVER_FORCED = ("duplicate-elements", "incompatible-order", "cyclic-versions", "G0")
"""Registers have no elements, and some order of versions always has no circle of its own."""
RULED_OUT_BY = {
    "observed-transaction-vanishes": "read-committed",
    "fractured-read": "read-atomic",
    "causal-violation": "causal",
    "prefix-violation": "prefix",
    "G-single": "parallel-snapshot-isolation",
    "G-nonadjacent": "snapshot-isolation",
    "G2-item": "serializable",
    "G2": "serializable",
}
"""The level that fails exactly where the anomaly is."""
NOT_WHERE = {
    "G-cursor": "parallel-snapshot-isolation",
    "G-monotonic": "parallel-snapshot-isolation",
    "G-MSR": "snapshot-isolation",
    "G-SIb": "snapshot-isolation",
    "G-update": "serializable",
    "write-skew": "serializable",
}
"""A level that rules the anomaly out, and others as well."""
_LEVELS = RULED_OUT_BY | NOT_WHERE


@dataclass(frozen=True)
class Judged:
    """The answer to what was asked for.

    Args:
        validity: Violation where it is broken, valid where some order of versions keeps it.
        reason: Why, in a sentence.
        counterexample: What shows it.
    """

    validity: Validity
    reason: str
    counterexample: tuple[Any, ...] = ()


@dataclass(frozen=True)
class AnomalyJudge:
    """Decides anomalies one by one.

    Args:
        resolved: The history.
        request: The anomalies asked for, and the budget.
    """

    resolved: Resolved
    request: Request

    def answer(self) -> Judged:
        """Whether any of what is asked for is there.

        Raises:
            OutOfBudgetError: It took too long.
        """
        if (sure := self._sure()) is not None:
            return sure
        asked = self.request.anomalies
        if self._ruled_out_together():
            return self._none()
        answers = {name: self._decide(name) for name in asked}
        for name, found in answers.items():
            if found.holds is False:
                reason = f"every order of the versions that agrees with the reads shows {name}"
                return Judged(Validity.VIOLATION, reason, (found.counterexample,))
        for name, found in answers.items():
            if found.holds is None:
                return Judged(Validity.UNKNOWN, f"{name}: {found.reason}")
        if self._may_exclude_each_other():
            reason = (
                f"for each of {', '.join(asked)} some order of the versions is without it, whether "
                "one order is without all of them is not known"
            )
            return Judged(Validity.UNKNOWN, reason)
        return self._none()

    def _none(self) -> Judged:
        reason = f"an order of the versions shows none of {', '.join(self.request.anomalies)}"
        return Judged(Validity.VALID, reason)

    def _sure(self) -> Judged | None:
        """What is there whatever the order of versions is."""
        wanted = implying(self.request.anomalies)
        thin_air = self.resolved.misreads(THIN_AIR)
        if len(thin_air) and "garbage-read" in wanted:
            narrator = Narrator(self.resolved)
            lines = narrator.misread(int(thin_air[0]))
            shown = narrator.counterexample("garbage-read", lines)
            return Judged(Validity.VIOLATION, "found garbage-read", (shown,))
        seen = [name for name in self._examined.found if name in wanted]
        if not seen:
            return None
        shown_all = counterexamples_of(self.resolved.table, seen, self._examined)
        return Judged(Validity.VIOLATION, f"found {', '.join(seen)}", shown_all)

    def _decide(self, name: str) -> Answer:
        """Whether an anomaly is absent."""
        anomaly, form = split_form(ALIKE.get(name, name))
        if anomaly in SHOWN_BY_READS or anomaly in NEVER_FORCED:
            return Answer(holds=True)
        timed = self.resolved.table.timed
        circle = self._judge(form).circle(realtime=form == FORMS[-1] and timed)
        if anomaly in _LEVELS and circle is None:
            return self._by_level(anomaly, form)
        if anomaly in _LEVELS:
            reason = "what was read from what is a circle: no order of the versions agrees with it"
            return Answer(holds=None, reason=reason)
        if circle is None and form == FORMS[-1] and not timed:
            return Answer(holds=None, reason="the history carries no times")
        return Answer(circle is None, circle)

    def _by_level(self, anomaly: str, form: str) -> Answer:
        judge = self._judge(form)
        for case in _decided_cases(anomaly):
            shown = judge.decide(_in_form(RULED_OUT_BY[case], form))
            if shown.holds is False:
                return shown
        level = _in_form(_LEVELS[anomaly], form)
        found = judge.decide(level)
        if found.holds is False and anomaly in NOT_WHERE:
            reason = f"the history is not {level}, whether for this reason is not looked for"
            return Answer(holds=None, reason=reason)
        return found

    def _levels(self) -> set[str]:
        """The levels that rule out what is asked for."""
        names = (split_form(ALIKE.get(name, name))[0] for name in self.request.anomalies)
        return {_LEVELS[name] for name in names if name in _LEVELS}

    def _may_exclude_each_other(self) -> bool:
        """Whether orders without one anomaly each leave open if one is without all of them.

        Each form has orders of its own: those that agree with the reads, and with what it minds.
        """
        asked = [
            (anomaly, form)
            for anomaly, form in map(split_form, self.request.anomalies)
            if anomaly not in SHOWN_BY_READS
        ]
        forms = {form for _, form in asked}
        if self._levels() or len(forms) < 2:
            return len(self._levels()) > 1 or len(forms) > 1
        if all(anomaly in NEVER_FORCED for anomaly, _ in asked):
            return False
        # An order that agrees with the reads in the widest form is without circles in all of them.
        realtime = FORMS[-1] in forms
        if realtime and not self.resolved.table.timed:
            return True
        judge = self._judge(max(forms, key=FORMS.index))
        return judge.circle(realtime=realtime) is not None

    def _ruled_out_together(self) -> bool:
        """Whether a level holds that rules out all that is asked for."""
        levels = self._levels()
        if not levels:
            return False
        form = max((split_form(name)[1] for name in self.request.anomalies), key=FORMS.index)
        least = next(level for level in BELOW if levels <= included_in(level))
        return bool(self._judge(form).decide(_in_form(least, form)).holds)

    def _judge(self, form: str) -> LevelJudge:
        return self._alone if form == "" else self._in_sessions

    @cached_property
    def _in_sessions(self) -> LevelJudge:
        return LevelJudge(self.resolved, self.request.budget, misreads=False)

    @cached_property
    def _alone(self) -> LevelJudge:
        resolved = self.resolved.without_sessions()
        return LevelJudge(resolved, self.request.budget, misreads=False)

    @cached_property
    def _examined(self) -> Examined:
        request = replace(self.request, params={})
        return inferred("rw-register-unique-writes", self.resolved, request)


def _decided_cases(anomaly: str) -> list[str]:
    """What is a case of an anomaly that no level alone rules out, and is decided; the worst first.

    Of the others the levels are decided from the weakest on anyway.
    """
    cases = implying((anomaly,)) if anomaly in NOT_WHERE else ()
    return [case for case in RULED_OUT_BY if case in cases]


def _in_form(level: str, form: str) -> str:
    return strong(level) if form == FORMS[-1] else level
