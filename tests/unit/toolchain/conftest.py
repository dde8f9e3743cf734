"""Small executables that stand for programs: what they print of themselves is all that counts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

Script = Callable[[Path, str], Path]


@pytest.fixture
def script() -> Script:
    """Writes an executable shell script and returns its path."""

    def write(path: Path, body: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written by rename: a busy fork elsewhere must not hold it open for writing.
        draft = path.with_name(f".{path.name}")
        draft.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        draft.chmod(0o755)
        os.replace(draft, path)  # noqa: PTH105
        return path

    return write
