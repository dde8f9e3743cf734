"""A file that grows by whole lines of JSON, read on from where it was read to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

_PIECE_BYTES = 1 << 20


class Tail:
    """What is new in a file since it was looked at last.

    Args:
        path: The file; it may not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = 0
        self._rest = b""

    def documents(self) -> Iterator[dict[str, Any]]:
        """Every whole line that is new; a damaged one is left out: judging is not done here."""
        try:
            file = self._path.open("rb")
        except OSError:
            return
        with file:
            file.seek(self._place)
            while piece := file.read(_PIECE_BYTES):
                self._place += len(piece)
                *lines, self._rest = (self._rest + piece).split(b"\n")
                for line in lines:
                    try:
                        document = orjson.loads(line)
                    except orjson.JSONDecodeError:
                        continue
                    if isinstance(document, dict):
                        yield document
