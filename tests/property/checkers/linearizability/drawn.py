"""Small histories of an object: processes that invoke, take effect, and complete or crash."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.dice import Dice, dice
from tests.property.checkers.linearizability.objects import Object
from tests.unit.checkers.linearizability.oracle import Operation

CLIENTS = 4
Step = tuple[int, int, int, int]


def steps(most: int, clients: int = CLIENTS, least: int = 1) -> st.SearchStrategy[list[Step]]:
    """So many steps: which client goes on; what it asks, or how it ends; an argument; a lie."""

    def thrown(chosen: Dice) -> list[Step]:
        return [
            (
                chosen.number(0, clients - 1),
                chosen.number(0, 11),
                chosen.number(0, 8),
                chosen.number(0, 5),
            )
            for _ in range(chosen.number(least, most))
        ]

    return dice(1 + 4 * most).map(thrown)


@dataclass
class _Client:
    """What a client is doing."""

    process: int
    f: str = ""
    value: Any = None
    start: int = -1
    result: Any = None
    phase: str = "idle"


@dataclass
class Run:
    """A run of an object: most results are true, some are lies."""

    model: Object
    clients: list[_Client]
    processes: int
    operations: list[Operation] = field(default_factory=list)
    state: Any = None
    time: int = 0

    @classmethod
    def of(cls, model: Object, clients: int = CLIENTS) -> Run:
        """A run of so many clients."""
        return cls(model, [_Client(number) for number in range(clients)], clients)

    def go(self, drawn: list[Step]) -> list[Operation]:
        """The operations that the steps lead to; what is open at the end never completes."""
        self.state = self.model.initial
        for step in drawn:
            self.time += 1
            self._step(*step)
        for client in self.clients:
            if client.phase != "idle":
                self._crash(client)
        return sorted(self.operations, key=lambda one: one.start)

    def _step(self, who: int, a: int, b: int, lie: int) -> None:
        client = self.clients[who]
        if client.phase == "idle":
            count = len(self.operations) + sum(one.phase != "idle" for one in self.clients)
            client.f, client.value = self.model.ask(a, b, count)
            client.start, client.phase = self.time, "asked"
        elif client.phase == "asked" and a < 9:
            done = self.model.perform(self.state, client.f, client.value)
            client.phase = "failed"
            if done is not None:
                self.state, client.result = done
                client.phase = "done"
        elif a >= 9 and b < 5:
            self._crash(client)
        else:
            self._complete(client, a, b, lie)

    def _complete(self, client: _Client, a: int, b: int, lie: int) -> None:
        failed = client.phase == "failed" and (b > 1 or self.model.failed_counts)
        value = client.value
        if client.f in self.model.sees:
            value = client.result if client.phase == "done" and a < 7 else self.model.lie(lie, 9)
        self.operations.append(
            Operation(client.process, client.f, value, client.start, self.time, failed)
        )
        client.phase, client.result = "idle", None

    def _crash(self, client: _Client) -> None:
        self.operations.append(
            Operation(client.process, client.f, client.value, client.start, None)
        )
        client.process, client.phase, client.result = self.processes, "idle", None
        self.processes += 1


def histories(model: Object) -> st.SearchStrategy[list[Operation]]:
    """Histories of an object."""
    return steps(32, least=3).map(lambda drawn: Run.of(model).go(drawn))
