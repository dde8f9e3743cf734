"""Keys of golden snapshots, and which of them stay."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import shutil
from pathlib import Path

import pytest

from testbed.provision import golden
from testbed.provision.golden import Golden, golden_folder, golden_held, golden_key, prune
from testbed.topology.inventory import find, load
from testbed.topology.model import Deployment


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    golden_folder().mkdir(parents=True)


@pytest.fixture
def deployment() -> Deployment:
    return load(find("active-passive"))


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "consul").write_text("version 1")
    return {"consul_program": str(tmp_path / "consul")}


def test_the_key_is_the_same_for_the_same_input(
    deployment: Deployment, programs: dict[str, str]
) -> None:
    again = load(find("active-passive"))
    assert golden_key(deployment, programs) == golden_key(again, programs)


def test_the_key_changes_with_everything_that_decides(
    deployment: Deployment, programs: dict[str, str], tmp_path: Path
) -> None:
    keys = [golden_key(deployment, programs)]
    keys.append(golden_key(load(deployment.folder, {"patroni_ttl_s": "30"}), programs))
    fewer = dataclasses.replace(deployment.topology, links=deployment.topology.links[1:])
    keys.append(golden_key(dataclasses.replace(deployment, topology=fewer), programs))
    regional = {"eu-west": {"consul_datacenter": "elsewhere"}}
    keys.append(golden_key(dataclasses.replace(deployment, region_variables=regional), programs))
    (tmp_path / "consul").write_text("version 1.1")
    keys.append(golden_key(deployment, programs))
    assert len(set(keys)) == len(keys)


def test_what_only_clients_use_decides_nothing(
    deployment: Deployment, programs: dict[str, str]
) -> None:
    primary = load(deployment.folder, {"read_routing": "primary"})
    assert golden_key(primary, programs) == golden_key(deployment, programs)


def test_a_users_own_role_decides(programs: dict[str, str], tmp_path: Path) -> None:
    example = Path(__file__).parents[3] / "docs" / "examples" / "valkey"
    for part in ("inventory", "playbooks"):
        shutil.copytree(example / part, tmp_path / part)
    deployment = load(tmp_path / "inventory" / "three-regions")
    before = golden_key(deployment, programs)
    template = tmp_path / "playbooks" / "roles" / "valkey" / "templates" / "valkey.conf.j2"
    template.write_text(template.read_text() + "maxmemory 100mb\n")
    assert golden_key(deployment, programs) != before


def snapshot(key: str, used: int) -> Path:
    folder = golden_folder() / key
    (folder / "eu-west-db1").mkdir(parents=True)
    os.utime(folder, (used, used))
    return folder


def test_the_snapshots_used_last_stay() -> None:
    old, new, older = snapshot("a1", 20), snapshot("b2", 30), snapshot("c3", 10)
    assert prune(1) == ("a1", "c3")
    assert new.is_dir()
    assert not old.exists()
    assert not older.exists()
    assert [path.name for path in golden_folder().iterdir() if path.is_dir()] == ["b2"]


def test_what_somebody_else_removes_meanwhile_is_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two commands whose deployments are new ended each other with FileNotFoundError."""
    snapshot("a1", 10)
    snapshot("b2", 20)
    listed = Path.glob

    def glob(path: Path, pattern: str) -> list[Path]:
        found = list(listed(path, pattern))
        for one in found:
            if one.name == "a1":
                shutil.rmtree(one)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Path, "glob", glob)
        assert prune(0) == ("b2",)

    snapshot("c3", 10)
    lock = golden._lock_nodes

    def locked(of: Golden, how: int, stack: contextlib.ExitStack) -> None:
        shutil.rmtree(of.folder)
        lock(of, how, stack)

    monkeypatch.setattr(golden, "_lock_nodes", locked)
    assert prune(0) == ()


def test_a_snapshot_goes_though_its_key_was_removed_before_and_lies_about() -> None:
    (golden_folder() / ".a1-removed" / "eu-west-db1").mkdir(parents=True)
    snapshot("a1", 10)
    assert prune(0) == ("a1",)
    assert not [path for path in golden_folder().iterdir() if path.is_dir()]


def test_a_snapshot_that_a_world_shows_stays() -> None:
    shown, old = snapshot("a1", 10), snapshot("b2", 20)
    world = os.open(shown / "eu-west-db1", os.O_RDONLY)
    fcntl.flock(world, fcntl.LOCK_SH)
    assert prune(0) == ("b2",)
    assert shown.is_dir()
    assert not old.exists()
    os.close(world)
    assert prune(0) == ("a1",)
    assert not shown.exists()


def test_what_a_killed_maker_left_goes_and_what_a_running_one_makes_stays() -> None:
    left, made = golden_folder() / ".aa-left", golden_folder() / ".bb-made"
    left.mkdir()
    made.mkdir()
    with (golden_folder() / ".bb.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        prune(1)
    assert not left.exists()
    assert made.is_dir()


def test_one_that_a_world_is_about_to_show_stays(
    deployment: Deployment, programs: dict[str, str]
) -> None:
    key = golden_key(deployment, programs)
    snapshot(key, 1)
    with golden_held(deployment, programs) as held:
        assert prune(0) == ()
        assert list(held.lowers) == ["eu-west-db1"]
    assert prune(0) == (key,)


def test_one_that_was_removed_before_it_could_be_held_is_made_again(
    deployment: Deployment, programs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = iter(["a1", "b2"])

    def ensure(*_: object, **__: object) -> Golden:
        key = next(made)
        folder = snapshot(key, 1)
        if key == "a1":
            prune(0)
        return Golden(key, folder)

    monkeypatch.setattr(golden, "ensure_golden", ensure)
    with golden_held(deployment, programs) as held:
        assert held.key == "b2"
