"""Log files: the last lines, what is added, and the folders of worlds that are gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.topology.model import Topology
from testbed.world import census, state
from testbed.world.logs import (
    KEPT,
    LogFile,
    follow,
    last_lines,
    log_files,
    logs_folder,
    new_logs_folder,
)
from testbed.world.protocol import WorldError


def write(folder: Path, label: str, text: str) -> LogFile:
    node, program = label.split("/")
    path = folder / node / f"{program}.log"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return LogFile(node, program, path)


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [
        ("a\nb\nc\n", 2, ["b", "c"]),
        ("a\nb\n", 5, ["a", "b"]),
        ("a\nb\nunfinished", 1, ["b"]),
        ("", 3, []),
        ("a\n\n\n", 2, ["", ""]),
        ("a\nb\n", 0, []),
        ("a b\x0cc\n", 1, ["a b\x0cc"]),
    ],
)
def test_the_last_lines(tmp_path: Path, text: str, count: int, expected: list[str]) -> None:
    lines, _ = last_lines(write(tmp_path, "n/p", text), count)
    assert [line.text for line in lines] == expected


def test_the_last_lines_of_a_long_file(tmp_path: Path) -> None:
    text = "".join(f"{number} {'x' * 97}\n" for number in range(5000))
    lines, end = last_lines(write(tmp_path, "n/p", text), 3000)
    assert [line.text.split()[0] for line in lines] == [str(number) for number in range(2000, 5000)]
    assert end == len(text)


def test_a_world_a_node_or_a_program(tmp_path: Path) -> None:
    for label in ("a1/consul", "a1/patroni", "b1/haproxy", "ansible/own"):
        write(tmp_path, label, "")
    write(tmp_path, "a1/patroni", "")
    (tmp_path / "a1" / "other.txt").write_text("")
    assert [file.label for file in log_files(tmp_path, "a1")] == ["a1/consul", "a1/patroni"]
    assert [file.label for file in log_files(tmp_path, "a1", "consul")] == ["a1/consul"]
    assert "b1/haproxy" in [file.label for file in log_files(tmp_path)]
    with pytest.raises(WorldError, match="a1, ansible, b1"):
        log_files(tmp_path, "c1")
    with pytest.raises(WorldError, match="it has: consul, patroni"):
        log_files(tmp_path, "a1", "haproxy")


def test_following_gives_whole_lines_once_also_of_new_and_of_begun_anew_files(
    tmp_path: Path,
) -> None:
    old = write(tmp_path, "n/old", "1\n2\n3\nhal")
    rounds = iter(["more", "anew", "end"])

    def alive() -> bool:
        now = next(rounds)
        if now == "more":
            with old.path.open("a") as file:
                file.write("f\n4\n")
            write(tmp_path, "n/new", "first\n")
        elif now == "anew":
            old.path.write_text("x\n")
        else:
            with old.path.open("a") as file:
                file.write("last words\n")
        return now != "end"

    seen = [
        (each.file.program, each.text) for each in follow(lambda: log_files(tmp_path), 2, alive)
    ]
    assert seen == [
        ("old", "2"),
        ("old", "3"),
        ("new", "first"),
        ("old", "half"),
        ("old", "4"),
        ("old", "x"),
        ("old", "last words"),
    ]


def test_no_world_overwrites_the_logs_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folders = {new_logs_folder("one") for _ in range(5)}
    assert len(folders) == 5
    assert all(folder.is_dir() and folder.name.startswith("one-") for folder in folders)


def test_the_oldest_folders_go_but_none_of_a_remembered_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    used = new_logs_folder("used")
    creator = census.Identity(1, 1, "boot")
    state.worlds_folder().joinpath("used").mkdir(parents=True)
    state.write(
        state.worlds_folder(),
        state.WorldState("used", creator, None, {}, Topology((), (), ()), used, owned=False),
    )
    for number in range(KEPT + 5):
        new_logs_folder(f"w{number}")
    left = {folder.name.split("-")[0] for folder in logs_folder().iterdir()}
    assert "used" in left
    assert f"w{KEPT + 4}" in left
    assert len(left) == KEPT + 1


def test_a_folder_that_cannot_be_made_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "testbed").write_text("in the way")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(WorldError, match="XDG_STATE_HOME"):
        new_logs_folder("one")
