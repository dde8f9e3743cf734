"""Starts a drill's host as a process that outlives the terminal, and listens to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from testbed.drill.drill_file import load_drill
from testbed.drill.session_file import Setup, write_setup
from testbed.runner.folder import FolderError

HOST_LOG = "host.log"


def make_folder(path: Path, source: Path, setup: Setup) -> None:
    """Make a drill's folder; nothing is started.

    Raises:
        DrillFileError: The drill file is refused.
        FolderError: The folder exists, or can't be made.
    """
    load_drill(source, control=setup.control)
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise FolderError(
            f"{path} cannot be made: {error.strerror}; give another by --out"
        ) from error
    write_setup(path, setup, source.read_text(encoding="utf-8"))


def start_host(path: Path) -> subprocess.Popen[bytes]:
    """Start the host of a prepared folder.

    It leads a session of its own, so that no signal of the terminal reaches it; as long as nobody
    plays it ends when its standard input does.
    """
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    with (path / HOST_LOG).open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "testbed.drill.host", str(path)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"},
        )
