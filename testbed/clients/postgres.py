"""PostgreSQL as a client sees it: one connection, every outcome told apart.

What is surely not done and what is unknown follows the protocol: an error that the server
reports for an autocommitted statement means that it was rolled back, except where the server
says that it is going away (class 57P) or that it cannot tell (class 08, 40003): a commit that
waited for a standby may then have been made. Whatever is lost after the request was sent is
unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import asyncpg

from testbed.clients.postgres_operations import OPERATIONS, OPERATIONS_OF
from testbed.clients.protocol import Completion, Endpoint, Invocation
from testbed.history.history import REFUSED

_UNKNOWN_CLASSES = ("08", "57P", "58", "XX", "40003")
OWN_RULE = "TB001"
"""What a deployment's own rules raise: the row is at home in another region, for example."""

# The internal one is raised where a connection is lost between opening and the first question.
CONNECT_ERRORS = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    TimeoutError,
)
"""What opening a connection to PostgreSQL, and losing it, may raise."""


# A server cannot change its timeline while a connection to it as primary lives. The name of the
# current WAL file says it at once after a promotion; the control file only after a checkpoint.
_WHO = """
select host(inet_server_addr()),
    case when not pg_is_in_recovery()
        then ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end
"""


class PostgresClient:
    """One connection of one process to one endpoint.

    Args:
        endpoint: Where to enter.
        nodes: Node name by server address, to say who answered.
        workload: Name of the workload, which says what each function means in SQL.
        space: Number that separates the rows of this run from those of earlier runs.
        timeout_ms: For the connection and for each statement.
        system: A key of ``OPERATIONS_OF``: what else the system can be asked.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        nodes: Mapping[str, str],
        workload: str,
        space: int,
        timeout_ms: int,
        *,
        system: str = "postgres",
    ) -> None:
        self._endpoint = endpoint
        self._operations = {**OPERATIONS[workload], **OPERATIONS_OF[system]}
        self._nodes = nodes
        self._space = space
        self._timeout_s = timeout_ms / 1000
        self._connection: asyncpg.Connection | None = None
        self._node: str | None = None
        self._term: int | None = None
        self._ended = False
        self._timed_out = False
        # A node that refuses a connection is known all the same where it was asked directly.
        self._asked = endpoint.name if endpoint.name in nodes.values() else None

    @property
    def ended(self) -> bool:
        """True when its connection was open once and is no more."""
        return self._ended or (self._connection is not None and self._connection.is_closed())

    async def perform(self, invocation: Invocation) -> Completion:
        """Connect if need be, perform, and say what became of it."""
        operation = self._operations.get(invocation.f)
        if operation is None:
            return Completion("fail", error=f"postgres has no operation '{invocation.f}'")
        if self.ended:
            return Completion("fail", error="connection ended", node=self._node)
        if self._connection is None:
            problem = await self._connect()
            if problem is not None:
                return Completion("fail", error=problem, node=self._asked)
        assert self._connection is not None
        # Nothing is cancelled after a time-out: asyncpg would open a second connection to ask the
        # server to cancel, and that can hang in the same black hole. Ending the connection ends
        # the wait at once, and a timer costs less than a task for each statement.
        timer = asyncio.get_running_loop().call_later(self._timeout_s, self._give_up)
        try:
            result = await operation(self._connection, self._space, invocation)
        except asyncpg.PostgresError as error:
            return self._refused(error)
        except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            self._abort()
            said = "timeout" if self._timed_out else f"connection lost: {error}"[:120]
            return Completion("info", node=self._node, error=said)
        finally:
            timer.cancel()
        return replace(result, node=self._node, term=self._term)

    def _give_up(self) -> None:
        """The statement's time is over."""
        self._timed_out = True
        self._abort()

    def _refused(self, error: asyncpg.PostgresError) -> Completion:
        """What a reported error leaves open."""
        if self._timed_out:
            return Completion("info", node=self._node, error="timeout")
        state = error.sqlstate or ""
        if state == OWN_RULE:
            return Completion("fail", node=self._node, error=f"{REFUSED}{error.args[0]}"[:120])
        unknown = state.startswith(_UNKNOWN_CLASSES)
        text = f"{state} {error.args[0] if error.args else type(error).__name__}"
        if unknown:
            self._abort()
        return Completion("info" if unknown else "fail", node=self._node, error=text[:120])

    async def _connect(self) -> str | None:
        """Open a connection and learn which node answers; a sentence when that fails."""
        self._node, self._term = None, None
        try:
            async with asyncio.timeout(self._timeout_s):
                connection = await asyncpg.connect(
                    host=self._endpoint.host,
                    port=self._endpoint.port,
                    user="testbed",
                    database="testbed",
                    ssl=False,
                    timeout=self._timeout_s,
                )
                self._connection = connection
                address, term = await connection.fetchrow(_WHO)
        except CONNECT_ERRORS as error:
            self._drop()
            return f"connect: {str(error) or type(error).__name__}"[:120]
        if self._endpoint.name == "writer":
            if term is None:
                # A proxy's view may be old. Such a connection could outlive the promotion and
                # then acknowledge writes under a term that it does not know.
                self._drop()
                return f"connect: {self._nodes.get(address, address)} is no primary"
            self._term = term
        self._node = self._nodes.get(address, address)
        return None

    def _drop(self) -> None:
        """Give up a connection that was never used; another one may be tried."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def _abort(self) -> None:
        """End the connection without waiting for the other side, for good."""
        self._ended = self._ended or self._connection is not None
        self._drop()

    async def close(self) -> None:
        """Close without waiting for the other side."""
        self._abort()
