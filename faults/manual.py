"""What people and plans are told of a kind of fault."""

from __future__ import annotations

from dataclasses import dataclass

from faults.parameter import Parameter
from faults.target import TargetKind


@dataclass(frozen=True, slots=True)
class Manual:
    """One kind of fault, described once: the plan's checks and the reference page follow it.

    Args:
        summary: What it breaks, in one sentence.
        target: What its target is.
        parameters: What a plan may or must say besides the target.
        effect: What shows that it bites, with tolerances.
        absence: What shows that it is gone, with tolerances.
        side_effects: What else a history may show because of it.
    """

    summary: str
    target: TargetKind
    parameters: tuple[Parameter, ...]
    effect: str
    absence: str
    side_effects: str
