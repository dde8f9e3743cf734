"""The schedule in motion: every fault injected, shown to bite, healed and shown to be gone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from faults.catalogue import build
from faults.protocol import Context, Evidence, Fault, FaultError
from testbed.history.journal import Journal
from testbed.history.operation import FAULTS_PROCESS, Operation
from testbed.runner.clock import Clock
from testbed.runner.folder import EvidenceLog
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
        fault = build(step.kind, step.target, step.parameters)
        resolved: list[str] = []

        async def resolve(target: str) -> str:
            resolved.append(await self._context.resolve(target))
            return resolved[-1]

        context = replace(self._context, resolve=resolve)
        await self._clock.until(start_ns + int(step.at_s * 1e9))
        try:
            self._record(number, fault, "inject")
            await fault.inject(context)
            self._record(number, fault, "injected", resolved="->".join(resolved))
            until = self._clock.now() + int((step.duration_s or 0) * 1e9)
            await self._show(number, fault, "effect", context)
            await self._clock.until(until)
        finally:
            # A cancelled run heals too: nothing may stay broken in a world that is used again.
            await asyncio.shield(self._heal(number, fault, context))
        await self._show(number, fault, "absence", context)

    async def _heal(self, number: int, fault: Fault, context: Context) -> None:
        self._record(number, fault, "heal")
        await fault.heal(context)
        self._record(number, fault, "healed")

    async def _show(self, number: int, fault: Fault, phase: str, context: Context) -> None:
        try:
            found = await (fault.effect if phase == "effect" else fault.absence)(context)
        except FaultError as error:
            # What can't be observed is not shown; the run goes on and will be inconclusive.
            found = Evidence(fault.title, phase, False, str(error))
        found = replace(found, time=self._clock.now())
        self._evidence.show(number, found)
        self._record(number, fault, phase, shown=found.shown, observation=found.observation)

    def _record(self, number: int, fault: Fault, phase: str, **more: Any) -> None:
        self._journal.append(
            Operation(
                time=self._clock.now(),
                process=FAULTS_PROCESS,
                type="info",
                f=fault.kind,
                value={"step": number, "phase": phase, "title": fault.title, **more},
            )
        )
