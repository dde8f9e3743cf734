"""Chooses how progress is shown."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from testbed.toolchain.progress import LineProgress, Progress


def progress(stream: TextIO | None = None) -> Progress:
    """The way to show progress that suits a stream; standard error by default."""
    target = stream if stream is not None else sys.stderr
    if target.isatty() and os.environ.get("TERM", "dumb") != "dumb" and not os.environ.get("CI"):
        from testbed.toolchain.progress_bar import BarProgress  # noqa: PLC0415 - slow to import

        return BarProgress(target)
    return LineProgress(target)
