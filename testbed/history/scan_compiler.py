"""How the pieces of the scanner of JSON lines are compiled, and where that is kept.

Importing this module loads the compiler, which takes half a second: import it late.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numba
import numpy as np

from testbed.history.compiled_folder import compiled_folder
from testbed.history.compiling import compiled_into

ONE = np.uint64(1)
"""A place that counts up in unsigned numbers needs no check for places from the end."""


def compiled(function: Any, **options: Any) -> Any:
    """A function compiled, or loaded from the disk if it was compiled before."""
    return compiled_into(_CACHE, function, **options)


_CACHE = compiled_folder("scan", Path(__file__).parent.glob("scan*.py"))


def part(function: Any) -> Any:
    """A function that becomes part of the compiled ones that call it.

    A call that hands on a dozen arrays costs more than what most pieces of the scanner do.
    """
    return numba.njit(function, inline="always")
