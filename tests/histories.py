"""Histories made by hand or drawn, for the tests of everything that reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from testbed.history.history import History
from testbed.history.operation import FAULTS_PROCESS, Operation, OperationType

MS = 1_000_000
S = 1000 * MS


@dataclass
class Scribe:
    """Collects operations in any order and makes a history of them.

    Each call is a process of its own unless one is named.
    """

    lines: list[tuple[int, int, int, Operation]] = field(default_factory=list)
    processes: int = 1000
    invoked: set[tuple[int | str, int]] = field(default_factory=set)

    def call(
        self,
        f: str,
        start: int,
        end: int | None = None,
        outcome: OperationType = "ok",
        *,
        value: Any = None,
        result: Any = None,
        **more: Any,
    ) -> Scribe:
        """One operation: its invocation, and its completion if it has an end.

        ``node`` is the one that answers, ``asked`` the one that the invocation names.
        """
        process = more.pop("process", None)
        if process is None:
            self.processes += 1
            process = self.processes
        completion = {name: more.pop(name) for name in ("node", "term", "error") if name in more}
        asked = more.pop("asked", None)
        self._add(start, Operation(start, process, "invoke", f, value, node=asked, **more))
        if end is not None:
            self._add(end, Operation(end, process, outcome, f, result, **completion))
        return self

    def fault(self, kind: str, title: str, time: int, phase: str, **more: Any) -> Scribe:
        """One line of a fault."""
        if phase in ("effect", "absence"):
            more.setdefault("shown", True)
        value = {"phase": phase, "title": title, **more}
        self._add(time, Operation(time, FAULTS_PROCESS, "info", kind, value))
        return self

    def window(self, inject: int, heal: int | None, title: str = "region-cut eu-west") -> Scribe:
        """A whole fault that was shown to bite and to be gone."""
        kind = title.split(maxsplit=1)[0]
        for phase in ("inject", "injected", "effect"):
            self.fault(kind, title, inject, phase)
        for phase in ("heal", "healed", "absence"):
            if heal is not None:
                self.fault(kind, title, heal, phase)
        return self

    def _add(self, time: int, operation: Operation) -> None:
        # At one moment completions first, but never before their own invocation.
        invoked = (operation.process, time)
        if operation.type == "invoke":
            rank = 1
            self.invoked.add(invoked)
        else:
            rank = 2 if invoked in self.invoked else 0
        self.lines.append((time, rank, len(self.lines), operation))

    def history(self) -> History:
        """Everything in the order of time."""
        return History(tuple(line[3] for line in sorted(self.lines, key=lambda line: line[:3])))
