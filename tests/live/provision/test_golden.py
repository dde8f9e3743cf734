"""Golden snapshots: made once, started in seconds, never changed by a world."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from testbed.provision import golden
from testbed.provision.ansible import provision
from testbed.provision.error import ProvisionError
from testbed.provision.golden import Golden, ensure_golden, golden_key
from testbed.provision.programs import start_all
from testbed.topology.model import Deployment
from testbed.world.namespaces import list_worlds
from tests.live.provision.conftest import empty_world, roles, sql


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Another cache for the snapshots alone."""
    place = tmp_path_factory.mktemp("golden")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(golden, "golden_folder", lambda: place)
        yield place


@pytest.fixture(scope="module")
def snapshot(folder: Path, deployment: Deployment, programs: Mapping[str, str]) -> Golden:
    """Asked for by two at once, made by one."""
    made: list[str] = []

    def make() -> Golden:
        return ensure_golden(deployment, programs, listener=lambda step: made.append(step.task))

    with ThreadPoolExecutor() as pool:
        first, second = pool.submit(make), pool.submit(make)
    assert first.result() == second.result()
    assert made.count("Run Toxiproxy") == 2  # began, and ended on one node: once
    return first.result()


def fingerprint(path: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        digest.update(f"{file.relative_to(path)}\0{file.lstat().st_mtime_ns}\0".encode())
        digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()


def test_worlds_start_from_it_with_the_same_primary_and_leave_it_as_it_is(
    snapshot: Golden, deployment: Deployment, programs: Mapping[str, str], tmp_path: Path
) -> None:
    before = fingerprint(snapshot.folder)
    for number in range(2):
        world = empty_world(deployment, tmp_path / str(number), f"golden{number}", snapshot.lowers)
        try:
            start_all(world)
            assert roles(world) == {
                "eu-west-db1": ("primary", None),
                "eu-central-db1": ("replica", "streaming"),
                "us-east-db1": ("replica", "streaming"),
            }
            for entry in deployment.topology.members("haproxy"):
                written = sql(
                    world,
                    programs["postgres_bin_dir"],
                    entry.address,
                    "CREATE TABLE IF NOT EXISTS t (a int);"
                    "INSERT INTO t VALUES (1) RETURNING inet_server_addr()",
                )
                assert written == "10.77.1.10"
            assert golden.prune(0) == (), "it is shown by a world"
            if number == 0:
                assert dict(provision(world, deployment, programs).changes) == {}
        finally:
            world.down()
    assert fingerprint(snapshot.folder) == before


def test_a_failure_leaves_neither_snapshot_nor_world(
    folder: Path, deployment: Deployment, programs: Mapping[str, str], tmp_path: Path
) -> None:
    broken = tmp_path / "consul"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    wanted = {**programs, "consul_program": str(broken)}
    # Others may make snapshots at the same time: only this one's key must not be there.
    key = golden_key(deployment, wanted)
    with pytest.raises(ProvisionError, match="consul exited with status 1") as failure:
        ensure_golden(deployment, wanted)
    assert not [path for path in folder.iterdir() if path.is_dir() and key in path.name]
    assert f"golden-{key}" not in [world.name for world in list_worlds()]
    output = Path(str(failure.value).rpartition("whole output: ")[2])
    assert output.is_file()
