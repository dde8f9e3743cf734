"""A check of the environment: what was looked at, what was found, what to do about it."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass


class State(enum.StrEnum):
    """How a check ended. A warning does not stop a run; a failure does."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one check.

    Args:
        name: What was looked at, in a few words.
        state: How it ended.
        found: What was found, with numbers.
        remedy: What to do when it is not ok.
    """

    name: str
    state: State
    found: str
    remedy: str = ""


def guarded(name: str, check: Callable[[], Check], remedy: str) -> Check:
    """A check whose own failure to look is an outcome too.

    Args:
        name: The check's name.
        check: Makes it.
        remedy: What to do when it cannot be made.
    """
    try:
        return check()
    except OSError as error:
        return Check(name, State.FAILED, f"cannot look: {error}", remedy)
