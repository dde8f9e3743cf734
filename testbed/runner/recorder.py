"""The recorder: every call of a client is journalled before it is sent and after its answer."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from testbed.clients.protocol import Client, Completion, Invocation
from testbed.history.journal import Journal
from testbed.history.operation import Operation
from testbed.runner.clock import Clock

_LATE_NS = 5_000_000
"""An invocation sent later than this after it was due carries ``due``."""


@dataclass(slots=True)
class Recorder:
    """Performs invocations on clients and journals both ends of each.

    Args:
        journal: Where the lines go.
        clock: Stamps them.
        tally: Completions so far, by (region, function, type).
    """

    journal: Journal
    clock: Clock
    tally: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _introduced: set[int] = field(default_factory=set)

    def process(self) -> int:
        """A process number that no other process of the run has had."""
        return next(self._numbers)

    async def perform(
        self, client: Client, process: int, region: str, what: Invocation, due: int | None = None
    ) -> Completion:
        """Journal the invocation, perform it, journal what became of it."""
        self._invoked(process, region, what, due)
        completion = await client.perform(what)
        self._completed(process, region, what, completion)
        return completion

    def shed(self, process: int, region: str, what: Invocation, due: int) -> None:
        """Journal an operation that was due but never sent: every process was busy."""
        self._invoked(process, region, what, due)
        self._completed(process, region, what, Completion("fail", error="shed"))

    def _invoked(self, process: int, region: str, what: Invocation, due: int | None) -> None:
        now = self.clock.now()
        late = due is not None and now - due > _LATE_NS
        # A process stays in its region: only its first invocation says which.
        known = process in self._introduced
        self._introduced.add(process)
        self.journal.append(
            Operation(
                time=now,
                process=process,
                type="invoke",
                f=what.f,
                value=what.value,
                key=what.key,
                region=None if known else region,
                due=due if late else None,
            )
        )

    def _completed(self, process: int, region: str, what: Invocation, done: Completion) -> None:
        self.tally[region, what.f, done.type] += 1
        self.journal.append(
            Operation(
                time=self.clock.now(),
                process=process,
                type=done.type,
                f=what.f,
                value=done.value,
                node=done.node,
                error=done.error,
                term=done.term,
            )
        )
