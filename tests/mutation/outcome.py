"""What became of a mutant."""

from __future__ import annotations

import enum


class Outcome(enum.Enum):
    """Killed by a test that fails, or by a limit of time or memory; or not at all.

    ``UNREACHED``: no test runs the changed statement.
    """

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"
    UNREACHED = "unreached"

    @property
    def survives(self) -> bool:
        """Whether no test noticed it."""
        return self in (Outcome.SURVIVED, Outcome.UNREACHED)
