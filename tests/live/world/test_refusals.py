"""What the machine may refuse: one clear error that says what to do, and nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from testbed.toolchain.programs import locate
from testbed.topology.document import to_document
from testbed.topology.model import Deployment

from .conftest import ROOT, python_path, three_regions

CREATOR = """
import json, os, sys
from pathlib import Path
from testbed.topology.document import from_document
from testbed.world.namespaces import create, list_worlds
from testbed.world.protocol import WorldError
folder = Path(sys.argv[1])
topology = from_document(json.load(sys.stdin)).topology
try:
    world = create("one", topology, logs=folder / "logs", folder=folder / "worlds")
except WorldError as error:
    print("refused:", error)
    print("left:", [world.name for world in list_worlds(folder=folder / "worlds")])
    sys.exit(3)
same = os.readlink(f"/proc/{world.pid('wan')}/ns/user") == os.readlink("/proc/self/ns/user")
print("user namespace:", "the caller's" if same else "its own")
done = world.execute("eu-west-db1", ["sh", "-c", "hostname; id -u; ip -br addr show eth0"])
print(done.stdout.decode(), done.stderr.decode())
world.down()
"""

AS_USER: tuple[str, ...] = ()
if os.geteuid() == 0:
    # The shell executes the program without root's capabilities, as a log-in would.
    AS_USER = (
        *("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--"),
        *("sh", "-c", 'exec "$@"', "sh"),
    )

DOCUMENT = json.dumps(to_document(Deployment("test", Path(), three_regions(), {}))).encode()


def attempt(
    folder: Path, before: str, *, prefix: tuple[str, ...] = (), python: str = sys.executable
) -> subprocess.CompletedProcess[bytes]:
    """Create a world in a user namespace of its own, after a shell has spoilt something there."""
    return subprocess.run(
        [
            *("unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-ec"),
            f'{before.strip()}; exec "$@"',
            *("sh", *prefix, python, "-c", CREATOR, str(folder)),
        ],
        input=DOCUMENT,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": python_path(), "FOLDER": str(folder)},
        timeout=60,
        check=False,
    )


def refusal(done: subprocess.CompletedProcess[bytes]) -> str:
    """The one line of the refusal; nothing else was printed and nothing is left."""
    assert (done.returncode, done.stderr) == (3, b"")
    said, left = done.stdout.decode().splitlines()
    assert left == "left: []"
    return said


def test_root_needs_no_user_namespace(tmp_path: Path) -> None:
    done = attempt(tmp_path, "echo 0 > /proc/sys/user/max_user_namespaces")
    said = done.stdout.decode()
    assert "user namespace: the caller's" in said, done.stderr
    assert "eu-west-db1\n0\neth0" in said
    assert "10.77.1.10/24" in said


def test_where_namespaces_are_switched_off_the_switch_is_named(tmp_path: Path) -> None:
    said = refusal(
        attempt(
            tmp_path,
            "echo 0 > /proc/sys/user/max_user_namespaces",
            prefix=("setpriv", "--bounding-set=-all", "--"),
        )
    )
    assert said.startswith("refused: the kernel refused the world's namespaces: unshare: ")
    assert "sysctl -w user.max_user_namespaces=15000" in said


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    spoil = 'mkdir -p "$FOLDER/worlds"; mount -t tmpfs -o size=4k,mode=755 tmpfs "$FOLDER/worlds"'
    said = refusal(attempt(tmp_path, spoil))
    assert "No space left on device" in said
    assert "free the disk, or set XDG_STATE_HOME" in said


def test_a_full_disk_for_logs_is_told(tmp_path: Path) -> None:
    spoil = 'mkdir "$FOLDER/logs"; mount -t tmpfs -o nr_inodes=3 tmpfs "$FOLDER/logs"'
    said = refusal(attempt(tmp_path, spoil))
    assert "for logs cannot be made: No space left on device" in said


def test_a_missing_program_is_named_with_its_package(tmp_path: Path) -> None:
    spoil = """
        mkdir "$FOLDER/bin"
        ln -s "$(command -v sh)" "$FOLDER/bin/sh"
        export PATH="$FOLDER/bin"
    """
    said = refusal(attempt(tmp_path, spoil))
    assert said == "refused: there is no unshare: install util-linux"


LAY = """
import sys
from pathlib import Path
from testbed.world import furniture
furniture.lay("eu-west-db1", sys.argv[1])
deep = Path("/srv/data/deep")
print(sorted(path.name for path in Path("/srv").iterdir()), (deep / "file").read_text())
(deep / "file").write_text("changed")
"""


def test_without_overlays_on_memory_golden_folders_are_copied(tmp_path: Path) -> None:
    golden = tmp_path / "golden" / "data" / "deep"
    golden.mkdir(parents=True)
    (golden / "file").write_text("golden")
    # A file system in memory that has no user attributes, as tmpfs had none before Linux 6.6.
    script = 'mount -t ramfs ramfs /srv; exec "$@"'
    done = subprocess.run(
        [
            *("unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-ec", script, "sh"),
            *(sys.executable, "-c", LAY, str(tmp_path / "golden")),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": python_path()},
        timeout=30,
        check=False,
    )
    assert done.stdout == "['data'] golden\n", done.stderr
    assert "eu-west-db1: copies" in done.stderr
    assert (golden / "file").read_text() == "golden"


def test_an_ordinary_user_gets_the_same_world(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    done = subprocess.run(
        [*AS_USER, interpreter(), "-c", CREATOR, str(tmp_path)],
        input=DOCUMENT,
        capture_output=True,
        env=user_environment(tmp_path),
        timeout=60,
        check=False,
    )
    said = done.stdout.decode()
    assert done.returncode == 0, (said, done.stderr)
    assert "user namespace: its own" in said
    assert "eu-west-db1\n0\neth0" in said


def user_environment(folder: Path) -> dict[str, str]:
    """An ordinary user's, with the distribution's PATH: no /usr/sbin in it."""
    libraries = [path for path in sys.path if path.endswith("-packages")]
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *libraries]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TESTBED_IP": str(locate("ip").path),
    }


def interpreter() -> str:
    """A Python that an ordinary user can run, of this one's version."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (
        sys.executable,
        f"/usr/bin/python{version}",
        f"/usr/local/bin/python{version}",
    ):
        probe = [*AS_USER, candidate, "-c", "pass"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return candidate
    raise AssertionError("no Python that an ordinary user may run: install the system's own")
