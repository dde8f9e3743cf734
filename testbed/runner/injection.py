"""One fault of a schedule in motion: injected, shown to bite, healed, shown to be gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from faults.catalogue import build
from faults.protocol import Context, Evidence, FaultError
from testbed.history.journal import Journal
from testbed.history.operation import FAULTS_PROCESS, Operation
from testbed.runner.folder import EvidenceLog
from testbed.runner.plan import Step


class Injection:
    """One injection, whose every phase becomes a line of the history.

    Args:
        number: Of the step in the schedule, from 0.
        step: What is injected.
        context: What faults may use.
        journal: Gets the phases.
        evidence: Gets what the fault was shown to do.
    """

    def __init__(
        self,
        number: int,
        step: Step,
        context: Context,
        journal: Journal,
        evidence: EvidenceLog,
    ) -> None:
        self._number = number
        self._parameters = dict(step.parameters)
        self._fault = build(step.kind, step.target, step.parameters)
        self._resolved: list[str] = []
        self._context = replace(context, resolve=self._resolve)
        self._resolve_target = context.resolve
        self._journal = journal
        self._evidence = evidence

    @property
    def resolved(self) -> str:
        """What the target meant when it was injected; empty before that."""
        return "->".join(self._resolved)

    async def inject(self) -> None:
        """Break it.

        Raises:
            FaultError: It could not be done; healing is still to be called.
        """
        given = {"parameters": self._parameters} if self._parameters else {}
        self._record("inject", **given)
        await self._fault.inject(self._context)
        self._record("injected", resolved=self.resolved)

    async def heal(self) -> None:
        """Undo it; idempotent.

        Raises:
            FaultError: It could not be done.
        """
        self._record("heal")
        await self._fault.heal(self._context)
        self._record("healed")

    async def show(self, phase: str) -> Evidence:
        """Look for the ``effect`` or the ``absence``, and record what was seen."""
        look = self._fault.effect if phase == "effect" else self._fault.absence
        try:
            found = await look(self._context)
        except FaultError as error:
            # What can't be observed is not shown; the run goes on and will be inconclusive.
            found = Evidence(self._fault.title, phase, False, str(error))
        found = replace(found, time=self._context.now())
        self._evidence.show(self._number, found)
        self._record(phase, shown=found.shown, observation=found.observation)
        return found

    async def _resolve(self, target: str) -> str:
        self._resolved.append(await self._resolve_target(target))
        return self._resolved[-1]

    def _record(self, phase: str, **more: Any) -> None:
        fault = self._fault
        self._journal.append(
            Operation(
                time=self._context.now(),
                process=FAULTS_PROCESS,
                type="info",
                f=fault.kind,
                value={"step": self._number, "phase": phase, "title": fault.title, **more},
            )
        )
