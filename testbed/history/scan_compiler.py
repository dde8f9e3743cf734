"""How the pieces of the scanner of JSON lines are compiled, and where that is kept.

Importing this module loads the compiler, which takes half a second: import it late.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numba
import numpy as np

ONE = np.uint64(1)
"""A place that counts up in unsigned numbers needs no check for places from the end."""


def compiled(function: Any, **options: Any) -> Any:
    """A function compiled, or loaded from the disk if it was compiled before."""
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(_CACHE)
    try:
        return numba.njit(function, cache=True, nogil=True, **options)
    finally:
        config.CACHE_DIR = before


def _cache_folder() -> Path:
    """A folder for what is compiled from exactly these sources.

    The compiler forgets a compiled function when its own module changes, but not when that of a
    function that it calls does.
    """
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("scan*.py")):
        digest.update(source.read_bytes())
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "testbed" / "compiled" / f"scan-{digest.hexdigest()[:16]}"


_CACHE = _cache_folder()


def part(function: Any) -> Any:
    """A function that becomes part of the compiled ones that call it.

    A call that hands on a dozen arrays costs more than what most pieces of the scanner do.
    """
    return numba.njit(function, inline="always")
