"""Progress for a log: one plain line for each phase and fault, and a sign of life in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from testbed.checkers.counted import counted
from testbed.report.live import clock_time
from testbed.report.standing import Standing, outcome
from testbed.report.visible import visible
from testbed.report.wording import SIGNS
from testbed.runner.progress import (
    Event,
    Example,
    FaultPhase,
    Judged,
    Log,
    Phase,
)

HEARTBEAT_S = 10.0


class LogView:
    """Writes what matters of a suite's progress, line by line; a context manager.

    Args:
        stream: Where the lines go; each is flushed.
        clock: Wall clock in seconds.
        heartbeat_s: After so long without a line, one says that work goes on.
    """

    def __init__(
        self,
        stream: TextIO,
        clock: Callable[[], float] = time.time,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._last_line = clock()
        self._phases: dict[int, str] = {}
        self.standing = Standing(clock())

    def __enter__(self) -> Self:
        """Begins to give signs of life."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends them."""
        self._over.set()
        self._thread.join()

    def feed(self, event: Event) -> None:
        """Writes a line if the event is worth one."""
        with self._lock:
            self.standing.add(event)
            text = self._text(event)
            if text:
                self._write(text)
            self._pulse()

    def _text(self, event: Event) -> str:
        payload, world = event.payload, f"world {event.lane}"
        text = ""
        match payload:
            case Phase():
                if self._phases.get(event.lane) != payload.name:
                    self._phases[event.lane] = payload.name
                    text = f"{world}: {_phase_text(payload)}"
            case FaultPhase():
                text = f"{world}: {_fault_text(payload)}"
            case Example():
                self._phases.pop(event.lane, None)
                title = f": {payload.title}" if payload.title else ""
                text = f"{world}: example {payload.number}{title}"
            case Judged():
                text = _verdict_text(payload)
            case Log():
                text = f"{'' if payload.level == 'info' else payload.level + ': '}{payload.message}"
        return text

    def _beat(self) -> None:
        while not self._over.wait(min(self._heartbeat_s, 1.0)):
            with self._lock:
                self._pulse()

    def _pulse(self) -> None:
        """A line when there was none for long."""
        if self._clock() - self._last_line < self._heartbeat_s:
            return
        standing = self.standing
        lanes = [
            f"world {number} {lane.phase.name}"
            + (f" {lane.phase.done:.0%}" if lane.phase.done is not None else "")
            for number, lane in sorted(standing.lanes.items())
            if lane.phase is not None
        ]
        parts = [f"working, {counted(standing.examples_done, 'example')} done", *lanes[:4]]
        if len(lanes) > 4:
            parts.append(f"and {len(lanes) - 4} more")
        if standing.estimate and standing.estimate.remaining_s is not None:
            age = self._clock() - standing.estimate_since
            left = max(standing.estimate.remaining_s - age, 0.0)
            parts.append(f"about {clock_time(left)} to go")
        self._write("; ".join(parts))

    def _write(self, text: str) -> None:
        now = self._clock()
        self._last_line = now
        # No escape code, whatever a name holds; a character that the log lacks becomes '?'.
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        shown = visible(text, 500).encode(encoding, "replace").decode(encoding)
        self._stream.write(f"[{clock_time(now - self.standing.started)}] {shown}\n")
        self._stream.flush()


def _phase_text(phase: Phase) -> str:
    left = f", about {phase.remaining_s:.0f} s" if phase.remaining_s is not None else ""
    return f"{phase.name}{left}{f': {phase.detail}' if phase.detail else ''}"


def _fault_text(fault: FaultPhase) -> str:
    detail = f": {fault.detail}" if fault.detail else ""
    effect = "shown to bite" if fault.shown is not False else "NOT shown to bite"
    absence = "shown to be gone" if fault.shown is not False else "NOT shown to be gone"
    words = {"inject": "injected", "effect": effect, "heal": "healed", "absence": absence}
    return f"{fault.title} {words.get(fault.phase, fault.phase)}{detail}"


def _verdict_text(judged: Judged) -> str:
    which = f"example {judged.example}" if judged.example is not None else "verdict"
    promise = f" {judged.promise}" if judged.promise else ""
    reason = f": {judged.reason}" if judged.reason else ""
    where = f" ({judged.run})" if judged.run else ""
    return f"{which}{promise} {SIGNS[outcome(judged)].word.upper()}{reason}{where}"
