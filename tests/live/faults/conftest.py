"""A real cluster across three regions, and faults played in it as a run plays them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.provision.bring_up import bring_up
from testbed.topology.inventory import find, load
from testbed.world.namespaces import NamespaceWorld, Owner

ROOT = Path(__file__).parents[3]
Move = tuple[str, Any]


class Cluster:
    """The deployment ``active-passive``, running, and a process that plays faults in it."""

    def __init__(self, world: NamespaceWorld) -> None:
        self.world = world
        command = [sys.executable, str(Path(__file__).parent / "inside.py"), world.name]
        self.player = subprocess.Popen(
            world.network_argv("wan", command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def play(
        self, faults: list[tuple[str, str, dict[str, Any]]], moves: list[Move]
    ) -> list[dict[str, Any]]:
        """What each move showed; see ``inside.py``."""
        assert self.player.stdin is not None
        assert self.player.stdout is not None
        self.player.stdin.write(json.dumps({"faults": faults, "moves": moves}) + "\n")
        self.player.stdin.flush()
        said = self.player.stdout.readline()
        assert said, f"the player ended with {self.player.wait()}"
        return list(json.loads(said))

    def close(self) -> None:
        with self.player:
            assert self.player.stdin is not None
            self.player.stdin.close()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    logs = tmp_path_factory.mktemp("logs")
    world = bring_up(
        load(find("active-passive")), f"faults-{os.getpid()}", logs=logs, owner=Owner.RUNNER
    )
    try:
        made = Cluster(world)
        try:
            yield made
        finally:
            made.close()
    finally:
        world.down()
