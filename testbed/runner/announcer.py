"""Tells whoever watches how a run goes: appends progress events to a file."""

from __future__ import annotations

import os
import time
from pathlib import Path

from testbed.runner.progress import Event, Payload, encode


class Announcer:
    """Appends events; silent without a file.

    Several processes may append to one file: each event is one write. What can't be told (a
    full disk) is not worth ending a run for, so it is dropped: the journal is what matters.

    Args:
        path: The file, or None.
        lane: The world that the events come from.
    """

    def __init__(self, path: Path | None, lane: int) -> None:
        self._path = path
        self._lane = lane

    def tell(self, payload: Payload) -> None:
        """Append one event."""
        if self._path is None:
            return
        line = encode(Event(time.time(), self._lane, payload))
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError:
            return
        try:
            os.write(handle, line)
        except OSError:
            return
        finally:
            os.close(handle)
