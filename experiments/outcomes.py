"""What a test of an experiment ends in when it does not pass: told apart to the exit code.

All but a broken promise derive from what ``pytest.fail`` raises: a test that catches exceptions
does not catch them by accident, and pytest shows their message without a traceback.
"""

from __future__ import annotations

import enum

import pytest


class Kind(enum.StrEnum):
    """Why a test did not pass; in order of rank, the greatest first."""

    USAGE = "usage"
    BROKEN = "broken"
    ENVIRONMENT = "environment"
    INCONCLUSIVE = "inconclusive"

    @property
    def exit_code(self) -> int:
        """What pytest exits with when nothing of greater rank happened."""
        return {"usage": 64, "broken": 1, "environment": 3, "inconclusive": 2}[self.value]


class PromiseBrokenError(AssertionError):
    """A run broke a promise; the message names the promise, the reason and the run folder."""


class _Ended(pytest.fail.Exception):  # type: ignore[name-defined,misc]
    def __init__(self, message: str) -> None:
        super().__init__(message, pytrace=False)


class InconclusiveError(_Ended):
    """A run showed neither; never a pass."""


class EnvironmentFailedError(_Ended):
    """A world could not be made, or a run did not come to its end."""


class MisuseError(_Ended):
    """What was asked for can't be meant: a deployment, a plan, a marker."""


_KINDS: tuple[tuple[type[BaseException], Kind], ...] = (
    (PromiseBrokenError, Kind.BROKEN),
    (InconclusiveError, Kind.INCONCLUSIVE),
    (EnvironmentFailedError, Kind.ENVIRONMENT),
    (MisuseError, Kind.USAGE),
)


def kind_of(error: BaseException) -> Kind | None:
    """The kind of an exception; None for one that is not the testbed's."""
    return next((kind for known, kind in _KINDS if isinstance(error, known)), None)
