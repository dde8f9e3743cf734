"""The rollback rehearsed: something harmless is broken on this very world, and undone in time."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from faults.catalogue import build
from faults.protocol import Context, Evidence, Fault, FaultError
from testbed.drill.drill import Drill
from testbed.runner.plan import Step
from testbed.topology.model import Topology
from testbed.world.namespaces import NamespaceWorld
from testbed.world.protocol import WorldError

HOLD_S = 0.6
"""What a step has to say; a rehearsed one is undone as soon as it is shown to bite."""

ADDED_MS = 250
"""Far beyond what a busy machine adds to a measurement by itself; on a link without the primary."""

ABSENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of it.

    Args:
        what: What was broken.
        healed_s: From the wish to heal until everything was undone.
        problem: What did not work; empty if all did.
    """

    what: str
    healed_s: float
    problem: str


def rehearsal_steps(drill: Drill, topology: Topology, primary: str) -> tuple[Step, ...]:
    """One harmless stand-in for each way in which the drill breaks things.

    Links that do not touch the primary's region are cut or slowed for a moment; where processes
    are stopped, the testbed's own observer is, in a region without the primary.

    Args:
        drill: Whose faults are rehearsed.
        topology: Of the world.
        primary: The primary's region now.
    """
    others = [region.name for region in topology.regions if region.name != primary]
    kinds = {inject.step.kind for inject in drill.injects}
    steps = []
    links = [one for one in topology.links if {one.source, one.target} <= set(others)]
    if links and kinds & {"region-cut", "link-cut", "dcs-leader-loss"}:
        steps.append(Step("link-cut", links[0].name, 0.0, HOLD_S))
    elif links and any(kind.startswith("link-") for kind in kinds):
        steps.append(Step("link-latency", links[0].name, 0.0, HOLD_S, {"added_ms": ADDED_MS}))
    observers = [node for region in others for node in topology.members("observers", region)]
    if observers and kinds & {"node-pause", "process-pause", "node-kill", "process-kill"}:
        steps.append(Step("process-pause", f"{observers[-1].name}/observer", 0.0, HOLD_S))
    return tuple(steps)


async def rehearse(steps: tuple[Step, ...], context: Context, world: NamespaceWorld) -> Rehearsed:
    """Break it, see that it is broken, undo it as a halt does, and see that nothing is left.

    It is undone as soon as its effect is shown. A cut that lasts longer than the lease of the
    store's leader would move more than what is rehearsed.

    Args:
        steps: What is broken, all at once.
        context: What faults may use.
        world: To see that nothing is left.
    """
    faults = [build(step.kind, step.target, step.parameters) for step in steps]
    problems = []
    # One after the other: a stopped observer would hide what a cut does.
    for fault in faults:
        try:
            await fault.inject(context)
            problems += _unless_shown(await fault.effect(context), fault, "bite")
        except FaultError as error:
            problems.append(str(error))
    began_s = time.monotonic()
    outcomes = await asyncio.gather(
        *(fault.heal(context) for fault in faults), return_exceptions=True
    )
    healed_s = time.monotonic() - began_s
    problems += [str(one) for one in outcomes if isinstance(one, BaseException)]
    try:
        async with asyncio.timeout(ABSENCE_S):
            for fault in faults:
                problems += _unless_shown(await fault.absence(context), fault, "go")
    except (FaultError, TimeoutError) as error:
        problems.append(f"its absence was not shown: {error}")
    problems += await leftovers(world)
    what = ", ".join(fault.title for fault in faults) or "nothing"
    return Rehearsed(what, healed_s, "; ".join(problems))


def _unless_shown(found: Evidence, fault: Fault, what: str) -> list[str]:
    said = f"{fault.title} was not shown to {what}: {found.observation}"
    return [] if found.shown else [said]


async def leftovers(world: NamespaceWorld) -> list[str]:
    """What a fault left on the links of a world, a sentence each; empty when there is nothing."""
    try:
        return await asyncio.to_thread(lambda: world.wan.agree(check=True))
    except WorldError as error:
        return [str(error)]
