"""Worlds with the real programs in them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from testbed.provision.ansible import provision
from testbed.provision.program_paths import program_variables
from testbed.provision.programs import fetch
from testbed.topology.inventory import find, load
from testbed.topology.model import Deployment
from testbed.world.namespaces import NamespaceWorld, create


@pytest.fixture(scope="session")
def programs() -> Mapping[str, str]:
    return program_variables(load(find("active-passive")).topology)


@pytest.fixture(scope="session")
def deployment() -> Deployment:
    return load(find("active-passive"))


@pytest.fixture
def bare(
    deployment: Deployment, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[NamespaceWorld]:
    """A world with no program in it."""
    world = empty_world(deployment, tmp_path, request.node.name)
    yield world
    world.down()


@pytest.fixture(scope="module")
def cluster(
    deployment: Deployment, programs: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NamespaceWorld]:
    """A provisioned world, one a module."""
    world = empty_world(deployment, tmp_path_factory.mktemp("cluster"), "cluster")
    try:
        provision(world, deployment, programs)
        yield world
    finally:
        world.down()


def empty_world(
    deployment: Deployment, folder: Path, name: str, lowers: Mapping[str, Path] | None = None
) -> NamespaceWorld:
    name = "".join(letter if letter.isalnum() else "-" for letter in name.lower())[:40].strip("-")
    return create(
        name,
        deployment.topology,
        logs=folder / "logs",
        folder=folder / "worlds",
        lowers=lowers,
        deployment=deployment.name,
    )


def sql(world: NamespaceWorld, bin_dir: str, address: str, text: str, port: int = 5000) -> str:
    """What psql in the wan, where every client stands, prints."""
    psql = [f"{bin_dir}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "testbed", "-h", address]
    done = world.execute("wan", [*psql, "-p", str(port), "-c", text, "testbed"])
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def patroni(world: NamespaceWorld, node: str) -> dict[str, Any]:
    """What a node's Patroni says of itself."""
    status = json.loads(fetch(world, node, "http://127.0.0.1:8008/patroni").body)
    assert isinstance(status, dict)
    return status


def roles(world: NamespaceWorld) -> dict[str, tuple[str, str | None]]:
    """Role and replication state of every PostgreSQL node."""
    states = {node.name: patroni(world, node.name) for node in world.topology.members("postgres")}
    return {name: (one["role"], one.get("replication_state")) for name, one in states.items()}


def eventually(condition: Callable[[], Any], what: str, timeout_s: float = 60.0) -> Any:
    """Wait for a condition with a deadline; what it returned."""
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.05)
    return result
