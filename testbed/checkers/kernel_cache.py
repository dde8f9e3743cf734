"""Where compiled kernels are kept: a folder for each version of the code, so that none is stale.

The compiler's own cache looks at the file of a kernel, and not at those of the kernels that it
calls: after an update it would run old code where only a callee changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

FOLDERS = ("checkers", "history", "measures")
"""The packages that hold kernels."""


def kernel_cache() -> Path:
    """The folder of this version of the code; those of other versions are removed with its making.

    It may not be writable: then the compiler chooses another place by itself.
    """
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(home) / "testbed" / "kernels" / code_digest()
    if not folder.exists():
        others = [path for path in folder.parent.glob("*") if path.is_dir()]
        for path in others:
            shutil.rmtree(path, ignore_errors=True)
    return folder


def code_digest() -> str:
    """A hash of every file that may hold a kernel: 16 hexadecimal digits."""
    package = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for name in FOLDERS:
        for path in sorted((package / name).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
