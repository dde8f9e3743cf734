"""Who holds what: faults that overlap share parts, and a part is free when the last lets go.

Two cuts that share a link keep it cut until both are healed; a program that was killed alone and
with its node starts again when both faults are over.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class CutLink:
    """A directed link that is cut: the region that sends and the one that receives."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class DownProgram:
    """A program of a node that was killed and is not to run."""

    node: str
    program: str


@dataclass(frozen=True, slots=True)
class PausedProgram:
    """A program of a node of which processes are stopped."""

    node: str
    program: str


@dataclass(frozen=True, slots=True)
class StoppedProcess:
    """One stopped process, by its id and its start in clock ticks since boot."""

    pid: int
    started: int


Part = CutLink | DownProgram | PausedProgram | StoppedProcess
SomePart = TypeVar("SomePart", bound=Part)


class Holds:
    """Counts for each part how many faults hold it.

    ``lock`` is held around a change together with what it stands for, so that one fault's heal
    cannot undo what another injects at the same moment.
    """

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self._holders: Counter[Part] = Counter()

    def take(self, parts: Iterable[Part]) -> None:
        """Hold parts once more."""
        self._holders.update(parts)

    def drop(self, parts: Iterable[Part]) -> None:
        """Let go of parts that the caller holds."""
        for part in parts:
            if self._holders[part] < 2:
                del self._holders[part]
            else:
                self._holders[part] -= 1

    def held(self, part: Part) -> bool:
        """Whether any fault holds a part."""
        return part in self._holders

    def only_mine(self, parts: Iterable[SomePart]) -> tuple[SomePart, ...]:
        """Those of the caller's parts that nobody else holds: free once the caller lets go."""
        return tuple(part for part in parts if self._holders[part] == 1)

    def disturbed(self, node: str, program: str) -> bool:
        """Whether a fault keeps a program of a node from working."""
        return self.held(DownProgram(node, program)) or self.held(PausedProgram(node, program))
