"""Preflight: everything that must be true before a drill begins, each item checked and shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from faults.catalogue import build
from faults.protocol import Context, FaultError
from testbed.clients.system import data_nodes
from testbed.drill.book import Book
from testbed.drill.drill import Drill
from testbed.drill.readings import broken
from testbed.drill.rehearsal import rehearsal_steps, rehearse
from testbed.drill.stop_watch import StopWatch, provoked
from testbed.probes.protocol import Probe
from testbed.runner.announcer import Announcer
from testbed.runner.stage import StageError, steady
from testbed.world.namespaces import NamespaceWorld

HEALTHY_S = 60.0
TRIP_S = 0.5
"""How long a provoked stop condition is out of bounds before it trips."""

_POLL_S = 0.1

WORLD, PRIMARY, STOPS, ROLLBACK, STEADY = (
    "the world is healthy",
    "the primary stands where the drill begins",
    "the stop conditions trip",
    "the rollback is rehearsed",
    "the steady state is measured",
)
ITEMS = (WORLD, PRIMARY, STOPS, ROLLBACK, STEADY)


class PreflightError(Exception):
    """An item is red: the drill does not begin."""


class Preflight:
    """Checks the items one after the other; the first red one ends it.

    Args:
        drill: What is about to be played.
        book: Gets every item.
        context: What faults may use.
        world: The world.
        probe: Looks at the system.
        signals: The signals of this moment.
    """

    def __init__(
        self,
        drill: Drill,
        book: Book,
        *,
        context: Context,
        world: NamespaceWorld,
        probe: Probe,
        signals: Callable[[], Mapping[str, float | None]],
    ) -> None:
        self._drill = drill
        self._book = book
        self._context = context
        self._world = world
        self._probe = probe
        self._signals = signals

    async def world(self) -> None:
        """Nothing keeps the world from steady state, and the primary is where it should be.

        Raises:
            PreflightError: It is not so.
        """
        await self._item(WORLD, self._healthy)
        await self._item(PRIMARY, self._primary)

    async def under_load(self) -> None:
        """Stop conditions, rollback and steady state, while the clients work.

        The steady state comes last: the rehearsal is the latest that could have disturbed it.

        Raises:
            PreflightError: An item is red.
        """
        await self._item(STOPS, self._trip)
        await self._item(ROLLBACK, self._rolled_back)
        await self._item(STEADY, self._steady)

    async def _item(self, name: str, check: Callable[[], Awaitable[tuple[bool, str]]]) -> None:
        good, text = await check()
        self._book.note("preflight", name, text, good=good, secret=True)
        if not good:
            raise PreflightError(f"preflight: {name}: no: {text}")

    async def _healthy(self) -> tuple[bool, str]:
        try:
            await steady(self._probe, HEALTHY_S, Announcer(None, 0))
        except StageError as error:
            return False, str(error)
        left = self._world.topology
        return True, f"{len(left.nodes)} nodes in {len(left.regions)} regions, nothing to complain"

    async def _primary(self) -> tuple[bool, str]:
        wanted = self._drill.primary_region
        holder = await self._probe.holder("primary")
        if not wanted or self._region_of(holder) == wanted:
            return True, f"{holder or 'every region'} takes writes"
        able = data_nodes(self._world.topology)
        candidate = next(node.name for node in able if node.region == wanted)
        move = build("switchover", "role:primary", {"candidate": candidate})
        try:
            await move.inject(self._context)
            found = await move.effect(self._context)
            await steady(self._probe, HEALTHY_S, Announcer(None, 0))
        except (FaultError, StageError) as error:
            return False, f"{holder} is primary and could not hand over: {error}"
        return found.shown, f"moved from {holder} to {candidate}"

    async def _rolled_back(self) -> tuple[bool, str]:
        region = self._region_of(await self._probe.holder("primary"))
        steps = rehearsal_steps(self._drill, self._world.topology, region)
        rehearsed = await rehearse(steps, self._context, self._world)
        within_s = self._drill.rollback.within_s
        good = not rehearsed.problem and rehearsed.healed_s <= within_s
        said = f"{rehearsed.what}: undone in {rehearsed.healed_s:.2f} s of {within_s:g} s"
        return good, f"{said}; {rehearsed.problem or 'nothing is left of it'}"

    async def _steady(self) -> tuple[bool, str]:
        """Nothing is to complain, and then every bound holds for ``measured_s``."""
        try:
            await steady(self._probe, HEALTHY_S, Announcer(None, 0))
        except StageError as error:
            return False, str(error)
        return await self._within_bounds(self._drill.steady_state.measured_s)

    async def _within_bounds(self, measured_s: float) -> tuple[bool, str]:
        """Every bound holds for the whole time, after a while to get there."""
        deadline_s = time.monotonic() + HEALTHY_S
        since_s: float | None = None
        values: Mapping[str, float | None] = {}
        while True:
            now_s, values = time.monotonic(), self._signals()
            bad = broken(self._drill.steady_state.bounds, values)
            since_s = None if bad else since_s or now_s
            if since_s is not None and now_s - since_s >= measured_s:
                return True, f"for {measured_s:g} s: {_listed(values)}"
            if now_s > deadline_s:
                return False, "; ".join(bad) or f"not for {measured_s:g} s in a row"
            await asyncio.sleep(_POLL_S)

    async def _trip(self) -> tuple[bool, str]:
        """Each condition, with a limit that this world's readings break, trips when it should."""
        good, text = await self._within_bounds(0.0)
        if not good:
            return False, text
        said = []
        for condition in self._drill.stop_conditions:
            value = self._signals().get(condition.bound.signal)
            if value is None:
                return False, f"{condition.name}: {condition.bound.signal} has no reading"
            healthy = StopWatch(condition)
            if healthy.observe(0.0, {condition.bound.signal: value}) or healthy.since_s is not None:
                return False, f"{condition.name}: out of bounds already, at {value:g}"
            tripped_s = await self._provoke(StopWatch(provoked(condition, value, TRIP_S)))
            good = good and tripped_s is not None
            shown = "did not trip" if tripped_s is None else f"tripped after {tripped_s:.1f} s"
            said.append(f"{condition.name}: {shown} on a provoked limit ({value:g} now)")
        return good, "; ".join(said)

    async def _provoke(self, watch: StopWatch) -> float | None:
        """How long real readings took to trip it; None when they did not."""
        began_s = time.monotonic()
        while (now_s := time.monotonic()) - began_s < TRIP_S * 6:
            value = self._signals().get(watch.condition.bound.signal)
            if value is not None:
                # Readings move: the limit is kept just beyond the latest one.
                watch.condition = provoked(watch.condition, value, TRIP_S)
            if watch.observe(now_s, self._signals()):
                return now_s - began_s
            await asyncio.sleep(_POLL_S)
        return None

    def _region_of(self, node: str | None) -> str:
        return self._world.topology.node(node).region if node else ""


def _listed(values: Mapping[str, float | None]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in values.items() if value is not None)
