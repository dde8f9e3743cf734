"""Where compiled code is kept from one process to the next."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

KEPT = 1000
"""So many pieces of code are kept: those of some ten versions of all loops."""


def compiled_folder() -> Path:
    """The folder; it need not be there, and may not be writable: then nothing is kept."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "testbed" / "compiled"


def mark_used(path: Path) -> None:
    """Let a file be the last that is forgotten."""
    with contextlib.suppress(OSError):
        os.utime(path)


def forget(folder: Path, kept: int = KEPT) -> None:
    """Remove all code but what was used last.

    Args:
        folder: Where it is.
        kept: How many files stay.
    """
    used: list[tuple[int, Path]] = []
    for path in folder.glob("*.code"):
        with contextlib.suppress(OSError):  # another process has removed it
            used.append((path.stat().st_mtime_ns, path))
    for _, path in sorted(used, reverse=True)[kept:]:
        path.unlink(missing_ok=True)
