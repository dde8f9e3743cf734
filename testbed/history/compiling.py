"""Compiles loops, and keeps what was compiled in a folder of the caller's choice.

Importing this module loads the compiler, which takes half a second: import it late.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numba


def compiled_into(folder: Path, function: Any, **options: Any) -> Any:
    """A function compiled, or loaded from the disk if it was compiled before.

    Args:
        folder: Where it is kept, see :func:`testbed.history.compiled_folder.compiled_folder`.
        function: The loop.
        options: Further ones of numba.
    """
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        return numba.njit(function, cache=True, nogil=True, **options)
    finally:
        config.CACHE_DIR = before
