"""The arena of a pytest process: one world at a time, kept while the next test wants the same."""

from __future__ import annotations

import itertools

from experiments.arena import Arena
from experiments.options import Options
from testbed.topology.model import Deployment


class Arenas:
    """Gives each test its arena.

    Args:
        options: Of this process.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._numbers = itertools.count(1)
        self._made: list[Arena] = []

    @property
    def made(self) -> tuple[Arena, ...]:
        """Every arena so far, the one in use last."""
        return tuple(self._made)

    def of(self, deployment: Deployment) -> Arena:
        """The arena of a deployment: the one in use where it is of the same, else a new one.

        Raises:
            ToolchainError: A program is missing.
        """
        if self._made and self._made[-1].deployment == deployment:
            return self._made[-1]
        self.close()
        self._made.append(Arena(deployment, self._options, self._numbers))
        return self._made[-1]

    def close(self) -> None:
        """End the world in use, and wait for its last report."""
        if self._made:
            self._made[-1].close()
