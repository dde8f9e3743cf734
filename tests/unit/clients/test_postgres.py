"""What an answer of PostgreSQL means: surely not done, or unknown."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from testbed.clients.postgres import PostgresClient
from testbed.clients.protocol import Completion, Endpoint, Invocation

WRITER = Endpoint("writer", "127.0.0.1", 1, "eu-west")
DIRECT = Endpoint("eu-west-db1", "127.0.0.1", 1, "eu-west")
NODES = {"10.77.1.10": "eu-west-db1"}


class Connection:
    """Stands for an open connection whose statement ends as it is told to."""

    def __init__(self, outcome: asyncio.Future[str] | Exception) -> None:
        self.outcome = outcome
        self.closed = False

    def is_closed(self) -> bool:
        return self.closed

    def terminate(self) -> None:
        self.closed = True
        if isinstance(self.outcome, asyncio.Future) and not self.outcome.done():
            lost = asyncpg.exceptions.ConnectionDoesNotExistError("closed in the middle")
            self.outcome.set_exception(lost)

    async def execute(self, *_: object) -> str:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return await self.outcome


def perform(outcome: Exception | None, timeout_ms: int = 50) -> tuple[Completion, PostgresClient]:
    async def work() -> tuple[Completion, PostgresClient]:
        client = PostgresClient(WRITER, NODES, "set", 1, timeout_ms)
        forever: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        client._connection = Connection(forever if outcome is None else outcome)
        client._node, client._term = "eu-west-db1", 7
        return await client.perform(Invocation("add", 1)), client

    return asyncio.run(work())


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.exceptions.ReadOnlySQLTransactionError("cannot execute INSERT"),
        asyncpg.exceptions.UniqueViolationError("duplicate key"),
        asyncpg.exceptions.SerializationError("could not serialize"),
        asyncpg.exceptions.DeadlockDetectedError("deadlock"),
        asyncpg.exceptions.UndefinedTableError("no such table"),
    ],
)
def test_a_statement_that_was_rolled_back_is_surely_not_done(error: Exception) -> None:
    done, client = perform(error)
    assert done.type == "fail"
    assert done.node == "eu-west-db1"
    assert not client.ended


@pytest.mark.parametrize(
    "error",
    [
        # A commit that waits for its standby has been made locally when this comes.
        asyncpg.exceptions.AdminShutdownError("terminating connection"),
        asyncpg.exceptions.CrashShutdownError("terminating connection"),
        asyncpg.exceptions.StatementCompletionUnknownError("unknown"),
        asyncpg.exceptions.ConnectionDoesNotExistError("connection was closed"),
        asyncpg.exceptions.InternalServerError("lost"),
        asyncpg.exceptions.InterfaceError("connection is closed"),
        ConnectionResetError("reset by peer"),
    ],
)
def test_a_server_that_goes_away_leaves_it_unknown(error: Exception) -> None:
    done, client = perform(error)
    assert done.type == "info"
    assert client.ended


def test_a_time_out_leaves_it_unknown_and_ends_the_connection() -> None:
    done, client = perform(None)
    assert done.type == "info"
    assert done.error == "timeout"
    assert client.ended


def test_a_connection_that_ended_is_not_opened_again() -> None:
    _, client = perform(None)
    again = asyncio.run(client.perform(Invocation("add", 2)))
    assert again.type == "fail"
    assert again.error == "connection ended"


@pytest.mark.parametrize(("endpoint", "node"), [(WRITER, None), (DIRECT, "eu-west-db1")])
def test_a_refused_connection_is_a_definite_failure(endpoint: Endpoint, node: str | None) -> None:
    """Nothing was sent; a node that was asked directly is named."""
    client = PostgresClient(endpoint, NODES, "set", 1, 500)
    done = asyncio.run(client.perform(Invocation("add", 1)))
    assert done.type == "fail"
    assert done.node == node
    assert not client.ended


def test_an_operation_that_the_workload_does_not_have() -> None:
    client = PostgresClient(WRITER, NODES, "set", 1, 500)
    done = asyncio.run(client.perform(Invocation("transfer", 1)))
    assert done.type == "fail"
    assert "no operation 'transfer'" in str(done.error)


def test_a_connection_that_is_lost_before_its_first_question_was_never_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Lost(Connection):
        async def fetchrow(self, *_: object) -> None:
            raise asyncpg.InternalClientError("cannot switch to state 11")

    async def connect(**_: object) -> Lost:
        return Lost(RuntimeError())

    monkeypatch.setattr(asyncpg, "connect", connect)
    client = PostgresClient(DIRECT, NODES, "set", 1, 50)
    done = asyncio.run(client.perform(Invocation("add", 1)))
    assert (done.type, done.node) == ("fail", "eu-west-db1")
    assert "connect" in str(done.error)
    assert not client.ended
