"""What the driver of a run works with: opened once, watched while it is used."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from faults.protocol import Context
from testbed.clients.catalogue import SYSTEMS, System
from testbed.clients.protocol import Client, Endpoint
from testbed.history.appender import Appender
from testbed.history.journal import Journal
from testbed.probes.catalogue import PROBES
from testbed.probes.inspection import Inspection, Scene
from testbed.probes.inspections import INSPECTIONS, problems
from testbed.probes.links import LinkProbe
from testbed.probes.protocol import Probe
from testbed.runner.announcer import Announcer
from testbed.runner.clock import Clock
from testbed.runner.folder import RolesLog, RunFolder, read_json
from testbed.runner.plan import Plan
from testbed.runner.plan_document import PlanError, load_plan
from testbed.runner.pressure import PressureGauge
from testbed.runner.recorder import Recorder
from testbed.runner.targets import Targets
from testbed.runner.watch import watch_links, watch_rates, watch_roles, watch_streams
from testbed.topology.document import from_document
from testbed.topology.model import Topology
from testbed.topology.placement import Policy
from testbed.world.namespaces import open_world
from testbed.world.protocol import World


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything that a run works with, opened once."""

    folder: RunFolder
    plan: Plan
    topology: Topology
    variables: Mapping[str, Any]
    world: World
    system: System
    probe: Probe
    links: LinkProbe
    clock: Clock
    journal: Journal
    recorder: Recorder
    space: int
    announcer: Announcer
    inspections: tuple[Inspection, ...] = ()
    policy: Policy | None = None

    def context(self) -> Context:
        """What faults work with."""
        targets = Targets(self.topology, self.probe)
        return Context(self.world, targets.resolve, self.clock.now, self.links, policy=self.policy)

    def connector(self, timeout_ms: int) -> Callable[[Endpoint], Client]:
        """What makes the clients of this run, whose calls end after ``timeout_ms``."""
        return self.system.connector(
            self.topology, self.plan.load.workload, self.space, timeout_ms, self.variables
        )


@contextlib.asynccontextmanager
async def opened(folder: RunFolder, announcer: Announcer) -> AsyncIterator[Setting]:
    """Everything that the plan of a prepared folder needs, closed at the end.

    Raises:
        PlanError: The plan is damaged.
        FolderError: The folder is.
        WorldError: The world has ended.
        JournalError: The journal can't be written.
    """
    plan = load_plan(folder.plan)
    if unknown := problems(plan.inspections):
        raise PlanError(str(folder.plan), unknown)
    setup = read_json(folder.deployment)
    deployment = from_document(setup["deployment"])
    topology = deployment.topology
    clock = Clock()
    journal = Journal(folder.history)
    probe = PROBES[setup["system"]](topology, deployment.variables)
    links = LinkProbe(topology)
    world = open_world(setup["world"])
    scene = Scene(
        world=world,
        deployment=deployment,
        folder=folder.path,
        history=folder.history,
        space=setup["space"],
        base_ns=clock.base_ns,
        now=clock.now,
    )
    inspections = tuple(INSPECTIONS[name](scene) for name in plan.inspections)
    try:
        yield Setting(
            folder=folder,
            plan=plan,
            topology=topology,
            policy=deployment.policy,
            variables=deployment.variables,
            world=world,
            system=SYSTEMS[setup["system"]],
            probe=probe,
            links=links,
            clock=clock,
            journal=journal,
            recorder=Recorder(journal, clock),
            space=setup["space"],
            announcer=announcer,
            inspections=inspections,
        )
    finally:
        for inspection in inspections:
            await inspection.close()
        await probe.close()
        await links.close()
        journal.close()


@contextlib.asynccontextmanager
async def watched(setting: Setting) -> AsyncIterator[PressureGauge]:
    """Everything is watched inside; a watcher's failure is the run's."""
    gauge = PressureGauge()
    roles = RolesLog(setting.folder.roles)
    links = Appender(setting.folder.metrics / "links.jsonl")
    streams = Appender(setting.folder.metrics / "streams.jsonl")
    regions = [region.name for region in setting.topology.regions]
    watchers = [
        asyncio.create_task(gauge.run()),
        asyncio.create_task(
            watch_roles(setting.probe, setting.topology, setting.clock, roles, setting.announcer)
        ),
        asyncio.create_task(watch_rates(setting.recorder, regions, setting.announcer)),
        asyncio.create_task(watch_links(setting.links, setting.clock, links)),
        asyncio.create_task(watch_streams(setting.probe, setting.clock, streams)),
    ]
    try:
        yield gauge
    finally:
        for watcher in watchers:
            watcher.cancel()
        outcomes = await asyncio.gather(*watchers, return_exceptions=True)
        roles.close()
        links.close()
        streams.close()
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
