"""Which test reaches which line of a module, and how long each takes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any


@dataclass
class Reach:
    """What was seen of some modules while their tests ran.

    Args:
        watched: The modules' files.
        lines: The lines that each test ran, by the test's id and the file.
        took_s: The processor time of each test, watched.
    """

    watched: frozenset[str]
    lines: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    took_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def watching(self, test: str) -> Iterator[None]:
        """Watch one test with its fixtures."""
        seen: dict[str, set[int]] = {}

        def inside(frame: FrameType, event: str, _arg: Any) -> Any:
            if event == "line":
                seen[frame.f_code.co_filename].add(frame.f_lineno)
            return inside

        def entered(frame: FrameType, _event: str, _arg: Any) -> Any:
            file = frame.f_code.co_filename
            if file not in self.watched:
                return None
            seen.setdefault(file, set()).add(frame.f_lineno)
            return inside

        began = time.process_time()
        sys.settrace(entered)
        threading.settrace(entered)
        try:
            yield
        finally:
            sys.settrace(None)
            threading.settrace(None)
        self.took_s[test] = time.process_time() - began
        self.lines[test] = {file: sorted(lines) for file, lines in seen.items()}

    def tests_of(self, file: str | None, lines: tuple[int, int] | None) -> list[str]:
        """The tests that run a piece of a module, the quickest first.

        Args:
            file: The module's; None for what any test may have imported.
            lines: The first and the last line; None for code that runs at import.
        """
        reaching = [
            test
            for test, by_file in self.lines.items()
            if file is None
            or (
                (seen := by_file.get(file))
                and (lines is None or any(lines[0] <= at <= lines[1] for at in seen))
            )
        ]
        return sorted(reaching, key=lambda test: self.took_s[test])
