"""What is remembered of a world outside it: one folder a world with its ``world.json``."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed.topology import document
from testbed.topology.model import Deployment, Topology
from testbed.world.census import Identity, runs
from testbed.world.protocol import WorldError

STATE_VERSION = 1


def worlds_folder() -> Path:
    """Where worlds are remembered: ``$XDG_STATE_HOME/testbed/worlds``."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "testbed" / "worlds"


@dataclass(frozen=True, slots=True)
class WorldState:
    """A world as its ``world.json`` tells it.

    Args:
        name: The world's name.
        creator: The process that created it.
        process1: Process 1 of the world; None while it is being built.
        nodes: Process 1 of each node, by name.
        topology: What it was built from.
        logs: Folder outside the world with one folder a node.
        owned: True when it dies with its creator.
        deployment: Name of the deployment, for people and for ``testbed status``.
        variables: The deployment's variables, plain JSON.
    """

    name: str
    creator: Identity
    process1: Identity | None
    nodes: Mapping[str, Identity]
    topology: Topology
    logs: Path
    owned: bool
    deployment: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def alive(self) -> bool:
        """True while the world runs or is being built."""
        return runs(self.process1 or self.creator)


def claim(folder: Path, state: WorldState) -> None:
    """Remember a world that is about to be built, and so take its name.

    Args:
        folder: Of all worlds.
        state: With no process 1 yet.

    Raises:
        WorldError: A world of that name runs or is being built.
    """
    with _locked(folder):
        present = _read(folder / state.name)
        if present is not None and present.alive:
            doing = "runs" if present.process1 else "is being created"
            raise WorldError(
                f"a world named {state.name!r} already {doing} "
                f"(process {(present.process1 or present.creator).pid}): "
                f"choose another name, or end it with `testbed down {state.name}`"
            )
        shutil.rmtree(folder / state.name, ignore_errors=True)
        try:
            (folder / state.name).mkdir()
        except OSError as error:
            raise _unwritable(folder, error) from error
        try:
            write(folder, state)
        except WorldError:
            shutil.rmtree(folder / state.name, ignore_errors=True)
            raise


def write(folder: Path, state: WorldState) -> None:
    """Replace a world's ``world.json`` at once.

    Raises:
        WorldError: The folder cannot be written: the disk may be full.
    """
    target = folder / state.name / "world.json"
    draft = target.with_suffix(".draft")
    try:
        draft.write_text(json.dumps(_document(state), indent=1), encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        raise _unwritable(folder, error) from error


def running(claimed: WorldState, process1: Identity, nodes: Mapping[str, Identity]) -> WorldState:
    """The state of a claimed world once it is built."""
    return dataclasses.replace(claimed, process1=process1, nodes=nodes)


def forget(folder: Path, name: str, process1: Identity | None) -> None:
    """Remove what is remembered of one world.

    A world of the same name that was created since is left alone.
    """
    with _locked(folder):
        present = _read(folder / name)
        if present is None or present.process1 in (None, process1):
            shutil.rmtree(folder / name, ignore_errors=True)


def read(folder: Path, name: str) -> WorldState:
    """What is remembered of a world.

    Raises:
        WorldError: Nothing is, or it was written by a newer version.
    """
    state = _read(folder / name)
    if state is None:
        raise WorldError(
            f"there is no world named {name!r} below {folder}: "
            f"see `testbed status`, or create it with `testbed up`"
        )
    return state


def names(folder: Path) -> tuple[str, ...]:
    """The names of all worlds that are remembered, sorted."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/world.json")))


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of all worlds; only ever for the time of a file or two."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _unwritable(folder: Path, error: OSError) -> WorldError:
    return WorldError(
        f"worlds cannot be remembered in {folder}: {error.strerror}; "
        f"free the disk, or set XDG_STATE_HOME to a folder that can be written"
    )


def _read(folder: Path) -> WorldState | None:
    path = folder / "world.json"
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise WorldError(f"{path} cannot be read: {error}; remove {folder}") from error
    if written.get("version") != STATE_VERSION:
        raise WorldError(
            f"{path} was written by another version of testbed "
            f"(format {written.get('version')}, this one reads {STATE_VERSION}): "
            f"end the world with that version, or remove {folder}"
        )
    return _state(written)


def _document(state: WorldState) -> dict[str, Any]:
    built = Deployment(state.deployment, Path(), state.topology, state.variables)
    return {
        "version": STATE_VERSION,
        "name": state.name,
        "creator": dataclasses.asdict(state.creator),
        "process1": dataclasses.asdict(state.process1) if state.process1 else None,
        "nodes": {name: dataclasses.asdict(who) for name, who in state.nodes.items()},
        "logs": str(state.logs),
        "owned": state.owned,
        "deployment": document.to_document(built),
    }


def _state(written: Mapping[str, Any]) -> WorldState:
    process1 = written["process1"]
    built = document.from_document(written["deployment"])
    return WorldState(
        name=written["name"],
        creator=Identity(**written["creator"]),
        process1=Identity(**process1) if process1 else None,
        nodes={name: Identity(**who) for name, who in written["nodes"].items()},
        topology=built.topology,
        logs=Path(written["logs"]),
        owned=written["owned"],
        deployment=built.name,
        variables=built.variables,
    )
