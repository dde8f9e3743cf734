"""The schedule in motion: every fault injected, shown to bite, healed and shown to be gone."""

from __future__ import annotations

import asyncio

from faults.protocol import Context
from testbed.history.journal import Journal
from testbed.runner.clock import Clock
from testbed.runner.folder import EvidenceLog
from testbed.runner.injection import Injection
from testbed.runner.plan import Step


class Timeline:
    """Plays a schedule.

    Args:
        schedule: The faults, in order of ``at_s``.
        context: What faults may use.
        clock: The run's clock.
        journal: Every phase of every fault becomes a line of the history.
        evidence: What each fault was shown to do.
    """

    def __init__(
        self,
        schedule: tuple[Step, ...],
        context: Context,
        clock: Clock,
        journal: Journal,
        evidence: EvidenceLog,
    ) -> None:
        self._schedule = schedule
        self._context = context
        self._clock = clock
        self._journal = journal
        self._evidence = evidence

    async def play(self, start_ns: int) -> None:
        """Play every step at its time after ``start_ns``; return when all are healed.

        Raises:
            FaultError: A fault could not be injected or healed; every other one is healed first.
        """
        tasks = [
            asyncio.create_task(self._step(number, step, start_ns))
            for number, step in enumerate(self._schedule)
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _step(self, number: int, step: Step, start_ns: int) -> None:
        injection = Injection(number, step, self._context, self._journal, self._evidence)
        await self._clock.until(start_ns + int(step.at_s * 1e9))
        try:
            await injection.inject()
            until = self._clock.now() + int((step.duration_s or 0) * 1e9)
            await injection.show("effect")
            await self._clock.until(until)
        finally:
            # A cancelled run heals too: nothing may stay broken in a world that is used again.
            await asyncio.shield(injection.heal())
        await injection.show("absence")
