"""What a drill's processes tell each other by its folder: the drill file, and how it is played."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from testbed.drill.drill import Drill
from testbed.drill.drill_file import load_drill
from testbed.runner.folder import FolderError, read_json, write_json
from testbed.topology.model import Deployment

SETUP = "drill.json"
FILE = "drill.yml"


@dataclass(frozen=True, slots=True)
class Setup:
    """How a drill is played.

    Args:
        name: The drill's.
        auto: Without people.
        control: With the settings of its negative control.
        world: A running world that it is played in; empty for one of its own.
        source: The drill file as it was given, for people.
        alerts: Whether Prometheus watches, and the alerts of the objective are asked for.
        metrics_port: Where metrics are served meanwhile; None for nowhere.
    """

    name: str
    auto: bool
    control: bool
    world: str
    source: str
    alerts: bool = False
    metrics_port: int | None = None


def write_setup(folder: Path, setup: Setup, text: str) -> None:
    """Keep how a drill is played, and its file as it was then.

    Raises:
        FolderError: It can't be written.
    """
    write_json(folder / SETUP, asdict(setup))
    try:
        (folder / FILE).write_text(text, encoding="utf-8")
    except OSError as error:
        raise FolderError(f"{folder / FILE} cannot be written: {error.strerror}") from error


def read_setup(folder: Path) -> Setup:
    """How the drill of a folder is played.

    Raises:
        FolderError: It is the folder of no drill, or its setup is damaged.
    """
    document = read_json(folder / SETUP)
    try:
        setup = Setup(**document)
    except TypeError as error:
        raise FolderError(f"{folder / SETUP} is damaged: {error}") from error
    # How it was played decides what it is judged by.
    for name in ("auto", "control", "alerts"):
        if not isinstance(value := getattr(setup, name), bool):
            raise FolderError(
                f"{folder / SETUP} is damaged: {name} is {value!r}, not true or false"
            )
    return setup


def drill_of(folder: Path) -> tuple[Drill, Deployment]:
    """The drill of a folder, as it was played.

    Raises:
        FolderError: It is the folder of no drill.
        DrillFileError: Its drill file is damaged.
    """
    setup = read_setup(folder)
    drill, deployment = load_drill(folder / FILE, control=setup.control)
    return replace(drill, name=setup.name), deployment
