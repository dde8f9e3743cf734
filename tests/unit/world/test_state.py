"""What is remembered of a world, and whose name is free."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.topology.model import Link, Node, Region, Topology
from testbed.world import census, state
from testbed.world.protocol import WorldError

TOPOLOGY = Topology(
    (Region("a", "EU", 1), Region("b", "US", 2)),
    (Link("a", "b", 10.0, 1.0, 500), Link("b", "a", 20.0)),
    (Node("a-db1", "a", "10.77.1.10", frozenset({"consul", "postgres"}), (5432, 8008)),),
)


def myself() -> census.Identity:
    identity = census.identify(os.getpid())
    assert identity is not None
    return identity


def dead() -> census.Identity:
    """A process that has this one's number and started at another time."""
    return replace(myself(), started=1)


def remembered(**changes: object) -> state.WorldState:
    plain = state.WorldState(
        name="one",
        creator=myself(),
        process1=None,
        nodes={},
        topology=TOPOLOGY,
        logs=Path("/logs"),
        owned=True,
        deployment="active-passive",
        variables={"replication": "quorum", "regions": ("a", "b")},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_it_comes_back_without_loss(tmp_path: Path) -> None:
    state.claim(tmp_path, remembered())
    running = state.running(remembered(), myself(), {"a-db1": dead()})
    state.write(tmp_path, running)
    assert state.read(tmp_path, "one") == running
    assert state.names(tmp_path) == ("one",)


def test_a_name_is_taken_while_its_world_runs_or_is_created(tmp_path: Path) -> None:
    state.claim(tmp_path, remembered())
    with pytest.raises(WorldError, match="already is being created"):
        state.claim(tmp_path, remembered())
    state.write(tmp_path, state.running(remembered(), myself(), {}))
    with pytest.raises(WorldError, match="already runs"):
        state.claim(tmp_path, remembered())


@pytest.mark.parametrize("process1", [None, "dead"])
def test_a_dead_world_gives_its_name_away(tmp_path: Path, process1: str | None) -> None:
    stale = remembered(creator=dead(), process1=dead() if process1 else None)
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "leftover").touch()
    state.write(tmp_path, stale)
    state.claim(tmp_path, remembered())
    assert state.read(tmp_path, "one").creator == myself()
    assert not (tmp_path / "one" / "leftover").exists()


def test_a_later_world_of_the_same_name_is_not_forgotten(tmp_path: Path) -> None:
    state.claim(tmp_path, remembered())
    state.write(tmp_path, state.running(remembered(), myself(), {}))
    state.forget(tmp_path, "one", dead())
    assert state.names(tmp_path) == ("one",)
    state.forget(tmp_path, "one", myself())
    assert state.names(tmp_path) == ()
    state.forget(tmp_path, "one", myself())


def test_a_number_from_before_a_restart_is_another_process() -> None:
    assert census.runs(myself())
    assert not census.runs(dead())
    assert not census.runs(replace(myself(), boot="another"))


def test_what_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="there is no world named 'one'"):
        state.read(tmp_path, "one")
    (tmp_path / "one").mkdir()
    file = tmp_path / "one" / "world.json"
    file.write_text("{")
    with pytest.raises(WorldError, match=r"cannot be read: .* remove"):
        state.read(tmp_path, "one")
    file.write_text(json.dumps({"version": 99}))
    with pytest.raises(WorldError, match=r"another version of testbed \(format 99"):
        state.read(tmp_path, "one")


def test_the_folder_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state.worlds_folder() == tmp_path / "testbed" / "worlds"
