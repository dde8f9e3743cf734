"""The namespace runtime: a world of Linux namespaces on this machine, with or without root.

``create`` builds one, ``open_world`` finds one that runs, ``list_worlds`` finds all, ``clean``
forgets those that ended without ``down``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from testbed.toolchain.error import ToolchainError
from testbed.toolchain.programs import locate
from testbed.topology.model import Topology
from testbed.world import blueprint, census, starter, state
from testbed.world.namespace_world import WAN, NamespaceWorld, Owner
from testbed.world.protocol import WorldError
from testbed.world.refusal import advice

__all__ = ["WAN", "NamespaceWorld", "Owner", "clean", "create", "list_worlds", "open_world"]


def create(
    name: str,
    topology: Topology,
    *,
    logs: Path,
    folder: Path | None = None,
    lowers: Mapping[str, Path] | None = None,
    owner: Owner = Owner.RUNNER,
    deployment: str = "",
    variables: Mapping[str, Any] | None = None,
) -> NamespaceWorld:
    """Build a world: its namespaces, interfaces and folders, with no program in it yet.

    Args:
        name: Lower-case letters, digits and hyphens; unique among this user's worlds.
        topology: What to build.
        logs: Folder outside the world; gets one folder a node, seen there as ``/srv/log``.
        folder: Where worlds are remembered; ``state.worlds_folder()`` if None.
        lowers: Golden folder for ``/srv`` by node (``wan`` too); a node without one gets an
            empty ``/srv`` in memory.
        owner: Whether the world dies with this process or lives until ``down``.
        deployment: Remembered for people.
        variables: Remembered for people, plain JSON.

    Raises:
        WorldError: A bad argument, a name in use, or a kernel that refuses; says what to do.
    """
    folder = folder or state.worlds_folder()
    lowers = lowers or {}
    _check(name, topology, lowers)
    ip = _ip()
    _make_folders([logs / node for node in (WAN, *(node.name for node in topology.nodes))])
    creator = census.identify(os.getpid())
    assert creator is not None
    claimed = state.WorldState(
        name=name,
        creator=creator,
        process1=None,
        nodes={},
        topology=topology,
        logs=logs.absolute(),
        owned=owner is Owner.RUNNER,
        deployment=deployment,
        variables=variables or {},
    )
    state.claim(folder, claimed)
    try:
        plan = blueprint.draw(topology, claimed.logs, lowers, ip=ip)
        started = starter.start(plan, folder / name, claimed.logs / WAN / "process1.log")
        return _settle(folder, claimed, started)
    except OSError as error:
        state.forget(folder, name, None)
        raise WorldError(
            f"world {name!r} could not be created: {error}; {advice(str(error))}"
        ) from error
    except BaseException:
        state.forget(folder, name, None)
        raise


def _settle(folder: Path, claimed: state.WorldState, started: starter.Started) -> NamespaceWorld:
    """Remember a world that was built, and only then let go of it."""
    try:
        running = state.running(claimed, started.process1, started.nodes)
        state.write(folder, running)
        if not running.owned:
            starter.keep(started.outer)
    except BaseException:
        starter.end(started.outer)
        state.forget(folder, claimed.name, started.process1)
        raise
    return NamespaceWorld(running, folder, started.outer)


def open_world(name: str, *, folder: Path | None = None) -> NamespaceWorld:
    """A world that runs, by its name.

    Raises:
        WorldError: There is none, or it has ended.
    """
    folder = folder or state.worlds_folder()
    world = NamespaceWorld(state.read(folder, name), folder)
    if not world.alive():
        raise WorldError(
            f"world {name!r} has ended (its process 1 is gone): "
            f"`testbed down {name}` forgets it, `testbed up` creates it again"
        )
    return world


def list_worlds(*, folder: Path | None = None) -> tuple[NamespaceWorld, ...]:
    """Every world that is remembered, also those that ended (``alive()`` is False)."""
    folder = folder or state.worlds_folder()
    return tuple(NamespaceWorld(state.read(folder, name), folder) for name in state.names(folder))


def clean(*, folder: Path | None = None) -> tuple[str, ...]:
    """Forget the worlds that ended without ``down``; their names."""
    folder = folder or state.worlds_folder()
    remembered = [state.read(folder, name) for name in state.names(folder)]
    gone = [world for world in remembered if not world.alive]
    for world in gone:
        state.forget(folder, world.name, world.process1)
    return tuple(world.name for world in gone)


def name_problems(name: str) -> list[str]:
    """What keeps a text from being a world's name, as sentences; empty for a good one."""
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", name):
        return []
    return [f"world name {name!r}: use up to 41 lower-case letters, digits and hyphens"]


def _check(name: str, topology: Topology, lowers: Mapping[str, Path]) -> None:
    problems = name_problems(name)
    problems += _unknown(lowers, {WAN, *(node.name for node in topology.nodes)})
    problems += [
        f"golden folder {path} of node {node!r} does not exist"
        for node, path in lowers.items()
        if not path.is_dir()
    ]
    if problems:
        raise WorldError("; ".join(problems))


def _make_folders(folders: Iterable[Path]) -> None:
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorldError(
                f"the folder {folder} for logs cannot be made: {error.strerror}; "
                f"free the disk or choose another place"
            ) from error


def _ip() -> Path:
    try:
        return locate("ip").path
    except ToolchainError as error:
        raise WorldError(str(error)) from error


def _unknown(given: Iterable[str], known: set[str]) -> list[str]:
    return [f"{node!r} is not a node of the topology" for node in given if node not in known]
