"""Which world is meant: the one named, or the only one there is."""

from __future__ import annotations

import enum
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from testbed.world import census, state
from testbed.world.namespaces import NamespaceWorld, Owner, name_problems
from testbed.world.protocol import WorldError


class Condition(enum.Enum):
    """How a remembered world is.

    ``STARTING``: its namespaces are being built. ``RUNNING``: process 1 runs. ``ENDED``: it does
    not any more, and nobody said ``down``.
    """

    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Sighting:
    """A world with what is remembered of it.

    Args:
        world: The world.
        remembered: Its ``world.json``.
        condition: How it is now.
    """

    world: NamespaceWorld
    remembered: state.WorldState
    condition: Condition

    @property
    def keeper(self) -> int | None:
        """The living process that the world dies with; None for one that lives by itself."""
        if self.world.owner is Owner.DETACHED or not census.runs(self.remembered.creator):
            return None
        return self.remembered.creator.pid

    @property
    def age_s(self) -> float:
        """Seconds since process 1 started; 0 without one."""
        process1 = self.remembered.process1
        if process1 is None or process1.boot != census.boot():
            return 0.0
        began_s = process1.started / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - began_s)


@dataclass(frozen=True, slots=True)
class Survey:
    """All worlds of this user.

    Args:
        sightings: Those that could be read, by name.
        problems: One sentence for each that could not.
    """

    sightings: tuple[Sighting, ...]
    problems: tuple[str, ...]


def survey(*, folder: Path | None = None) -> Survey:
    """Every world that is remembered; one that cannot be read hides no other."""
    folder = folder or state.worlds_folder()
    sightings: list[Sighting] = []
    problems: list[str] = []
    for name in state.names(folder):
        try:
            sightings.append(_sighting(name, folder))
        except WorldError as error:
            problems.append(str(error))
    return Survey(tuple(sightings), tuple(problems))


def find(name: str | None, *, folder: Path | None = None) -> Sighting:
    """The world of that name in whatever condition; without a name the only one there is.

    Running worlds that live by themselves go before those of a run, and these before those that
    have ended: what a suite does meanwhile makes no name necessary.

    Raises:
        WorldError: There is none, or without a name several; lists them.
    """
    folder = folder or state.worlds_folder()
    if name is not None:
        return _sighting(name, folder)
    found = survey(folder=folder)
    if found.problems and not found.sightings:
        raise WorldError("\n".join(found.problems))
    for candidates in _by_preference(found.sightings):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise WorldError(f"there are several worlds, name one of them: {_names(candidates)}")
    raise WorldError("there is no world: create one with `testbed up`")


def find_running(name: str | None, *, folder: Path | None = None) -> NamespaceWorld:
    """As :func:`find`, but a world that runs.

    Raises:
        WorldError: As :func:`find`; or it has ended, or is only being created.
    """
    sighting = find(name, folder=folder)
    what = f"world {sighting.world.name!r}"
    if sighting.condition is Condition.ENDED:
        raise WorldError(f"{what} {ended(sighting)}")
    if sighting.condition is Condition.STARTING:
        creator = sighting.remembered.creator.pid
        raise WorldError(f"{what} is still being created by process {creator}: wait for it")
    return sighting.world


def default_name(*, folder: Path | None = None) -> str | None:
    """The name of the world that is meant where none is given; None where one has to be."""
    try:
        return find(None, folder=folder).world.name
    except WorldError:
        return None


def ended(sighting: Sighting) -> str:
    """What to say of a world whose process 1 is gone, as the end of a sentence."""
    name = sighting.world.name
    return (
        f"has ended: its process 1 is gone. `testbed down {name}` forgets it, "
        f"`testbed up` creates it again; its logs are in {sighting.world.logs}"
    )


def require_free(name: str, *, folder: Path | None = None) -> None:
    """Refuse a name that a new world cannot have, before anything is done for it.

    Raises:
        WorldError: It is no name, or a world of that name runs or is being created.
    """
    problems = name_problems(name)
    if problems:
        raise WorldError("; ".join(problems))
    folder = folder or state.worlds_folder()
    if name not in state.names(folder):
        return
    sighting = _sighting(name, folder)
    if sighting.condition is not Condition.ENDED:
        raise WorldError(
            f"a world named {name!r} is already {sighting.condition.value}: choose another "
            f"with `--name`, look at it with `testbed status {name}`, "
            f"or end it with `testbed down {name}`"
        )


def _sighting(name: str, folder: Path) -> Sighting:
    remembered = state.read(folder, name)
    world = NamespaceWorld(remembered, folder)
    if not remembered.alive:
        condition = Condition.ENDED
    elif remembered.process1 is None:
        condition = Condition.STARTING
    else:
        condition = Condition.RUNNING
    return Sighting(world, remembered, condition)


def _by_preference(sightings: Iterable[Sighting]) -> tuple[list[Sighting], ...]:
    lasting: list[Sighting] = []
    kept: list[Sighting] = []
    gone: list[Sighting] = []
    for sighting in sightings:
        if sighting.condition is Condition.ENDED:
            gone.append(sighting)
        elif sighting.keeper is None:
            lasting.append(sighting)
        else:
            kept.append(sighting)
    return lasting, kept, gone


def _names(sightings: Iterable[Sighting]) -> str:
    return ", ".join(sighting.world.name for sighting in sightings)
