"""``metrics/run.prom``: what a recorded run comes to, as a textfile; needs no cluster."""

from __future__ import annotations

from pathlib import Path

from testbed.metrics.board import Board
from testbed.metrics.follower import Follower
from testbed.runner.folder import FolderError, RunFolder


def write_textfile(folder: RunFolder) -> Path:
    """Write a run's metrics, as they were at its end, beside its readings.

    Returns:
        The file.

    Raises:
        FolderError: The folder is damaged, or the file can't be written.
    """
    board = Board()
    Follower(board, folder).refresh()
    path = folder.metrics / "run.prom"
    try:
        board.write(path)
    except OSError as error:
        raise FolderError(f"{path} cannot be written: {error.strerror}") from error
    return path
