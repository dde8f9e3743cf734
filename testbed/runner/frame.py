"""What stands around whatever breaks in a run: the set-up, the load, the recovery, final reads."""

from __future__ import annotations

import asyncio

from testbed.runner import stage
from testbed.runner.load import generate
from testbed.runner.patient import ImpatientError, Patient
from testbed.runner.setting import Setting
from testbed.runner.stage import StageError
from testbed.workloads.catalogue import make

FINAL_LIMIT_S = 60.0
FINAL_TIMEOUT_MS = 10_000


class Frame:
    """The stages of a run that are the same for a schedule and for a drill.

    Args:
        setting: What the run works with.
    """

    def __init__(self, setting: Setting) -> None:
        plan, topology = setting.plan, setting.topology
        self._setting = setting
        self._workload = make(plan.load.workload, plan.load.parameters, topology, setting.space)
        self._entries = setting.system.entries(topology)
        self._writers = tuple(entry for entry in self._entries if entry.name == "writer")
        self._patient = setting.connector(FINAL_TIMEOUT_MS)
        self._swift = setting.connector(plan.load.timeout_ms)

    async def begin(self, limit_s: float) -> None:
        """Make what the workload needs, and begin the plan's inspections.

        Args:
            limit_s: How long each operation of the set-up may take to succeed.

        Raises:
            StageError: One did not.
            WorldError: An inspection could not begin.
        """
        try:
            async with Patient(self._patient, self._writers, self._setting.recorder) as client:
                for what in self._workload.setup():
                    await client.perform(what, limit_s=limit_s)
        except ImpatientError as error:
            raise StageError(str(error)) from None
        for inspection in self._setting.inspections:
            await inspection.begin()

    async def load(self, duration_s: float, enough: asyncio.Event | None = None) -> None:
        """Run the load, as :func:`testbed.runner.load.generate`; to be called once."""
        setting = self._setting
        await generate(
            setting.plan.load,
            self._workload,
            (*self._entries, *setting.system.sessions(setting.topology)),
            self._swift,
            recorder=setting.recorder,
            seed=setting.plan.seed,
            duration_s=duration_s,
            enough=enough,
        )

    async def end(self, limit_s: float) -> None:
        """Await a mark at every node, then read everything from each.

        Args:
            limit_s: How long the mark may take.

        Raises:
            StageError: The final reads were not answered.
        """
        setting = self._setting
        nodes = setting.system.nodes(setting.topology)
        apart = setting.system.writes_everywhere
        await stage.see_recovery(
            self._swift,
            [(writer,) for writer in self._writers] if apart else [self._writers],
            nodes,
            recorder=setting.recorder,
            limit_s=limit_s,
            announcer=setting.announcer,
        )
        await stage.read_final(
            self._patient,
            nodes,
            self._workload.final(),
            recorder=setting.recorder,
            limit_s=FINAL_LIMIT_S,
            announcer=setting.announcer,
        )
