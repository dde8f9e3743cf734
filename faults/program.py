"""The programs that a fault may kill or pause: who runs them, which processes are theirs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

import aiohttp
import asyncpg

from testbed.clients.postgres_entry import NODE_PORT
from testbed.toolchain.added import WithAdded
from testbed.topology.model import Node
from testbed.world.protocol import Process

_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class Program:
    """One program of a node.

    Args:
        name: As the launcher and the plan call it.
        group: The inventory group whose nodes run it.
        health: The URL that answers 200 while it works, with ``{address}`` for the node's own; or,
            for a program that has none, what asks it in its own protocol.
        supervisor: The program that starts it and starts it again; empty when nobody does.
        recovery_s: How long it may take to work again once it may run.
        also: More groups whose nodes run it.
    """

    name: str
    group: str
    health: str | Callable[[Node], Awaitable[bool]]
    supervisor: str = ""
    recovery_s: float = 30.0
    also: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """Every inventory group whose nodes run it."""
        return (self.group, *self.also)


async def _accepts_connections(node: Node) -> bool:
    try:
        connection = await asyncpg.connect(
            host=node.address,
            port=NODE_PORT,
            user="postgres",
            database="postgres",
            timeout=_TIMEOUT_S,
            ssl=False,
        )
    except asyncpg.CannotConnectNowError:
        return False
    except asyncpg.PostgresError:
        # Refused by a server that looked at who asks: it accepts connections.
        return True
    except (asyncpg.InterfaceError, OSError, TimeoutError):
        return False
    connection.terminate()
    return True


_OWN = {
    program.name: program
    for program in (
        # A former primary replays, is rewound and copies before it answers again.
        Program(
            "postgres", "postgres", _accepts_connections, supervisor="patroni", recovery_s=120.0
        ),
        Program("patroni", "postgres", "http://{address}:8008/liveness"),
        Program("consul", "consul", "http://{address}:8500/v1/agent/self"),
        Program("haproxy", "haproxy", "http://{address}:7000/healthy"),
        Program("observer", "observers", "http://{address}:7401/"),
        Program("mesh", "mesh", "http://{address}:7410/"),
        Program("placement", "placement", "http://{address}:7412/", also=("everywhere",)),
        Program("store", "stores", "http://{address}:7412/"),
    )
}

PROGRAMS: Mapping[str, Program] = WithAdded("programs", _OWN)
"""Every program that runs on a node and may be a fault's target. A new one is a line above, or a
line in another package's ``testbed.programs``."""


@dataclass(frozen=True, slots=True)
class Root:
    """The process as which a program was started.

    Args:
        inner: Its id as the node itself sees it.
        started: When, in clock ticks since boot.
    """

    inner: int
    started: int


def select(
    program: str, processes: Iterable[Process], roots: Mapping[str, Root]
) -> tuple[Process, ...]:
    """The processes of one program among those of its node.

    PostgreSQL's are known by their command, as each backend leads a session of its own; any other
    program is the process that its launcher started, with what descends from it, PostgreSQL
    excepted.

    Args:
        program: A key of ``PROGRAMS``.
        processes: All of the node.
        roots: The process that the launcher started, by program.
    """
    living = [process for process in processes if process.state not in "ZX"]
    if program == "postgres":
        return tuple(process for process in living if process.command == "postgres")
    mine = {p.pid for p in living if Root(p.inner, p.started) == roots.get(program)}
    grown = True
    while grown:
        more = {p.pid for p in living if p.parent in mine and p.command != "postgres"} - mine
        mine |= more
        grown = bool(more)
    return tuple(process for process in living if process.pid in mine)


async def healthy(program: str, node: Node) -> bool:
    """Whether a program of a node answers for itself, asked out of band."""
    health = PROGRAMS[program].health
    if not isinstance(health, str):
        return await health(node)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(health.format(address=node.address)) as answer,
        ):
            return answer.status == 200
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False
