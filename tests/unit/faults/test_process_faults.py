"""Kills and pauses: which processes, what is shown, what comes back, who holds what."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from faults import kill, pause, processes, program, working
from faults.catalogue import build
from faults.processes import launched as _launched
from faults.protocol import Context, FaultError
from testbed.provision.programs import ProgramState
from testbed.topology.model import Node
from testbed.world.protocol import Process
from tests.unit.faults.fakes import World, context, database, process

NODE = "eu-west-db1"
STAGES = {"consul": 1, "patroni": 2}


@dataclass
class Machine:
    """What programs do by themselves on the node: answer, and start when asked to."""

    world: World
    started: list[str] = field(default_factory=list)
    sick: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)

    async def healthy(self, name: str, node: Node) -> bool:
        return name not in self.sick and any(
            p.state != "T" for p in self.world.running[node.name] if p.command == _command(name)
        )

    async def launched(self, context: Context, node: str) -> tuple[ProgramState, ...]:
        return tuple(
            ProgramState(name, None, stage, healthy=False) for name, stage in STAGES.items()
        )

    async def start(self, context: Context, node: str, name: str) -> None:
        if name in self.broken:
            raise FaultError(f"{name} on {node} could not be started again")
        self.started.append(name)
        if not any(p.command == _command(name) for p in self.world.running[node]):
            self.world.running[node].append(process(_command(name), started=99))
        if name == "patroni" and not any(p.command == "postgres" for p in self.world.running[node]):
            self.world.running[node].append(process("postgres", started=100))


def _command(name: str) -> str:
    return "python" if name == "patroni" else name


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(World(running={NODE: database()}))
    for module in (kill, working):
        monkeypatch.setattr(module, "healthy", made.healthy)
    monkeypatch.setattr(processes, "launched", made.launched)
    monkeypatch.setattr(processes, "start", made.start)
    monkeypatch.setattr(pause, "IDLE_S", 0.0)
    monkeypatch.setattr(pause, "STOP_S", 0.1)
    for module, name in (
        (kill, "GONE_S"),
        (kill, "BETWEEN_STAGES_S"),
        (pause, "EFFECT_S"),
        (working, "SIGHT_S"),
    ):
        monkeypatch.setattr(module, name, 0.0)
    impatient = {name: replace(p, recovery_s=0.0) for name, p in program.PROGRAMS.items()}
    monkeypatch.setattr(working, "PROGRAMS", impatient)
    return made


def commands(world: World) -> list[str]:
    return [one.command for one in world.running[NODE]]


def test_killing_postgres_kills_all_of_it_and_nothing_else(machine: Machine) -> None:
    async def play() -> None:
        used = context(machine.world, {"role:primary": NODE})
        fault = build("process-kill", "role:primary/postgres", {})
        await fault.inject(used)
        assert commands(machine.world) == ["consul", "python"]
        effect = await fault.effect(used)
        assert effect.shown
        assert "3 processes of postgres on eu-west-db1 were killed, 0 of them" in effect.observation
        await fault.heal(used)
        assert machine.started == []
        assert not (await fault.absence(used)).shown
        machine.world.running[NODE].append(process("postgres", started=50))
        absence = await fault.absence(used)
        assert absence.shown, absence.observation

    asyncio.run(play())


def test_the_supervisor_is_killed_before_the_program_and_started_after(machine: Machine) -> None:
    async def play() -> None:
        patroni = next(p.pid for p in machine.world.running[NODE] if p.command == "python")
        used = context(machine.world)
        fault = build("process-kill", f"{NODE}/postgres", {"supervisor": "kill"})
        await fault.inject(used)
        (number, pids), *_ = machine.world.sent
        assert number == signal.SIGKILL
        assert pids[0] == patroni
        assert commands(machine.world) == ["consul"]
        await fault.heal(used)
        assert machine.started == ["patroni"]
        assert (await fault.absence(used)).shown
        await fault.heal(used)
        assert machine.started == ["patroni"]

    asyncio.run(play())


def test_a_kill_that_leaves_a_process_alive_is_no_kill(machine: Machine) -> None:
    async def play() -> None:
        machine.world.immortal = True
        used = context(machine.world)
        fault = build("process-kill", f"{NODE}/consul", {})
        with pytest.raises(FaultError, match="survived SIGKILL"):
            await fault.inject(used)
        assert not (await fault.effect(used)).shown
        await fault.heal(used)
        assert not (await fault.absence(used)).shown

    asyncio.run(play())


@pytest.mark.parametrize("kind", ["process-kill", "process-pause"])
def test_nothing_to_break_is_an_error(machine: Machine, kind: str) -> None:
    async def play() -> None:
        machine.world.running[NODE] = [process("consul")]
        used = context(machine.world)
        fault = build(kind, f"{NODE}/postgres", {})
        with pytest.raises(FaultError, match=f"no process of postgres runs on {NODE}; see /logs"):
            await fault.inject(used)
        await fault.heal(used)
        assert machine.started == []

    asyncio.run(play())


def test_a_node_kill_kills_everything_and_starts_by_stage(machine: Machine) -> None:
    async def play() -> None:
        machine.world.running[NODE].append(process("stranger"))
        used = context(machine.world)
        fault = build("node-kill", NODE, {})
        await fault.inject(used)
        assert commands(machine.world) == []
        assert (await fault.effect(used)).shown
        await fault.heal(used)
        assert machine.started == ["consul", "patroni"]
        assert (await fault.absence(used)).shown
        machine.sick.add("consul")
        absence = await fault.absence(used)
        assert not absence.shown
        assert "consul does not answer" in absence.observation

    asyncio.run(play())


def test_a_program_killed_twice_starts_when_both_faults_are_healed(machine: Machine) -> None:
    async def play() -> None:
        used = context(machine.world)
        alone = build("process-kill", f"{NODE}/consul", {})
        node = build("node-kill", NODE, {})
        machine.world.running[NODE].append(process("consul", started=1))
        await alone.inject(used)
        machine.world.running[NODE].append(process("consul", started=2))
        await node.inject(used)
        await alone.heal(used)
        assert machine.started == []
        absence = await alone.absence(used)
        assert absence.shown
        assert "consul is held by another fault" in absence.observation
        await node.heal(used)
        assert machine.started == ["consul", "patroni"]

    asyncio.run(play())


def test_a_failed_start_is_reported_and_tried_again(machine: Machine) -> None:
    async def play() -> None:
        used = context(machine.world)
        fault = build("node-kill", NODE, {})
        await fault.inject(used)
        machine.broken.add("consul")
        with pytest.raises(FaultError, match="could not be healed: consul on eu-west-db1"):
            await fault.heal(used)
        assert machine.started == ["patroni"]
        machine.broken.clear()
        await fault.heal(used)
        assert machine.started == ["patroni", "consul"]

    asyncio.run(play())


def test_a_pause_is_state_t_without_processor_time(machine: Machine) -> None:
    async def play() -> None:
        used = context(machine.world)
        fault = build("process-pause", f"{NODE}/postgres", {})
        await fault.inject(used)
        states = {one.command: one.state for one in machine.world.running[NODE]}
        assert states == {"consul": "S", "python": "S", "postgres": "T"}
        effect = await fault.effect(used)
        assert effect.shown
        # A state is told once, however many processes are in it.
        assert "3 of 3 processes on eu-west-db1 (postgres) are in state T;" in effect.observation
        assert not (await fault.absence(used)).shown
        await fault.heal(used)
        assert all(one.state == "S" for one in machine.world.running[NODE])
        assert (await fault.absence(used)).shown
        sent = list(machine.world.sent)
        await fault.heal(used)
        assert machine.world.sent == sent

    asyncio.run(play())


@pytest.mark.parametrize("way", ["one goes on", "one worked", "one died"])
def test_a_pause_that_does_not_hold_is_not_shown(
    machine: Machine, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> None:
        used = context(machine.world)
        fault = build("node-pause", NODE, {})
        await fault.inject(used)
        running = machine.world.running[NODE]
        if way == "one goes on":
            running[0] = replace(running[0], state="R")
        if way == "one died":
            del running[0]
        if way == "one worked":
            look = machine.world.processes

            def busy(node: str) -> tuple[Process, ...]:
                seen = look(node)
                machine.world.running[NODE][0] = replace(seen[0], cpu_ticks=seen[0].cpu_ticks + 1)
                return seen

            monkeypatch.setattr(machine.world, "processes", busy)
        assert not (await fault.effect(used)).shown

    asyncio.run(play())


def test_what_two_pauses_hold_goes_on_after_both(machine: Machine) -> None:
    async def play() -> None:
        used = context(machine.world)
        alone = build("process-pause", f"{NODE}/consul", {})
        node = build("node-pause", NODE, {})
        await alone.inject(used)
        await node.inject(used)
        await node.heal(used)
        states = {one.command: one.state for one in machine.world.running[NODE]}
        assert states == {"consul": "T", "python": "S", "postgres": "S"}
        absence = await node.absence(used)
        assert absence.shown
        assert "consul is held by another fault" in absence.observation
        await alone.heal(used)
        assert (await alone.absence(used)).shown

    asyncio.run(play())


def test_a_process_that_does_not_stop_is_an_error_and_what_stopped_goes_on(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> None:
        stubborn = machine.world.running[NODE][0].pid
        deliver = machine.world.signal

        def all_but_one(chosen: Any, number: int) -> tuple[Process, ...]:
            return deliver([one for one in chosen if one.pid != stubborn], number)

        monkeypatch.setattr(machine.world, "signal", all_but_one)
        used = context(machine.world)
        fault = build("node-pause", NODE, {})
        with pytest.raises(FaultError, match="consul on eu-west-db1 did not stop"):
            await fault.inject(used)
        await fault.heal(used)
        assert all(one.state == "S" for one in machine.world.running[NODE])

    asyncio.run(play())


def test_the_leader_s_loss_needs_the_fault_and_another_leader(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faults.dcs_leader_loss.LOST_S", 0.0)
    monkeypatch.setattr("faults.dcs_leader_loss.FOUND_S", 0.0)

    async def play() -> None:
        roles = {"role:dcs-leader": NODE}

        async def resolve(target: str) -> str:
            if target.startswith("role:") and target not in roles:
                raise FaultError("nobody")
            return roles.get(target, target)

        used = replace(context(machine.world), resolve=resolve)
        fault = build("dcs-leader-loss", "role:dcs-leader", {"mode": "kill"})
        await fault.inject(used)
        assert commands(machine.world) == ["python", "postgres", "postgres", "postgres"]
        assert not (await fault.effect(used)).shown
        roles.clear()
        effect = await fault.effect(used)
        assert effect.shown
        assert effect.fault == "dcs-leader-loss role:dcs-leader"
        assert "nobody leads" in effect.observation
        await fault.heal(used)
        assert machine.started == ["consul"]
        assert not (await fault.absence(used)).shown
        roles["role:dcs-leader"] = "us-east-db1"
        assert (await fault.absence(used)).shown

    asyncio.run(play())


def test_launched_explains_a_node_that_cannot_be_asked() -> None:
    async def play() -> None:
        world = World(trial=lambda node, request: {"failed": True, "msg": "gone"})
        with pytest.raises(FaultError, match="the programs of eu-west-db1 cannot be asked for"):
            await _launched(context(world), NODE)

    # The launcher's request is framed, not JSON: any answer of a stand-in will do.
    world_execute = World.execute

    def execute(self: World, node: str, command: Any, **more: Any) -> Any:
        return world_execute(self, node, command, **{**more, "stdin": b"{}"})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(World, "execute", execute)
        asyncio.run(play())
