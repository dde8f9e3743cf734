"""Programs of a node while the world runs: start, stop, restart, ask.

The spec that Ansible provisioned is stored on the node itself; these functions use it, so that a
program comes back after a kill, or in a world made from a golden snapshot, exactly as provisioned.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from testbed.provision.error import Failure, ProvisionError
from testbed.provision.launcher import BOOTSTRAP, framed
from testbed.world.namespaces import WAN
from testbed.world.protocol import World, WorldError

PATIENCE_S = 150.0


@dataclass(frozen=True, slots=True)
class ProgramState:
    """A program that was provisioned on a node.

    Args:
        name: ``consul``, ``patroni``, ``haproxy``, ``observer`` or ``toxiproxy``.
        pid: Its process id inside the node; None while it does not run.
        stage: In a start of several, programs of a lower stage come first.
        healthy: It runs and passes the check that it was waited for with when it was started.
    """

    name: str
    pid: int | None
    stage: int
    healthy: bool


@dataclass(frozen=True, slots=True)
class Launched:
    """What a start or a stop did.

    Args:
        changed: False when the program already was as asked for.
        pid: Its process id inside the node; None after a stop.
        seconds: How long it took on the node, until healthy where that was waited for.
    """

    changed: bool
    pid: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP request from inside a node got.

    Args:
        status: The HTTP status; 0 when nobody answered.
        body: The text of the answer.
    """

    status: int
    body: str


def start(world: World, node: str, program: str, *, wait: bool = True) -> Launched:
    """Start a program from its stored spec unless it runs and is healthy.

    Args:
        world: Where the node is.
        node: A node's name, or ``wan``.
        program: As in :class:`ProgramState`.
        wait: Also wait until its health check holds.

    Raises:
        ProvisionError: It exited, did not become healthy or was never provisioned.
    """
    return _launched(ask(world, node, {"verb": "start", "name": program, "wait": wait}))


def stop(
    world: World, node: str, program: str, *, signal: str = "TERM", timeout_s: float = 15.0
) -> Launched:
    """End a program: the signal first, SIGKILL after the time-out.

    Raises:
        ProvisionError: It survived SIGKILL.
    """
    request = {"verb": "stop", "name": program, "signal": signal, "timeout_s": timeout_s}
    return _launched(ask(world, node, request))


def stop_all(world: World, node: str, *, timeout_s: float = 15.0) -> None:
    """End every program of a node: SIGTERM first, SIGKILL after the time-out of each.

    Raises:
        ProvisionError: One survived SIGKILL.
    """
    ask(world, node, {"verb": "stop-all", "timeout_s": timeout_s})


def restart(world: World, node: str, program: str, *, wait: bool = True) -> Launched:
    """Stop a program with SIGTERM and start it again.

    Raises:
        ProvisionError: As :func:`stop` and :func:`start`.
    """
    stop(world, node, program)
    return start(world, node, program, wait=wait)


def running(world: World, node: str) -> tuple[ProgramState, ...]:
    """Every program that was provisioned on a node, in the order of their stages.

    Raises:
        ProvisionError: The node cannot be asked.
    """
    programs = ask(world, node, {"verb": "status"})["programs"]
    states = [
        ProgramState(item["name"], item["pid"], item["stage"], item["healthy"]) for item in programs
    ]
    return tuple(sorted(states, key=lambda state: (state.stage, state.name)))


def start_all(world: World) -> Mapping[str, Mapping[str, float]]:
    """Start every program of every node and of the wan, all at once.

    Until the wan has its rules it forwards nothing: a node is ahead of it in vain, never past it.

    Returns:
        Seconds until each program was healthy, by node.

    Raises:
        ProvisionError: Some program did not start; every node's failure is listed. Where the wan
            failed that alone is said, at once: no node can become healthy then.
    """
    request = {"verb": "start-all"}
    names = [WAN, *(node.name for node in world.topology.nodes)]
    pool = ThreadPoolExecutor(max_workers=len(names))
    try:
        replies = {name: pool.submit(ask, world, name, request) for name in names}
        seconds = {WAN: replies.pop(WAN).result()["seconds"]}
    finally:
        pool.shutdown(wait=False)
    failures: list[Failure] = []
    for name, reply in replies.items():
        try:
            seconds[name] = reply.result()["seconds"]
        except ProvisionError as error:
            failures += error.failures or [Failure("", name, str(error))]
    if failures:
        raise ProvisionError(f"starting world {world.name} failed", failures)
    return seconds


def fetch(world: World, node: str, url: str, method: str = "GET", body: str = "") -> Answer:
    """One HTTP request from inside a node.

    Raises:
        ProvisionError: The node cannot be entered.
    """
    request = {"verb": "fetch", "url": url, "method": method, "body": body}
    reply = ask(world, node, request)
    return Answer(reply["status"], reply["body"])


def ask(world: World, node: str, request: dict[str, Any]) -> dict[str, Any]:
    """One request to the launcher on a node; its reply.

    Raises:
        ProvisionError: The launcher reports a failure or cannot be run.
    """
    what = f"{request['verb']} {request.get('name', 'programs')}"
    command = [sys.executable, "-I", "-S", "-c", BOOTSTRAP]
    try:
        done = world.execute(node, command, stdin=framed(request), timeout_s=PATIENCE_S)
    except WorldError as error:
        raise ProvisionError(f"{node}: {what}: {error}") from error
    try:
        reply = json.loads(done.stdout)
    except ValueError:
        text = (done.stderr or done.stdout).decode(errors="replace").strip()
        failure = Failure("", node, f"the launcher ended with status {done.returncode}", text)
        raise ProvisionError(f"{what} failed", [failure]) from None
    if not isinstance(reply, dict) or reply.get("failed"):
        failure = Failure("", node, reply.get("msg", "no message"), reply.get("log_tail", ""))
        raise ProvisionError(f"{what} failed", [failure])
    return reply


def _launched(reply: dict[str, Any]) -> Launched:
    return Launched(reply["changed"], reply.get("pid"), reply.get("elapsed_s", 0.0))
