"""Stops a provisioned world so that its files can be copied and started again as they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from testbed.provision.error import ProvisionError
from testbed.provision.programs import fetch, stop, stop_all
from testbed.topology.model import Deployment, Node
from testbed.world.namespaces import WAN
from testbed.world.protocol import World

Each = TypeVar("Each")

CONSUL = "http://127.0.0.1:8500/v1"
PID_FILE = "/srv/patroni/data/postmaster.pid"
FAST_SHUTDOWN = f'kill -INT "$(head -n 1 {PID_FILE})"; while [ -e {PID_FILE} ]; do sleep 0.05; done'
ROLES = ("primary", "standby_leader", "replica")
"""In the order in which WAL flows, and therefore PostgreSQL is stopped."""
TRANSIENT = ("leader", "members/", "status", "failover", "sync")
"""What Patroni keeps in Consul about a running cluster, and not about the cluster itself."""


def stop_cleanly(world: World, deployment: Deployment) -> None:
    """Stop every program so that all PostgreSQL nodes end at the same position.

    Patroni is killed first, because it would hand the primary's role over. Then Consul forgets
    who was what, the primary stops and after it the standbys, which by then have received the
    primary's last checkpoint. Consul and the rest come last. Nodes stop at once in each step.

    Raises:
        ProvisionError: Something did not stop.
    """
    topology = deployment.topology
    members = topology.members("postgres")
    names = (WAN, *(node.name for node in topology.nodes))
    # A thread for each node, and for each of the few things that Consul forgets of it.
    with ThreadPoolExecutor(max_workers=4 * len(names)) as pool:
        roles = dict(zip(members, pool.map(partial(_role, world), members), strict=True))
        _each(pool, lambda node: stop(world, node.name, "patroni", signal="KILL"), members)
        _forget(world, topology.members("consul"), pool)
        for role in ROLES:
            group = [node for node in members if roles[node] == role]
            _each(pool, partial(_stop_postgres, world), group)
        _each(pool, partial(stop_all, world), names)


def _each(pool: Executor, what: Callable[[Each], object], targets: Iterable[Each]) -> None:
    """Do something to all targets at once, and wait; the first error is raised."""
    for _ in pool.map(what, targets):
        pass


def _role(world: World, node: Node) -> str:
    """What a node is in its cluster."""
    answer = fetch(world, node.name, "http://127.0.0.1:8008/patroni")
    role = json.loads(answer.body).get("role") if answer.status else None
    if role not in ROLES:
        raise ProvisionError(f"{node.name}: Patroni reports the role {role}, not one of {ROLES}")
    return str(role)


def _forget(world: World, nodes: Sequence[Node], pool: Executor) -> None:
    """Delete from Consul what only holds while the cluster runs, sessions included.

    Args:
        world: The world.
        nodes: Consul's servers; those of one datacenter all know the same.
        pool: Does it for all at once.
    """

    def get(what: str) -> list[tuple[Node, Any]]:
        answers = pool.map(lambda node: fetch(world, node.name, f"{CONSUL}/{what}"), nodes)
        return [
            (node, one)
            for node, answer in zip(nodes, answers, strict=True)
            for one in (json.loads(answer.body) if answer.status == 200 else [])
        ]

    # Every server of a datacenter lists a session: one of them is asked to destroy it.
    sessions = {session["ID"]: node for node, session in get("session/list")}
    _each(
        pool,
        lambda one: fetch(world, one[1].name, f"{CONSUL}/session/destroy/{one[0]}", "PUT"),
        sessions.items(),
    )
    transient = [
        (node, key)
        for node, key in get("kv/service/?keys")
        if key.split("/", 2)[2].startswith(TRANSIENT)
    ]
    _each(
        pool,
        lambda one: fetch(world, one[0].name, f"{CONSUL}/kv/{one[1]}", "DELETE"),
        transient,
    )


def _stop_postgres(world: World, node: Node) -> None:
    """A fast shutdown, as `pg_ctl stop`, and wait for its end."""
    done = world.execute(node.name, ["sh", "-ec", FAST_SHUTDOWN], timeout_s=60)
    if done.returncode:
        problem = done.stderr.decode(errors="replace").strip()
        raise ProvisionError(f"{node.name}: PostgreSQL did not stop: {problem}")
