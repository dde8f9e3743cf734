"""Golden snapshots: a deployment provisioned once, its worlds then started in seconds.

A snapshot is each node's ``/srv`` after a clean stop, below ``golden/KEY/NODE`` in the cache. The
key is a hash of everything that could make the result differ. Worlds mount the folders as the
lower layer of an overlay, so any number of them share one snapshot and none can change it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from testbed.provision.ansible import own_playbooks, provision
from testbed.provision.error import ProvisionError
from testbed.provision.progress import Listener
from testbed.provision.standstill import stop_cleanly
from testbed.toolchain.cache import explained, root
from testbed.topology.document import to_document
from testbed.topology.inventory import catalogue_for
from testbed.topology.model import Deployment
from testbed.topology.shipped import playbooks
from testbed.world import namespaces
from testbed.world.logs import new_logs_folder
from testbed.world.namespaces import WAN, NamespaceWorld
from testbed.world.protocol import World

FORMAT = "1"
KEPT = 12
DECIDING = ("launcher", "standstill.py", "world_inventory.py")
"""The parts of this package that decide what a snapshot contains."""
COPY = 'for entry in /srv/*; do [ "$entry" = /srv/log ] || cp -a "$entry" "$0"/; done'


@dataclass(frozen=True, slots=True)
class Golden:
    """A snapshot in the cache.

    Args:
        key: Hash of everything that it was made from.
        folder: Holds one folder a node, ``wan`` too.
    """

    key: str
    folder: Path

    @property
    def lowers(self) -> Mapping[str, Path]:
        """The folder of each node, as ``namespaces.create`` takes them."""
        return {path.name: path for path in sorted(self.folder.iterdir()) if path.is_dir()}


def golden_folder() -> Path:
    """Where snapshots are kept."""
    return root() / "golden"


def golden_key(deployment: Deployment, programs: Mapping[str, str]) -> str:
    """The key of a deployment's snapshot: 20 hexadecimal digits.

    Args:
        deployment: Its inventory files, topology and variables count.
        programs: Where the real programs are; their sizes and times of change count.
    """
    digest = hashlib.sha256(FORMAT.encode())
    here = Path(__file__).resolve().parent
    catalogue = catalogue_for(deployment.folder)
    own = own_playbooks(deployment, catalogue)
    roles = (playbook.parent / "roles" for playbook in own)
    for base in (deployment.folder, playbooks(), *own, *roles, *(here / name for name in DECIDING)):
        for file in sorted(base.rglob("*")) if base.is_dir() else [base]:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(base)}\0".encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    declared = catalogue.variables()
    of_nodes = {
        name: value
        for name, value in deployment.variables.items()
        if name not in declared or declared[name].used_by == "nodes"
    }
    described = to_document(replace(deployment, variables=of_nodes))
    digest.update(json.dumps(described, sort_keys=True).encode())
    for name, path in sorted(programs.items()):
        status = Path(path).stat()
        digest.update(f"{name}={path}:{status.st_size}:{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:20]


def ensure_golden(
    deployment: Deployment, programs: Mapping[str, str], *, listener: Listener | None = None
) -> Golden:
    """The snapshot of a deployment; made now if there is none.

    Two calls at once make it once: the second one waits.

    Raises:
        ProvisionError: It could not be made; nothing of it is left behind.
        ToolchainError: The cache cannot be written.
        WorldError: The world in which it is made could not be built.
    """
    key = golden_key(deployment, programs)
    golden = Golden(key, golden_folder() / key)
    if golden.folder.is_dir():
        os.utime(golden.folder)
        return golden
    with explained(golden_folder()):
        golden_folder().mkdir(parents=True, exist_ok=True)
    with _locked(key):
        if not golden.folder.is_dir():
            _make(golden, deployment, programs, listener)
            prune(KEPT)
    return golden


@contextlib.contextmanager
def golden_held(
    deployment: Deployment, programs: Mapping[str, str], *, listener: Listener | None = None
) -> Iterator[Golden]:
    """The snapshot of a deployment, which nobody removes inside: until a world shows it.

    Raises as ``ensure_golden``.
    """
    while True:
        golden = ensure_golden(deployment, programs, listener=listener)
        with contextlib.ExitStack() as stack:
            if _hold(golden, stack):
                yield golden
                return


def _hold(golden: Golden, stack: contextlib.ExitStack) -> bool:
    """Keep a snapshot until the stack ends; False if it was removed meanwhile."""
    try:
        _lock_nodes(golden, fcntl.LOCK_SH, stack)
    except FileNotFoundError:
        return False
    # Whoever removes one locks all of it first, and renames it before the locks are gone.
    return golden.folder.is_dir()


def _lock_nodes(golden: Golden, how: int, stack: contextlib.ExitStack) -> None:
    """Lock every node's folder until the stack ends, as each world that shows them does."""
    for folder in golden.lowers.values():
        opened = os.open(folder, os.O_RDONLY)
        stack.callback(os.close, opened)
        fcntl.flock(opened, how)


def prune(keep: int) -> tuple[str, ...]:
    """Remove the snapshots that were not used for the longest time; the removed keys.

    One that a world shows stays, however old it is: a file removed below an overlay is missing
    in the world. What makers that were killed have left behind goes as well.

    Args:
        keep: How many stay.
    """
    used: dict[Path, float] = {}
    for path in golden_folder().glob("[0-9a-f]*"):
        # Others prune as well, and may be quicker.
        with contextlib.suppress(FileNotFoundError):
            used[path] = path.stat().st_mtime
    by_use = sorted(used, key=lambda path: used[path], reverse=True)
    removed = tuple(path.name for path in by_use[keep:] if _remove(path))
    for path in golden_folder().glob(".*-*"):
        with _locked(path.name[1:].partition("-")[0], wait=False) as held:
            if held:
                shutil.rmtree(path, ignore_errors=True)
    return removed


def _remove(snapshot: Path) -> bool:
    """Remove a snapshot that no world shows; False if one does, or somebody else removed it."""
    with contextlib.ExitStack() as stack:
        try:
            _lock_nodes(Golden(snapshot.name, snapshot), fcntl.LOCK_EX | fcntl.LOCK_NB, stack)
            # Renamed first, so that no world starts from half a snapshot; to a name of its own,
            # for somebody may still be removing the one that had this key before.
            gone = snapshot.rename(golden_folder() / f".{snapshot.name}-{secrets.token_hex(4)}")
        except (BlockingIOError, FileNotFoundError):
            return False
        shutil.rmtree(gone, ignore_errors=True)
    return True


def _make(
    golden: Golden, deployment: Deployment, programs: Mapping[str, str], listener: Listener | None
) -> None:
    """Provision a world of its own, stop it cleanly, copy it and publish the copy by rename."""
    with explained(golden_folder()):
        draft = Path(tempfile.mkdtemp(prefix=f".{golden.key}-", dir=golden_folder()))
    name = f"golden-{golden.key}"
    logs = new_logs_folder(name)
    world: NamespaceWorld | None = None
    try:
        world = namespaces.create(name, deployment.topology, logs=logs, deployment=deployment.name)
        provision(world, deployment, programs, listener=listener)
        stop_cleanly(world, deployment)
        nodes = [WAN, *(node.name for node in deployment.topology.nodes)]
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(_copy, world, node, draft / "nodes" / node) for node in nodes]:
                done.result()
        with explained(golden_folder()):
            (draft / "nodes").rename(golden.folder)
        # After a failure they stay: the error's message names them.
        shutil.rmtree(logs, ignore_errors=True)
    finally:
        if world is not None:
            world.down()
        shutil.rmtree(draft, ignore_errors=True)


def _copy(world: World, node: str, target: Path) -> None:
    """Copy a node's ``/srv`` without its logs."""
    target.mkdir(parents=True)
    done = world.execute(node, ["sh", "-ec", COPY, str(target)])
    if done.returncode:
        problem = done.stderr.decode(errors="replace").strip()
        raise ProvisionError(f"{node}: cannot copy /srv to {target}: {problem}")


@contextlib.contextmanager
def _locked(key: str, *, wait: bool = True) -> Iterator[bool]:
    """One maker of a snapshot at a time; the kernel drops the lock with its holder.

    Args:
        key: The snapshot's.
        wait: Whether to wait for another maker; else False is yielded where there is one.
    """
    with (golden_folder() / f".{key}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
