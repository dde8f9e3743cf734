"""Interrupts that libraries swallow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interrupts_told() -> Iterator[None]:
    """Raise afterwards an interrupt that was swallowed within.

    What a callback of a foreign library raises goes nowhere: Python prints it as ignored, and who
    asked the process to end is not heard.

    Raises:
        KeyboardInterrupt: It was swallowed.
    """
    lost: list[KeyboardInterrupt] = []
    before = sys.unraisablehook

    def note(ignored: Any) -> None:
        if isinstance(ignored.exc_value, KeyboardInterrupt):
            lost.append(ignored.exc_value)
        else:
            before(ignored)

    sys.unraisablehook = note
    try:
        yield
    finally:
        sys.unraisablehook = before
    if lost:
        raise KeyboardInterrupt(*lost[0].args)
