"""Stops a provisioned world so that its files can be copied and started again as they are."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from testbed.provision.error import ProvisionError
from testbed.provision.programs import fetch, running, stop
from testbed.topology.model import Deployment, Node
from testbed.world.protocol import World

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
    primary's last checkpoint. Consul and the rest come last.

    Raises:
        ProvisionError: Something did not stop.
    """
    topology = deployment.topology
    members = topology.members("postgres")
    roles = {node: _role(world, node) for node in members}
    for node in members:
        stop(world, node.name, "patroni", signal="KILL")
    for node in topology.members("consul"):
        _forget(world, node)
    for role in ROLES:
        group = [node for node in members if roles[node] == role]
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda node: _stop_postgres(world, node), group))
    for name in ("wan", *(node.name for node in topology.nodes)):
        for program in running(world, name):
            if program.pid is not None:
                stop(world, name, program.name)


def _role(world: World, node: Node) -> str:
    """What a node is in its cluster."""
    answer = fetch(world, node.name, "http://127.0.0.1:8008/patroni")
    role = json.loads(answer.body).get("role") if answer.status else None
    if role not in ROLES:
        raise ProvisionError(f"{node.name}: Patroni reports the role {role}, not one of {ROLES}")
    return str(role)


def _forget(world: World, node: Node) -> None:
    """Delete from Consul what only holds while the cluster runs, sessions included."""
    sessions = fetch(world, node.name, f"{CONSUL}/session/list")
    for session in json.loads(sessions.body):
        fetch(world, node.name, f"{CONSUL}/session/destroy/{session['ID']}", "PUT")
    keys = fetch(world, node.name, f"{CONSUL}/kv/service/?keys")
    for key in json.loads(keys.body) if keys.status == 200 else []:
        name = key.split("/", 2)[2]
        if name.startswith(TRANSIENT):
            fetch(world, node.name, f"{CONSUL}/kv/{key}", "DELETE")


def _stop_postgres(world: World, node: Node) -> None:
    """A fast shutdown, as `pg_ctl stop`, and wait for its end."""
    done = world.execute(node.name, ["sh", "-ec", FAST_SHUTDOWN], timeout_s=60)
    if done.returncode:
        problem = done.stderr.decode(errors="replace").strip()
        raise ProvisionError(f"{node.name}: PostgreSQL did not stop: {problem}")
