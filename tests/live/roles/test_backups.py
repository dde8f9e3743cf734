"""What a store keeps of a real server: a base backup that failed is made again by itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.toolchain.programs import locate
from tests.live.roles.conftest import role_folder
from tests.live.roles.mesh_nodes import MeshNode, eventually, make_nodes

pytestmark = pytest.mark.live

PROGRAM = """
import json, pathlib, sys, time
import backups
backups.FOLDER = pathlib.Path(sys.argv[1])
settings = {"kept": 2, "bin_dir": sys.argv[3], "dump_interval_s": 0.2,
            "base_backup_interval_s": 3600}
tell = lambda one: print(json.dumps(one), flush=True)
kept = backups.Backups("EU", [sys.argv[2]], settings, tell)
kept.begin()
while True:
    tell({"problems": list(kept.problems.values())})
    time.sleep(0.2)
"""


class Told:
    """A store's backups in a process of their own, and what they tell."""

    def __init__(self, folder: Path, node: MeshNode) -> None:
        self.made: list[dict[str, Any]] = []
        self.problems: list[str] = []
        command = [sys.executable, "-c", PROGRAM, str(folder), str(node.folder)]
        self.process = subprocess.Popen(
            [*command, str(locate("postgres").folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(role_folder("stores") / "files")},
        )
        threading.Thread(target=self._read, daemon=True).start()

    def kinds(self) -> set[str]:
        return {str(one["kind"]) for one in self.made}

    def end(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                # pg_receivewal's end is told in words.
                if line.startswith("{"):
                    one = json.loads(line)
                    self.problems += one.get("problems", [])
                    self.made += [one] if "kind" in one else []


@pytest.fixture
def node(testbed_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MeshNode]:
    """A server that can be dumped, and lets nobody replicate."""
    (made,) = make_nodes(testbed_data, tmp_path_factory.mktemp("b"), ["EU"], max_wal_senders="0")
    try:
        yield made
    finally:
        made.stop()


def test_a_base_backup_that_failed_is_made_again(node: MeshNode, tmp_path: Path) -> None:
    told = Told(tmp_path, node)
    try:
        eventually(lambda: told.kinds() == {"dump"}, "a dump")
        eventually(lambda: any("no base backup" in one for one in told.problems), "a failed one")
        assert list((tmp_path / "base").glob("eu-*")) == []
        node.stop()
        node.start()
        eventually(lambda: told.kinds() == {"dump", "base backup"}, "a base backup", 90.0)
        (made,) = (one for one in told.made if one["kind"] == "base backup")
        assert (Path(made["file"]) / "backup_manifest").exists()
        # It is of use only with the log that was written meanwhile.
        assert any(len(one.name) == 24 for one in (tmp_path / "wal" / "eu").iterdir())
    finally:
        told.end()
