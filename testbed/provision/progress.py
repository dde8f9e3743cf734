"""How far a provisioning is, and how long it will still take, judged by earlier ones."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Progress:
    """One task began, or ended on one node.

    Args:
        task: The task's name.
        node: The node's name; empty when the task begins.
        seconds: Since the provisioning began.
        remaining_s: How long it will still take, judged by the last one; None the first time.
    """

    task: str
    node: str
    seconds: float
    remaining_s: float | None

    @property
    def done(self) -> float | None:
        """Share of the whole that is done, 0 to 1; None while nobody can tell."""
        if self.remaining_s is None:
            return None
        whole = self.seconds + self.remaining_s
        return self.seconds / whole if whole > 0 else 1.0


Listener = Callable[[Progress], None]


class Stopwatch:
    """Times the tasks of one provisioning and estimates what is left from the last one.

    Args:
        record: File that remembers the durations of the last provisioning of this kind.
        listener: Told of each task and node.
    """

    def __init__(self, record: Path, listener: Listener | None) -> None:
        self._record = record
        self._listener = listener
        self._began = time.monotonic()
        self._last = _recorded(record)
        self._marks: dict[str, float] = {}

    def elapsed_s(self) -> float:
        """Seconds since the provisioning began."""
        return time.monotonic() - self._began

    def mark(self, task: str, node: str = "") -> None:
        """A task began, or ended on a node."""
        seconds = self.elapsed_s()
        self._marks[f"{task}/{node}"] = seconds
        if self._listener is not None:
            remaining_s = self._remaining_s(f"{task}/{node}")
            self._listener(Progress(task, node, seconds, remaining_s))

    def finish(self) -> None:
        """It succeeded: remember its durations for the next estimate, which is worth no failure."""
        self._marks["total"] = self.elapsed_s()
        # Several worlds may be brought up at once, each by a process of its own.
        draft = self._record.with_suffix(f".{os.getpid()}.draft")
        with contextlib.suppress(OSError):
            self._record.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(self._marks), encoding="utf-8")
            draft.replace(self._record)

    def _remaining_s(self, mark: str) -> float | None:
        if "total" not in self._last or mark not in self._last:
            return None
        return max(0.0, self._last["total"] - self._last[mark])


def _recorded(record: Path) -> dict[str, float]:
    """The durations of the last provisioning; none when there is no readable record."""
    try:
        marks = json.loads(record.read_text(encoding="utf-8"))
        return {str(mark): float(seconds) for mark, seconds in marks.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
