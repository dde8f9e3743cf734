"""Ends worlds on request, without taking one away from a run by accident."""

from __future__ import annotations

from pathlib import Path

from testbed.world.finding import Condition, Sighting, find, survey
from testbed.world.protocol import WorldError


def end(name: str | None, *, folder: Path | None = None) -> str:
    """End one world, or forget one that has ended; what was done, as a sentence.

    Args:
        name: The world's; None for the only one there is. A world that belongs to a run has to
            be named.
        folder: Where worlds are remembered; ``state.worlds_folder()`` if None.

    Raises:
        WorldError: There is no such world, or it may not be ended now.
    """
    sighting = find(name, folder=folder)
    world = sighting.world
    if sighting.condition is Condition.STARTING:
        creator = sighting.remembered.creator.pid
        raise WorldError(
            f"world {world.name!r} is being created by process {creator}: "
            f"end that process, or wait and try again"
        )
    if name is None and sighting.keeper is not None:
        raise WorldError(
            f"the only world, {world.name!r}, belongs to process {sighting.keeper} and dies with "
            f"it: end that process, or type `testbed down {world.name}`"
        )
    return _ended(sighting)


def end_all(*, folder: Path | None = None) -> list[str]:
    """End every world that lives by itself, forget those that have ended; a sentence for each.

    Raises:
        WorldError: Some world cannot be read; the others are gone.
    """
    found = survey(folder=folder)
    sentences = []
    for sighting in found.sightings:
        if sighting.condition is Condition.STARTING or sighting.keeper is not None:
            creator = sighting.remembered.creator.pid
            sentences.append(
                f"World {sighting.world.name} belongs to process {creator} and dies with it: "
                f"left alone."
            )
        else:
            sentences.append(_ended(sighting))
    if found.problems:
        raise WorldError("\n".join([*sentences, *found.problems]))
    return sentences or ["There is no world."]


def _ended(sighting: Sighting) -> str:
    sighting.world.down()
    did = "had died; it is forgotten" if sighting.condition is Condition.ENDED else "has ended"
    return f"World {sighting.world.name} {did}. Its logs stay in {sighting.world.logs}"
