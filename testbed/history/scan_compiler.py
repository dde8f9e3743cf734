"""How the pieces of the scanner of JSON lines are compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from testbed.history.loop import Loop

ONE = np.uint64(1)
"""A place that counts up in unsigned numbers needs no check for places from the end."""


def compiled(function: Any, **options: Any) -> Loop:
    """A function compiled, or loaded from the disk if it was compiled before."""
    return Loop(function, **options)


def part(function: Any) -> Loop:
    """A function that becomes part of the compiled ones that call it.

    A call that hands on a dozen arrays costs more than what most pieces of the scanner do.
    """
    return compiled(function, inline="always")
