"""Where compiled code is kept: a folder for each version of its sources, so that none is stale.

The compiler's own cache looks at the file of a function, and not at those of the functions that it
calls: after an update it would run old code where only a callee changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path


def compiled_folder(name: str, sources: Iterable[Path]) -> Path:
    """The folder for what is compiled from exactly these sources; those of others are removed.

    It may not be writable: then the compiler chooses another place by itself.

    Args:
        name: Keeps what is compiled together apart from the rest.
        sources: Every file whose code takes part.
    """
    digest = hashlib.sha256()
    for path in sorted(sources):
        digest.update(path.read_bytes())
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    kept = Path(home) / "testbed" / "compiled"
    folder = kept / f"{name}-{digest.hexdigest()[:16]}"
    if not folder.exists():
        for other in kept.glob(f"{name}-*"):
            shutil.rmtree(other, ignore_errors=True)
    return folder
