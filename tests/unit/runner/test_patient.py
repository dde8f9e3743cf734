"""A patient client keeps its connection while that serves, and tries again elsewhere after it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from testbed.clients.protocol import Client, Completion, Endpoint, Invocation
from testbed.runner import patient
from testbed.runner.patient import ImpatientError, Patient
from testbed.runner.recorder import Recorder

NEAR, FAR = Endpoint("near", "10.0.0.1", 1, "west"), Endpoint("far", "10.0.0.2", 1, "east")
READ = Invocation("read")
OK, FAIL, INFO = Completion("ok", True), Completion("fail", error="no"), Completion("info")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient, "_POLL_S", 0.001)


@dataclass
class Scripted:
    """A client whose operations end as the script says; one in ``info`` ends it."""

    script: Iterator[Completion]
    ended: bool = False
    closed: bool = False

    async def perform(self, invocation: Invocation) -> Completion:
        done = next(self.script)
        self.ended = done.type == "info"
        return done

    async def close(self) -> None:
        self.closed = True


@dataclass
class Journal:
    """What was tried: process, region and outcome."""

    tried: list[tuple[int, str, str]] = field(default_factory=list)
    processes: int = 0

    def process(self) -> int:
        self.processes += 1
        return self.processes

    async def perform(
        self, client: Client, process: int, region: str, what: Invocation
    ) -> Completion:
        done = await client.perform(what)
        self.tried.append((process, region, done.type))
        return done


def performed(*script: Completion, times: int = 1, **limits: Any) -> tuple[Journal, list[Scripted]]:
    outcomes, journal, clients = iter(script), Journal(), list[Scripted]()

    def connect(endpoint: Endpoint) -> Client:
        clients.append(Scripted(outcomes))
        return clients[-1]

    async def run() -> None:
        async with Patient(connect, (NEAR, FAR), cast(Recorder, journal)) as client:
            for _ in range(times):
                await client.perform(READ, **{"limit_s": 5.0, **limits})

    asyncio.run(run())
    return journal, clients


def test_operations_that_succeed_share_a_connection_and_a_process() -> None:
    journal, clients = performed(OK, OK, OK, times=3)
    assert journal.tried == [(1, "west", "ok")] * 3
    assert [one.closed for one in clients] == [True]


@pytest.mark.parametrize("bad", [FAIL, INFO])
def test_after_one_that_does_not_another_process_goes_on_at_the_next_endpoint(
    bad: Completion,
) -> None:
    journal, clients = performed(OK, bad, OK, OK, times=3)
    assert journal.tried == [
        (1, "west", "ok"), (1, "west", bad.type), (2, "east", "ok"), (2, "east", "ok"),
    ]  # fmt: skip
    assert all(one.closed for one in clients)


def test_what_is_not_wanted_yet_is_asked_for_again_on_the_same_connection() -> None:
    early = Completion("ok", False)
    journal, _ = performed(early, early, OK, wanted=lambda done: done.value is True)
    assert journal.tried == [(1, "west", "ok")] * 3


def test_what_is_never_wanted_ends_with_the_last_try() -> None:
    with pytest.raises(ImpatientError, match=r"'read' at near had not succeeded in 0 s: no"):
        performed(FAIL, limit_s=0.0)
