"""Recording stand-ins for what a fault uses, where a test is about the fault's own reasoning."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from faults.protocol import Context, FaultError
from testbed.probes.links import LinkReading
from testbed.topology.inventory import find, load
from testbed.topology.model import Topology
from testbed.world.count import Count
from testbed.world.protocol import Process, WorldError
from testbed.world.toxics import Toxic

Pair = tuple[str, str]

TOPOLOGY = load(find("active-passive")).topology
MESH = load(find("active-active")).topology
PLACED = load(find("data-placement")).topology


def topology_for(kind: str) -> Topology:
    """A topology on which a kind of fault can work: some need a mesh, one a placement."""
    placed = dict.fromkeys(("maintenance", "slot-drop"), PLACED)
    return {"clock-skew": MESH, "slot-loss": MESH, **placed}.get(kind, TOPOLOGY)


@dataclass
class Wan:
    """Counts a packet on each cut link at every look, as traffic would."""

    cut_links: dict[Pair, int] = field(default_factory=dict)
    on_links: dict[Pair, list[Toxic]] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    traffic: int = 1
    refuses: bool = False

    def cut(self, pairs: Iterable[Pair]) -> None:
        self._record("cut", sorted(pairs))
        for pair in self.calls[-1][1]:
            self.cut_links.setdefault(pair, 0)

    def heal(self, pairs: Iterable[Pair]) -> Mapping[Pair, Count]:
        self._record("heal", sorted(pairs))
        return {p: Count(self.cut_links.pop(p)) for p in self.calls[-1][1] if p in self.cut_links}

    def cuts(self) -> tuple[Pair, ...]:
        return tuple(self.cut_links)

    def dropped(self, pair: Pair) -> Count:
        if pair in self.cut_links:
            self.cut_links[pair] += self.traffic
        return Count(self.cut_links.get(pair, 0))

    def add_toxic(self, pair: Pair, toxic: Toxic, port: int | None = None) -> None:
        self._record("add", (pair, toxic) if port is None else (pair, toxic, port))
        self.on_links.setdefault(pair, []).append(toxic)

    def remove_toxic(self, pair: Pair, name: str) -> bool:
        self._record("remove", (pair, name))
        before = self.on_links.get(pair, [])
        self.on_links[pair] = [toxic for toxic in before if toxic.name != name]
        return len(self.on_links[pair]) < len(before)

    def toxics(self, pair: Pair) -> tuple[Toxic, ...]:
        return tuple(self.on_links.get(pair, ()))

    def _record(self, verb: str, what: Any) -> None:
        if self.refuses:
            raise WorldError("nft refused: is the wan provisioned?")
        self.calls.append((verb, what))


@dataclass
class Links:
    """Readings of links that are silent exactly while the wan cuts them."""

    wan: Wan
    dead: set[str] = field(default_factory=set)
    leaks: set[Pair] = field(default_factory=set)

    async def reading(self, source: str, target: str) -> LinkReading:
        if target in self.dead:
            return LinkReading(source, target, None, None, None, 0, 0)
        silent = (source, target) in self.wan.cut_links and (source, target) not in self.leaks
        age = 5000.0 if silent else 20.0
        return LinkReading(source, target, 35.0, age, age, 100, 100)


Trial = Callable[[str, dict[str, Any]], dict[str, Any]]


@dataclass
class World:
    """Processes that can be signalled and started, and trials that a test answers."""

    wan: Wan = field(default_factory=Wan)
    topology: Topology = TOPOLOGY
    running: dict[str, list[Process]] = field(default_factory=dict)
    sent: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    trial: Trial | None = None
    name: str = "fake"
    logs: Path = Path("/logs")
    immortal: bool = False

    def alive(self) -> bool:
        return True

    def argv(self, node: str, command: Sequence[str]) -> list[str]:
        return [node, *command]

    def execute(
        self,
        node: str,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        timeout_s: float = 60.0,
    ) -> subprocess.CompletedProcess[bytes]:
        if command[0] == "sh":
            return subprocess.CompletedProcess([], 0, self._notes(node), b"")
        assert self.trial is not None
        return subprocess.CompletedProcess(
            [], 0, json.dumps(self.trial(node, json.loads(stdin))).encode(), b""
        )

    def processes(self, node: str) -> tuple[Process, ...]:
        return tuple(self.running.get(node, ()))

    def signal(self, processes: Iterable[Process], number: int) -> tuple[Process, ...]:
        chosen = tuple(processes)
        self.sent.append((number, tuple(process.pid for process in chosen)))
        pids = {process.pid for process in chosen}
        for node, listed in self.running.items():
            self.running[node] = [
                changed
                for process in listed
                if (changed := self._after(process, number) if process.pid in pids else process)
            ]
        return chosen

    def down(self) -> None:
        raise AssertionError("a fault ends no world")

    def _after(self, process: Process, number: int) -> Process | None:
        if number == signal.SIGKILL:
            return process if self.immortal else None
        return replace(process, state="T" if number == signal.SIGSTOP else "S")

    def _notes(self, node: str) -> bytes:
        names = {"consul": "consul", "haproxy": "haproxy", "python": "patroni"}
        return b"".join(
            f'{names[p.command]} {p.inner} {{"start": "{p.started}"}}\n'.encode()
            for p in self.running.get(node, ())
            if p.command in names
        )


_PIDS = itertools.count(1000)


def process(command: str, parent: int = 1, state: str = "S", started: int = 10) -> Process:
    pid = next(_PIDS)
    return Process(pid, pid - 990, parent, command, (command,), state, started, 0)


def database() -> list[Process]:
    """What runs on a node of the groups consul and postgres, the observer left out."""
    postmaster = process("postgres")
    return [
        process("consul"),
        process("python"),
        postmaster,
        process("postgres", postmaster.pid),
        process("postgres", postmaster.pid),
    ]


def context(
    world: World | None = None, roles: Mapping[str, str] | None = None, links: Links | None = None
) -> Context:
    """A context over stand-ins; ``roles`` says what each role target resolves to."""
    used = world or World()
    held = dict(roles or {})

    async def resolve(target: str) -> str:
        if ":" not in target:
            return target
        if target not in held:
            raise FaultError(f"nobody holds {target}")
        return held[target]

    clock = itertools.count(0, 1_000_000)
    return Context(used, resolve, lambda: next(clock), links or Links(used.wan))
