"""Promises of time: what a machine too busy for its nodes delays breaks none of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from experiments.setting import Setting
from testbed.checkers.verdict import Validity, Verdict


def in_time(setting: Setting, verdict: Verdict, doubts: Sequence[str] = ()) -> Verdict:
    """A verdict on what has to happen in time: where that is in doubt, a violation is unknown.

    Every experiment asks this of its bounds and deadlines, and of how many were served. What is
    lost or contradicts itself is none of it: no machine is too busy for that.

    Args:
        setting: The run; a busy machine is a doubt.
        verdict: As a checker gave it.
        doubts: Other ones, a sentence each; the first is told.
    """
    doubts = [*doubts, *filter(None, [setting.busy])]
    if verdict.validity is not Validity.VIOLATION or not doubts:
        return verdict
    reason = f"{doubts[0]}, so that this is not the fault's doing alone: {verdict.reason}"
    return replace(verdict, validity=Validity.UNKNOWN, reason=reason)
