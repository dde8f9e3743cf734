"""A gate: thresholds over the runs of suites, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from testbed.report.judgement import Outcome, merge_outcomes


@dataclass(frozen=True, slots=True)
class GateSuite:
    """One suite of a gate.

    Args:
        name: Unique in the gate; with ``--runs`` the folder of its suite.
        experiment: Whose runs count.
        deployment: Whose runs count.
        settings: ``NAME=VALUE`` of each variable that is set.
        budget_s: No further example is begun after it.
        runs_min: Fewer runs than this decide nothing.
        promises: Promise -> threshold, see ``thresholds.py``.
    """

    name: str
    experiment: str
    deployment: str
    settings: tuple[str, ...] = ()
    budget_s: float = 180.0
    runs_min: int = 1
    promises: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate's name and its suites."""

    name: str
    suites: tuple[GateSuite, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one promise of a gate came to: the figure in words, the threshold, the outcome."""

    suite: str
    promise: str
    outcome: Outcome
    measured: str
    threshold: str
    reason: str


@dataclass(frozen=True, slots=True)
class GateResult:
    """All findings of a gate."""

    gate: str
    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> Outcome:
        """All findings as one; no finding at all is unknown."""
        return merge_outcomes(one.outcome for one in self.findings)
