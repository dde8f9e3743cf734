"""Plays faults from inside a world's network, as a run's driver does: ``inside.py WORLD``.

Each line on standard input is a script, ``{"faults": [[kind, target, parameters], ...], "moves":
[[move, argument], ...]}``; it is answered by one line, a list with an object for each move. Moves:
``steady``, ``inject``, ``effect``, ``heal``, ``absence`` (the argument is the fault's number),
``hold`` (seconds), and what happens behind a fault's back: ``uncut``, ``untoxic`` (a link) and
``resume`` (a node).
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from dataclasses import asdict
from typing import Any

from faults.catalogue import build
from faults.deadline import look_until
from faults.protocol import Context, FaultError
from testbed.probes.catalogue import PROBES
from testbed.probes.links import LinkProbe
from testbed.runner.targets import Targets
from testbed.world.namespaces import open_world

STEADY_S = 120.0


class LoopGauge:
    """Measures for how long the event loop serves nobody else."""

    def __init__(self) -> None:
        self.gap_ms = 0.0

    async def run(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.002)
            now = time.monotonic()
            self.gap_ms = max(self.gap_ms, (now - last) * 1000 - 2)
            last = now


class Player:
    """One context and its faults."""

    def __init__(self, name: str, faults: list[Any]) -> None:
        self.world = open_world(name)
        self.probe = PROBES["postgres"](self.world.topology, self.world.variables)
        self.links = LinkProbe(self.world.topology)
        self.context = Context(
            self.world,
            Targets(self.world.topology, self.probe).resolve,
            time.monotonic_ns,
            self.links,
        )
        self.faults = [build(*each) for each in faults]

    async def make(self, move: str, argument: Any) -> dict[str, Any]:
        if move == "steady":
            return await self.steady()
        if move == "hold":
            await asyncio.sleep(float(argument))
            return {}
        if move == "uncut":
            source, _, target = argument.partition("->")
            self.world.wan.heal([(source, target)])
            return {}
        if move == "untoxic":
            source, _, target = argument.partition("->")
            for toxic in self.world.wan.toxics((source, target)):
                if not toxic.name.startswith("link-"):
                    self.world.wan.remove_toxic((source, target), toxic.name)
            return {}
        if move == "resume":
            self.world.signal(self.world.processes(argument), signal.SIGCONT)
            return {}
        evidence = await getattr(self.faults[argument], move)(self.context)
        return asdict(evidence) if evidence is not None else {}

    async def steady(self) -> dict[str, Any]:
        problems = await look_until(
            self.probe.problems, lambda found: not found, limit_s=STEADY_S, every_s=0.3
        )
        return {"problems": list(problems)}

    async def play(self, moves: list[tuple[str, Any]]) -> list[dict[str, Any]]:
        return [await self._timed(move, argument) for move, argument in moves]

    async def _timed(self, move: str, argument: Any) -> dict[str, Any]:
        gauge = LoopGauge()
        watcher = asyncio.create_task(gauge.run())
        await asyncio.sleep(0.02)
        began = time.monotonic()
        try:
            said = await self.make(move, argument)
        except FaultError as error:
            said = {"error": str(error)}
        seconds = time.monotonic() - began
        watcher.cancel()
        return {"move": move, "seconds": seconds, "gap_ms": gauge.gap_ms, **said}

    async def close(self) -> None:
        await self.probe.close()
        await self.links.close()


async def answer(script: dict[str, Any]) -> list[dict[str, Any]]:
    player = Player(sys.argv[1], script["faults"])
    try:
        return await player.play(script["moves"])
    finally:
        await player.close()


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(asyncio.run(answer(json.loads(line)))), flush=True)
