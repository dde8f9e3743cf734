"""Where compiled code is kept: a folder for each version of its sources, so that none is stale.

The compiler's own cache looks at the file of a function, and not at those of the functions that it
calls: after an update it would run old code where only a callee changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

VERSIONS_KEPT = 6
"""So many versions are kept: several may be at work at the same time on one machine."""


def compiled_folder(name: str, sources: Iterable[Path]) -> Path:
    """The folder for what is compiled from exactly these sources.

    It is there afterwards, and the youngest in use; of others the :data:`VERSIONS_KEPT` that were
    used last stay. It may not be writable: then what is compiled is not kept.

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
    with contextlib.suppress(OSError):
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        if made:
            _forget(folder, kept.glob(f"{name}-*"))
    return folder


def _forget(own: Path, versions: Iterable[Path]) -> None:
    """Remove all versions but those that were used last, and never one's own."""
    used = {}
    for version in versions:
        with contextlib.suppress(OSError):  # another process has removed it
            used[version] = version.stat().st_mtime_ns
    used.pop(own, None)
    for version in sorted(used, key=used.__getitem__, reverse=True)[VERSIONS_KEPT - 1 :]:
        shutil.rmtree(version, ignore_errors=True)
