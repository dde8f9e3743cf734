"""The verbs about worlds: their arguments, and what they print, within 80 columns."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from testbed.cli import _status_view as view
from testbed.cli import main as command
from testbed.cli._bring_up_view import bring_up_view, line
from testbed.probes.snapshot import DataNode, LinkStatus
from testbed.probes.status import NodeStatus, WorldStatus
from testbed.provision.programs import ProgramState
from testbed.provision.progress import Progress
from testbed.topology.model import Topology
from testbed.world import census, state


@pytest.fixture(autouse=True)
def _no_worlds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("argv", "world", "words"),
    [
        (["n1", "--", "ls"], None, ["ls"]),
        (["n1", "ls", "-l"], None, ["ls", "-l"]),
        (["n1", "--world", "w", "--", "psql", "-c", "SELECT 1"], "w", ["psql", "-c", "SELECT 1"]),
        (["--world", "w", "n1", "--", "ls", "--world", "x"], "w", ["ls", "--world", "x"]),
        (["n1", "--", "git", "log", "--", "file"], None, ["git", "log", "--", "file"]),
        (["n1", "--", "ls", "--help"], None, ["ls", "--help"]),
    ],
)
def test_exec_hands_the_command_on_as_it_is(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], world: str | None, words: list[str]
) -> None:
    seen = []

    def visit(*called: object) -> int:
        seen.append(called)
        return 42

    monkeypatch.setattr("testbed.provision.visit.visit", visit)
    assert command.main(["exec", *argv]) == 42
    assert seen == [(world, "n1", words)]


@pytest.mark.parametrize(
    "argv",
    [
        ["exec"],
        ["exec", "n1"],
        ["exec", "n1", "--"],
        ["shell"],
        ["logs", "--lines", "-1"],
        ["logs", "--lines", "many"],
        ["down", "one", "--all"],
        ["up", "--name", "No Name"],
        ["up", "--set"],
    ],
)
def test_bad_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(argv)
    assert ended.value.code == 64
    assert "--help" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["up", "--deployment", "no-such"], "use one of: active-active"),
        (["up", "--set", "replication=fast", "--set", "patroni_ttl_s=20s"], "replication"),
    ],
)
def test_a_deployment_that_cannot_be_used_is_bad_usage(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(argv) == 64
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        ["down"],
        ["down", "one"],
        ["exec", "n1", "--", "ls"],
        ["shell", "n1"],
        ["logs"],
        ["status", "one"],
    ],
)
def test_without_a_world_the_environment_failed(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(argv) == 3
    assert "testbed up" in capsys.readouterr().err


def test_status_and_down_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["status"]) == 0
    assert "testbed up" in capsys.readouterr().out
    assert command.main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"worlds": [], "problems": []}
    assert command.main(["down", "--all"]) == 0


def remember_dead(*names: str) -> None:
    folder = state.worlds_folder()
    dead = census.Identity(pid=2**22 - 1, started=1, boot="another boot")
    for name in names:
        (folder / name).mkdir(parents=True)
        topology = Topology((), (), ())
        state.write(
            folder,
            state.WorldState(
                name, dead, dead, {}, topology, folder / "logs", False, "some-deployment"
            ),
        )


def test_a_dead_world_makes_status_exit_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    remember_dead("one")
    assert command.main(["status"]) == 3
    assert "testbed down one" in flat(capsys.readouterr().out)
    assert command.main(["status", "one", "--json"]) == 3
    (world,) = json.loads(capsys.readouterr().out)["worlds"]
    assert (world["name"], world["condition"], world["nodes"]) == ("one", "ended", [])


def test_several_worlds_are_listed_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    remember_dead("one", "two")
    (state.worlds_folder() / "torn").mkdir()
    (state.worlds_folder() / "torn" / "world.json").write_text("{")
    assert command.main(["status"]) == 3
    text = flat(capsys.readouterr().out)
    assert "one some-deployment has died" in text
    assert "two some-deployment has died" in text
    assert "testbed down NAME" in text
    assert "torn/world.json cannot be read" in text


LINK = LinkStatus(
    source="eu-central",
    target="us-east",
    asked_delay_ms=45.0,
    asked_jitter_ms=1.0,
    asked_kbytes_s=None,
    delay_ms=45.3,
    silent_ms=20.0,
    cut=False,
    dropped_packets=0,
    toxics=(),
)
NODE = NodeStatus(
    "eu-central-db1",
    "eu-central",
    "10.77.2.10",
    (
        ProgramState("observer", 105, 0, healthy=True),
        ProgramState("consul", 107, 1, healthy=True),
        ProgramState("patroni", 108, 2, healthy=True),
    ),
    DataNode("eu-central-db1", "replica", "running", 12, "streaming", "sync", 0),
    "follower",
)
WORLD = WorldStatus(
    name="active-passive",
    condition="running",
    deployment="active-passive",
    variables={"replication": "synchronous_strict"},
    process1=4321,
    keeper=None,
    age_s=130.0,
    logs=Path("/state/logs"),
    jurisdictions={"eu-central": "EU"},
    entrances={"eu-central": {"writer": "10.77.2.11:5000", "reader": "10.77.2.11:5001"}},
    nodes=(NODE, NodeStatus("wan", "", "", (ProgramState("toxiproxy", 22, 0, healthy=True),))),
    links=(LINK,),
)


def shown(world: WorldStatus) -> str:
    stream = io.StringIO()
    view.show_world(Console(file=stream, width=80, highlight=False, soft_wrap=True), world)
    text = stream.getvalue()
    assert max(len(each) for each in text.splitlines()) <= 80
    return text


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_a_world_that_is_well() -> None:
    text = flat(shown(WORLD))
    assert "active-passive running for 2 min, process 1 is 4321" in text
    assert "eu-central (EU) writer 10.77.2.11:5000 reader 10.77.2.11:5001" in text
    assert "eu-central-db1 replica streaming timeline 12 sync lag 0 B" in text
    assert "observer 105 consul 107 follower patroni 108" in text
    assert "eu-central -> us-east 45 ms ± 1 45.3 ms" in text
    assert "Steady" in text


def test_what_is_not_well_is_said() -> None:
    programs = (
        ProgramState("consul", 107, 1, healthy=False),
        ProgramState("patroni", None, 2, healthy=False),
    )
    silent = DataNode("eu-central-db1", "silent", "no answer")
    node = dataclasses.replace(NODE, programs=programs, data=silent, consul="no leader known")
    link = dataclasses.replace(
        LINK, cut=True, dropped_packets=123_456, silent_ms=3_601_000.0, delay_ms=45.0
    )
    world = dataclasses.replace(WORLD, nodes=(node,), links=(link,), problems=("It hurts.",))
    text = flat(shown(world))
    assert "silent no answer" in text
    assert "consul 107 unhealthy no leader known patroni stopped" in text
    assert "CUT, silent 60 min, 123456 packets lost" in text
    assert "! It hurts." in text
    assert "Steady" not in text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"delay_ms": None, "silent_ms": None}, "no reading"),
        ({"silent_ms": 5_000.0}, "silent 5 s"),
        ({"toxics": ("latency (delay_ms 200)",)}, "45.3 ms latency (delay_ms 200)"),
        ({"asked_kbytes_s": 500, "asked_jitter_ms": 0.0}, "45 ms, 500 kB/s 45.3 ms"),
    ],
)
def test_a_link(changes: dict[str, object], expected: str) -> None:
    link = dataclasses.replace(LINK, **changes)  # type: ignore[arg-type]
    assert expected in flat(shown(dataclasses.replace(WORLD, links=(link,))))


def test_a_replica_that_its_primary_does_not_know_does_not_replicate() -> None:
    data = DataNode("eu-central-db1", "replica", "running", 12, "", "", 1_500_000)
    node = dataclasses.replace(NODE, data=data)
    text = flat(shown(dataclasses.replace(WORLD, nodes=(node,))))
    assert "replica not replicating timeline 12 lag 1.5 MB" in text


def test_a_dead_world() -> None:
    world = dataclasses.replace(
        WORLD, condition="ended", nodes=(), links=(), problems=("World active-passive ...",)
    )
    text = flat(shown(world))
    assert "active-passive has died" in text
    assert "! World active-passive ..." in text
    assert "Steady" not in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119, "119 s"), (600, "10 min"), (7200, "2 h"), (200_000, "2 days")],
)
def test_durations(seconds: float, words: str) -> None:
    assert view.duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_500_000_000_000, "2500.0 GB")],
)
def test_sizes(count: int, words: str) -> None:
    assert view.size(count) == words


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (Progress("Run Consul", "", 3.21, 42.0), "  3.2 s  Run Consul, about 40 s left"),
        (Progress("Run Consul", "db1", 3.0, 0.2), "  3.0 s  Run Consul: db1, nearly there"),
        (Progress("Run Consul", "", 99.0, None), " 99.0 s  Run Consul"),
    ],
)
def test_a_step_as_a_line(progress: Progress, expected: str) -> None:
    assert line(progress) == expected


def test_what_is_no_terminal_gets_lines() -> None:
    stream = io.StringIO()
    with bring_up_view(stream, "Bringing up one") as listener:
        listener(Progress("Run Consul", "", 3.0, None))
    assert stream.getvalue() == "Bringing up one ...\n    3.0 s  Run Consul\n"


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("CI", raising=False)
    stream = Terminal()
    with bring_up_view(stream, "Bringing up one") as listener:
        listener(Progress("Run Consul", "eu-central-db1", 3.0, 42.0))
    shown_last = stream.getvalue()
    assert "Bringing up one" in shown_last
    assert "about 40 s left" in shown_last
