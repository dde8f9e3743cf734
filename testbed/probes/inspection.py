"""What an inspection is: what a plan asks to be looked at from before the load to the end.

An inspection observes, and leaves a file in the run folder from which it is judged with no cluster.
It is not a fault: what it does to the world (a checkpoint, nodes that stand still while their files
are read) it does when clients have ended, and undoes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from testbed.topology.model import Deployment
from testbed.world.namespace_world import NamespaceWorld


@dataclass(frozen=True, slots=True)
class Scene:
    """What an inspection may look at.

    Args:
        world: Running, in steady state.
        deployment: What it was built from.
        folder: The run folder.
        history: The journal, complete when the inspection is ended.
        space: Number of the run.
        base_ns: The monotonic time at which the run's clock is 0.
        now: The run's clock, in ns.
    """

    world: NamespaceWorld
    deployment: Deployment
    folder: Path
    history: Path
    space: int
    base_ns: int
    now: Callable[[], int]


class Inspection(Protocol):
    """One inspection of one run."""

    async def begin(self) -> None:
        """Begin before the load.

        Raises:
            WorldError: The world refuses it.
        """

    async def end(self) -> None:
        """Look, after the heal and the final reads, and record what was seen.

        Raises:
            WorldError: The world has ended, or the record cannot be written.
        """

    async def close(self) -> None:
        """End whatever runs, also when the run failed before. Idempotent."""
