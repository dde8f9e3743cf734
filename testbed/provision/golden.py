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
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from testbed.provision.ansible import provision
from testbed.provision.error import ProvisionError
from testbed.provision.progress import Listener
from testbed.provision.standstill import stop_cleanly
from testbed.toolchain.cache import root
from testbed.topology.document import to_document
from testbed.topology.model import Deployment
from testbed.topology.shipped import playbooks
from testbed.world import namespaces
from testbed.world.protocol import World

FORMAT = "1"
KEPT = 6
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
    for base in (deployment.folder, playbooks(), *(here / name for name in DECIDING)):
        for file in sorted(base.rglob("*")) if base.is_dir() else [base]:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(base)}\0".encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    digest.update(json.dumps(to_document(deployment), sort_keys=True).encode())
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
        ProvisionError: It could not be made; nothing is left behind.
        WorldError: The world in which it is made could not be built.
    """
    key = golden_key(deployment, programs)
    golden = Golden(key, golden_folder() / key)
    if golden.folder.is_dir():
        os.utime(golden.folder)
        return golden
    with _locked(key):
        if not golden.folder.is_dir():
            _make(golden, deployment, programs, listener)
            prune(KEPT)
    return golden


def prune(keep: int) -> tuple[str, ...]:
    """Remove the snapshots that were not used for the longest time; the removed keys.

    Args:
        keep: How many stay.
    """
    snapshots = [path for path in golden_folder().glob("[0-9a-f]*") if path.is_dir()]
    by_use = sorted(snapshots, key=lambda path: path.stat().st_mtime, reverse=True)
    for path in by_use[keep:]:
        # A world that still uses it keeps its mounted files only until they are unlinked: rename
        # first, so that nobody starts from half a snapshot.
        doomed = path.with_name(f".removed-{path.name}")
        path.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
    return tuple(path.name for path in by_use[keep:])


def _make(
    golden: Golden, deployment: Deployment, programs: Mapping[str, str], listener: Listener | None
) -> None:
    """Provision a world of its own, stop it cleanly, copy it and publish the copy by rename."""
    golden_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=golden_folder()) as draft:
        logs = Path(draft) / "logs"
        world = namespaces.create(
            f"golden-{golden.key}", deployment.topology, logs=logs, deployment=deployment.name
        )
        try:
            provision(world, deployment, programs, listener=listener)
            stop_cleanly(world, deployment)
            copied = Path(draft) / "nodes"
            for node in ("wan", *(node.name for node in deployment.topology.nodes)):
                _copy(world, node, copied / node)
            copied.rename(golden.folder)
        finally:
            world.down()


def _copy(world: World, node: str, target: Path) -> None:
    """Copy a node's ``/srv`` without its logs."""
    target.mkdir(parents=True)
    done = world.execute(node, ["sh", "-ec", COPY, str(target)])
    if done.returncode:
        problem = done.stderr.decode(errors="replace").strip()
        raise ProvisionError(f"{node}: cannot copy /srv to {target}: {problem}")


@contextlib.contextmanager
def _locked(key: str) -> Iterator[None]:
    """One maker of a snapshot at a time; the kernel drops the lock with its holder."""
    golden_folder().mkdir(parents=True, exist_ok=True)
    with (golden_folder() / f".{key}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
