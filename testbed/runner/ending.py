"""How a run ended: written by the process that plays it, read by everybody else."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Coroutine
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from testbed.runner.clock import Clock
from testbed.runner.folder import FolderError, RunFolder, read_json, write_json
from testbed.runner.leash import die_with_parent
from testbed.runner.pressure import Pressure


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended.

    Args:
        outcome: ``finished``, ``failed`` (the environment did) or ``interrupted``.
        problem: What stopped it and what to do; empty for a finished run.
    """

    outcome: str
    problem: str


def ending(folder: RunFolder, output: Path | None = None) -> Ending:
    """How a run ended, from its folder; a run that left no word was killed.

    Args:
        folder: Of the run.
        output: What the process that played it wrote; its last lines are told then.
    """
    try:
        document = read_json(folder.ending)
        return Ending(str(document["outcome"]), str(document.get("problem", "")))
    except (FolderError, KeyError, TypeError) as error:
        tail = _tail(output) if output is not None else ""
        return Ending("failed", f"the run left no ending ({error}){tail}")


class EndingFile:
    """``ending.json``, written when what is inside ends; a context manager.

    An expected error and a cancellation end there: they are written down, and not raised. Any other
    error is raised, and no file is written.

    Args:
        folder: Of the run.
        expected: Errors that say by themselves what happened.
    """

    def __init__(self, folder: RunFolder, expected: tuple[type[Exception], ...]) -> None:
        self._folder = folder
        self._expected = expected
        self._started_s = time.time()
        self._fields: dict[str, Any] = {}

    def clock(self, clock: Clock) -> None:
        """Note the clock of the run's history."""
        self._fields |= {"clock_base_ns": clock.base_ns, "clock_zero_s": clock.zero_s}

    def pressure(self, reading: Pressure) -> None:
        """Note how starved the process was."""
        self._fields["pressure"] = asdict(reading)

    def __enter__(self) -> Self:
        """Begins."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Writes the file.

        Raises:
            FolderError: It can't be written.
        """
        if error is None:
            found = Ending("finished", "")
        elif isinstance(error, self._expected):
            found = Ending("failed", str(error))
        elif isinstance(error, asyncio.CancelledError):
            found = Ending("interrupted", "the run was interrupted")
        else:
            return False
        seconds = round(time.time() - self._started_s, 3)
        document = {**asdict(found), "started": self._started_s, **self._fields, "seconds": seconds}
        write_json(self._folder.ending, document)
        return True


def play_alone(folder: RunFolder, work: Coroutine[Any, Any, None]) -> int:
    """Do the work of a process that plays one run and dies with the one that started it.

    Returns:
        Exit code: 0 when the run came to its end (whatever it showed), 3 when it did not.
    """
    die_with_parent()
    # What the imports made stays: a collection that walks it all would stall the load.
    gc.collect()
    gc.freeze()
    try:
        folder.metrics.mkdir(exist_ok=True)
        asyncio.run(work)
        outcome = read_json(folder.ending)["outcome"]
    except (OSError, FolderError) as error:
        print(f"the run could not be recorded: {error}", file=sys.stderr)
        return 3
    finally:
        work.close()
    return 0 if outcome == "finished" else 3


def _tail(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").strip().splitlines()[-3:]
    except OSError:
        return ""
    return ": " + " | ".join(lines) if lines else ""
