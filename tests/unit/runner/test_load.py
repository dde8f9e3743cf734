"""The load is open loop: what a stall does to it is seen in the journal."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from testbed.clients.protocol import Client, Completion, Endpoint, Invocation
from testbed.history.history import History
from testbed.history.journal import Journal, read
from testbed.runner.clock import Clock
from testbed.runner.load import generate
from testbed.runner.plan import Load
from testbed.runner.recorder import Recorder

UNHURRIED_MS = 60_000
"""A busy machine sheds nothing either: these wait as long as it takes."""

ENDPOINT = Endpoint("writer", "10.77.1.11", 5000, "eu-west")


class Numbers:
    """A workload of numbers."""

    def stream(self, region: str, random: random.Random) -> Iterator[Invocation]:
        return (Invocation("add", number) for number in itertools.count())


class Scripted:
    """A client whose answers a function decides."""

    def __init__(self, answer: Callable[[Invocation], Completion], delay_s: float) -> None:
        self.answer = answer
        self.delay_s = delay_s
        self.closed = False
        self.ended = False

    async def perform(self, invocation: Invocation) -> Completion:
        await asyncio.sleep(self.delay_s)
        return self.answer(invocation)

    async def close(self) -> None:
        self.closed = True


def run(
    folder: Path, load: Load, connect: Callable[[Endpoint], Client], duration_s: float = 0.3
) -> History:
    path = folder / "history.jsonl"
    with Journal(path) as journal:
        recorder = Recorder(journal, Clock())
        work = generate(
            load,
            Numbers(),  # type: ignore[arg-type]
            (ENDPOINT,),
            connect,
            recorder=recorder,
            seed=1,
            duration_s=duration_s,
        )
        asyncio.run(work)
    return read(path)


def test_every_arrival_is_journalled_before_and_after(tmp_path: Path) -> None:
    load = Load("set", rate_ops_s=100, processes=4, timeout_ms=UNHURRIED_MS)
    history = run(tmp_path, load, lambda _: Scripted(lambda _: Completion("ok", node="a"), 0.0))
    pairs = history.pairs()
    assert len(pairs) == 30
    assert {pair.outcome for pair in pairs} == {"ok"}
    assert {pair.region for pair in pairs} == {"eu-west"}
    assert {pair.node for pair in pairs} == {"a"}


def test_a_process_retires_after_an_unknown_outcome(tmp_path: Path) -> None:
    made: list[Scripted] = []

    def connect(_: Endpoint) -> Scripted:
        made.append(Scripted(lambda _: Completion("info", error="timeout"), 0.0))
        return made[-1]

    load = Load("set", rate_ops_s=50, processes=2, timeout_ms=UNHURRIED_MS)
    history = run(tmp_path, load, connect)
    processes = [pair.invocation.process for pair in history.pairs()]
    assert len(processes) == len(set(processes)) == 15
    assert all(client.closed for client in made)


def test_a_process_goes_on_after_a_definite_failure(tmp_path: Path) -> None:
    load = Load("set", rate_ops_s=50, processes=2, timeout_ms=100)
    history = run(tmp_path, load, lambda _: Scripted(lambda _: Completion("fail"), 0.0))
    assert len({pair.invocation.process for pair in history.pairs()}) <= 2


def test_a_stall_is_recorded_as_a_stall(tmp_path: Path) -> None:
    """Arrivals go on while every process hangs: late ones say so, hopeless ones are never sent."""
    load = Load("set", rate_ops_s=100, processes=1, timeout_ms=50)
    history = run(tmp_path, load, lambda _: Scripted(lambda _: Completion("ok"), 0.1))
    pairs = history.pairs()
    assert len(pairs) == 30
    shed = [pair for pair in pairs if pair.outcome == "fail"]
    sent = [pair for pair in pairs if pair.outcome == "ok"]
    assert len(sent) + len(shed) == 30
    assert len(shed) >= 20
    assert all(pair.completion is not None and pair.completion.error == "shed" for pair in shed)
    assert any(pair.start_ns - pair.due_ns > 5_000_000 for pair in sent)


def test_a_process_is_one_connection(tmp_path: Path) -> None:
    """Where the connection ends after a definite answer, the next operation has a new process."""

    def connect(_: Endpoint) -> Scripted:
        client = Scripted(lambda _: end(client), 0.0)
        return client

    def end(client: Scripted) -> Completion:
        client.ended = True
        return Completion("fail")

    load = Load("set", rate_ops_s=50, processes=2, timeout_ms=UNHURRIED_MS)
    history = run(tmp_path, load, connect)
    processes = [pair.invocation.process for pair in history.pairs()]
    assert len(set(processes)) == len(processes) == 15
