"""What became of the mutants of one module."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.mutation.mutant import Mutant
from tests.mutation.outcome import Outcome


@dataclass
class Tally:
    """Outcomes, counted.

    Args:
        module: Its path below ``testbed``, without the ending.
        possible: How many mutants it has.
        outcomes: How many ended how.
        explained: How many survived for each sort of reason.
        unexplained: Those that survived without one.
    """

    module: str
    possible: int
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: list[Mutant] = field(default_factory=list)

    def add(self, mutant: Mutant, outcome: Outcome, reason: str | None) -> None:
        """Count one mutant.

        Args:
            mutant: It.
            outcome: What became of it.
            reason: The sort of reason for its survival, if one is known.
        """
        self.outcomes[outcome] += 1
        if not outcome.survives:
            return
        if reason is None:
            self.unexplained.append(mutant)
        else:
            self.explained[reason] += 1

    def line(self) -> str:
        """A row of the table in ``docs/reference/mutation-testing.md``."""
        killed = self.outcomes[Outcome.KILLED]
        timed_out = self.outcomes[Outcome.TIMED_OUT]
        tried = sum(self.outcomes.values())
        of = "" if tried == self.possible else f" of {self.possible}"
        reasons = ", ".join(f"{many} {sort}" for sort, many in sorted(self.explained.items()))
        return (
            f"| {self.module} | {tried}{of} | {killed} | {timed_out} "
            f"| {reasons or '0'} | {len(self.unexplained)} |"
        )
