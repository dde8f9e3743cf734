"""The files of a node, read from outside it: its folders, and what is unlinked but held open."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.world.namespace_world import NamespaceWorld

OWN = ("/srv", "/run", "/dev/shm")  # noqa: S108 - mount points
"""What a node has for itself; all else that it sees is this machine's own."""

_GONE = " (deleted)"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder to be searched.

    Args:
        outside: Where it is reached from here.
        shown: What its node calls it.
        processes: Ids of processes, as seen from here, whose open files count as well.
    """

    outside: Path
    shown: str
    processes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeFile:
    """A file to be read.

    Args:
        outside: Where it is reached from here.
        shown: What its node calls it; ends in `` (deleted)`` when it is only held open.
        problem: Why it cannot be read; empty if it can.
    """

    outside: Path
    shown: str
    problem: str = ""


def folders_of(world: NamespaceWorld) -> Mapping[str, tuple[Folder, ...]]:
    """The folders of every node of a world.

    Raises:
        WorldError: A node has ended.
    """
    found = {}
    for node in world.topology.nodes:
        root = Path(f"/proc/{world.pid(node.name)}/root")
        held = tuple(process.pid for process in world.processes(node.name))
        found[node.name] = tuple(
            Folder(root / path.lstrip("/"), path, held if path == OWN[0] else ()) for path in OWN
        )
    return found


def files_of(folders: Sequence[Folder]) -> Iterator[NodeFile]:
    """Every regular file once; folders are listed a second time for what came meanwhile."""
    seen: set[tuple[int, int]] = set()
    listed: set[str] = set()
    for _ in range(2):
        for folder in folders:
            for file in _walk(folder, folder.outside):
                if file.shown not in listed:
                    listed.add(file.shown)
                    if file.problem or _new(file.outside, seen):
                        yield file
    for folder in folders:
        for process in folder.processes:
            yield from _held(process, seen)


def _walk(folder: Folder, top: Path) -> Iterator[NodeFile]:
    try:
        with os.scandir(top) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, ProcessLookupError):
        if top == folder.outside:
            yield NodeFile(top, folder.shown, "does not exist")
        return
    except OSError as error:
        yield NodeFile(top, _shown(folder, top), f"cannot be listed: {error.strerror}")
        return
    for entry in listed:
        path = Path(entry.path)
        if entry.is_symlink():
            yield from _link(folder, path)
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(folder, path)
        elif entry.is_file(follow_symlinks=False):
            yield NodeFile(path, _shown(folder, path))


def _link(folder: Folder, path: Path) -> Iterator[NodeFile]:
    """A tablespace or a log folder elsewhere must not be missed."""
    target = str(path.readlink())
    inside = not target.startswith("/") or target.startswith(OWN)
    if path.parent.name == "pg_tblspc" and not inside:
        reason = f"a tablespace at {target}, outside the folders that are searched"
        yield NodeFile(path, _shown(folder, path), reason)


def _shown(folder: Folder, path: Path) -> str:
    return str(Path(folder.shown) / path.relative_to(folder.outside))


def _new(path: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether a file is none of those seen before under another name."""
    try:
        status = path.stat(follow_symlinks=False)
    except OSError:
        return True
    identity = status.st_dev, status.st_ino
    if identity in seen:
        return False
    seen.add(identity)
    return True


def _held(process: int, seen: set[tuple[int, int]]) -> Iterator[NodeFile]:
    """Regular files that a process holds open after they were unlinked."""
    folder = Path(f"/proc/{process}/fd")
    try:
        descriptors = list(folder.iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return
    except OSError as error:
        shown = f"open files of process {process}"
        yield NodeFile(folder, shown, f"cannot be listed: {error.strerror}")
        return
    for descriptor in descriptors:
        try:
            shown = str(descriptor.readlink())
            status = descriptor.stat()
        except OSError:
            continue
        identity = status.st_dev, status.st_ino
        if shown.endswith(_GONE) and stat.S_ISREG(status.st_mode) and identity not in seen:
            seen.add(identity)
            yield NodeFile(descriptor, shown)
