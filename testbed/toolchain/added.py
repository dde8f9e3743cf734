"""What installed packages add to the testbed: systems, probes, programs and bounds of their own.

A package says so in its ``pyproject.toml``, below ``[project.entry-points."testbed.KIND"]``, with
one line a thing: ``NAME = "module:object"``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from testbed.toolchain.error import ToolchainError

T = TypeVar("T")


@cache
def points(kind: str) -> Mapping[str, EntryPoint]:
    """What was added, by name and in order; nothing is imported for it.

    Args:
        kind: ``systems``, ``probes``, ``programs``, ``bounds`` or ``switchovers``.
    """
    return {point.name: point for point in sorted(entry_points(group=f"testbed.{kind}"))}


class WithAdded(Mapping[str, T]):
    """The testbed's own things of a kind, and those that were added, imported when asked for.

    A name that the testbed itself has stays the testbed's.

    Args:
        kind: As for :func:`points`.
        own: The testbed's own, by name.
    """

    def __init__(self, kind: str, own: Mapping[str, T]) -> None:
        self._kind, self._own = kind, dict(own)

    def __getitem__(self, name: str) -> T:
        """One thing.

        Raises:
            KeyError: There is none of that name.
            ToolchainError: The package that adds it cannot be imported.
        """
        if name not in self._own:
            self._own[name] = self._load(points(self._kind)[name])
        return self._own[name]

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in points(self._kind)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._own, *points(self._kind))))

    def __len__(self) -> int:
        return len(tuple(iter(self)))

    def _load(self, point: EntryPoint) -> T:
        try:
            loaded: T = point.load()
        except Exception as error:
            package = point.dist.name if point.dist is not None else "an installed package"
            message = (
                f"{package} adds {point.name} to the testbed's {self._kind} as {point.value}, which"
                f" cannot be imported: {type(error).__name__}: {error}."
                " Mend it, or uninstall the package."
            )
            raise ToolchainError(message) from error
        return loaded
