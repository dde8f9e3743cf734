"""Which world is meant, and what is said where that is not clear."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed.topology.model import Topology
from testbed.world import census, state
from testbed.world.ending import end, end_all
from testbed.world.finding import (
    Condition,
    default_name,
    find,
    find_running,
    require_free,
    survey,
)
from testbed.world.protocol import WorldError

Remember = Callable[..., None]
ENDED = census.Identity(pid=2**22 - 1, started=1, boot="another boot")


@pytest.fixture
def alive() -> Iterator[census.Identity]:
    """A process that stands for process 1 of a world."""
    process = subprocess.Popen(["sleep", "600"])
    identity = census.identify(process.pid)
    assert identity is not None
    yield identity
    process.kill()
    process.wait()


@pytest.fixture
def remember(tmp_path: Path) -> Remember:
    """Write what is remembered of a world."""

    def write(
        name: str,
        process1: census.Identity | None,
        creator: census.Identity = ENDED,
        *,
        owned: bool = False,
    ) -> None:
        (tmp_path / name).mkdir()
        remembered = state.WorldState(
            name, creator, process1, {}, Topology((), (), ()), tmp_path / "logs", owned
        )
        state.write(tmp_path, remembered)

    return write


def myself() -> census.Identity:
    identity = census.identify(os.getpid())
    assert identity is not None
    return identity


def test_the_only_world_needs_no_name(remember: Remember, alive, tmp_path: Path) -> None:
    remember("one", alive)
    assert find(None, folder=tmp_path).world.name == "one"
    assert find_running(None, folder=tmp_path).name == "one"
    assert default_name(folder=tmp_path) == "one"


def test_of_several_one_has_to_be_named_and_all_are_listed(
    remember: Remember, alive, tmp_path: Path
) -> None:
    remember("one", alive)
    remember("two", alive)
    with pytest.raises(WorldError, match="name one of them: one, two"):
        find(None, folder=tmp_path)
    assert default_name(folder=tmp_path) is None
    assert find("two", folder=tmp_path).world.name == "two"


def test_worlds_of_a_run_and_dead_ones_ask_for_no_name(
    remember: Remember, alive, tmp_path: Path
) -> None:
    remember("mine", alive)
    remember("lane0", alive, myself(), owned=True)
    remember("lane1", alive, myself(), owned=True)
    remember("dead", ENDED)
    assert find(None, folder=tmp_path).world.name == "mine"


def test_the_world_of_a_run_is_meant_where_there_is_no_other(
    remember: Remember, alive, tmp_path: Path
) -> None:
    remember("lane0", alive, myself(), owned=True)
    remember("dead", ENDED)
    sighting = find(None, folder=tmp_path)
    assert (sighting.world.name, sighting.keeper) == ("lane0", os.getpid())


def test_no_world_and_no_world_of_that_name(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="testbed up"):
        find(None, folder=tmp_path)
    with pytest.raises(WorldError, match="no world named 'one'"):
        find("one", folder=tmp_path)


def test_the_condition_of_each(remember: Remember, alive, tmp_path: Path) -> None:
    remember("running", alive)
    remember("starting", None, myself())
    remember("ended", ENDED)
    remember("abandoned", None)
    conditions = {each.world.name: each.condition for each in survey(folder=tmp_path).sightings}
    assert conditions == {
        "running": Condition.RUNNING,
        "starting": Condition.STARTING,
        "ended": Condition.ENDED,
        "abandoned": Condition.ENDED,
    }


def test_a_world_that_does_not_run_says_what_to_do(remember: Remember, tmp_path: Path) -> None:
    remember("ended", ENDED)
    remember("starting", None, myself())
    with pytest.raises(WorldError, match=r"`testbed down ended`.*`testbed up`.*logs"):
        find_running("ended", folder=tmp_path)
    with pytest.raises(WorldError, match=f"created by process {os.getpid()}"):
        find_running("starting", folder=tmp_path)


def test_the_age_is_that_of_process_1(remember: Remember, alive, tmp_path: Path) -> None:
    remember("one", alive)
    remember("ended", ENDED)
    assert 0 <= find("one", folder=tmp_path).age_s < 60
    assert find("ended", folder=tmp_path).age_s == 0


def test_one_that_cannot_be_read_hides_no_other(remember: Remember, alive, tmp_path: Path) -> None:
    remember("one", alive)
    remember("torn", alive)
    (tmp_path / "torn" / "world.json").write_text("{")
    found = survey(folder=tmp_path)
    assert [each.world.name for each in found.sightings] == ["one"]
    assert len(found.problems) == 1
    assert "torn" in found.problems[0]
    assert find(None, folder=tmp_path).world.name == "one"
    (tmp_path / "one" / "world.json").unlink()
    with pytest.raises(WorldError, match="torn"):
        find(None, folder=tmp_path)


def test_a_name_that_is_none_or_taken_is_refused_before_anything_is_done(
    remember: Remember, alive, tmp_path: Path
) -> None:
    remember("one", alive)
    remember("ended", ENDED)
    with pytest.raises(WorldError, match=r"already running.*--name.*testbed down one"):
        require_free("one", folder=tmp_path)
    with pytest.raises(WorldError, match="lower-case"):
        require_free("No Name", folder=tmp_path)
    require_free("ended", folder=tmp_path)
    require_free("new", folder=tmp_path)


def test_down_ends_the_process_and_forgets(remember: Remember, tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "600"])
    identity = census.identify(process.pid)
    remember("one", identity)
    assert "one has ended" in end(None, folder=tmp_path)
    assert process.wait() == -9
    assert survey(folder=tmp_path).sightings == ()


def test_down_forgets_a_dead_one(remember: Remember, tmp_path: Path) -> None:
    remember("one", ENDED)
    assert "had died" in end("one", folder=tmp_path)
    assert survey(folder=tmp_path).sightings == ()


def test_down_takes_no_world_from_a_run_or_its_creator_by_accident(
    remember: Remember, alive, tmp_path: Path
) -> None:
    remember("lane0", alive, myself(), owned=True)
    with pytest.raises(WorldError, match=f"belongs to process {os.getpid()}"):
        end(None, folder=tmp_path)
    remember("starting", None, myself())
    with pytest.raises(WorldError, match="being created"):
        end("starting", folder=tmp_path)
    sentences = end_all(folder=tmp_path)
    assert len(sentences) == 2
    assert all("left alone" in sentence for sentence in sentences)
    assert census.runs(alive)
    assert "lane0 has ended" in end("lane0", folder=tmp_path)


def test_down_all_goes_on_after_one_that_cannot_be_read(remember: Remember, tmp_path: Path) -> None:
    assert end_all(folder=tmp_path) == ["There is no world."]
    remember("dead", ENDED)
    remember("torn", ENDED)
    (tmp_path / "torn" / "world.json").write_text("{")
    with pytest.raises(WorldError, match=r"(?s)dead had died.*torn"):
        end_all(folder=tmp_path)
    assert survey(folder=tmp_path).sightings == ()
