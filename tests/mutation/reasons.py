"""Why a mutant may survive: the list of those that were looked at."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

SORTS = ("equivalent", "wording", "speed")
"""The verdict is the same by any input; only texts for people differ; only the cost does."""


@dataclass
class Reasons:
    """The reasons by module and mutant.

    Args:
        sorts: The sort of reason of each mutant, by module and the mutant's name.
    """

    sorts: dict[str, dict[str, str]]

    @classmethod
    def read(cls, path: Path) -> Reasons:
        """Read the list: by module and sort a table from a mutant's name to its reason.

        Raises:
            ValueError: A reason is of no known sort, or empty.
        """
        sorts: dict[str, dict[str, str]] = {}
        for module, by_sort in tomllib.loads(path.read_text()).items():
            for sort, reasons in by_sort.items():
                if sort not in SORTS or not all(reasons.values()):
                    raise ValueError(f"{path}: {module}: expected reasons under {SORTS}")
                sorts.setdefault(module, {}).update(dict.fromkeys(reasons, sort))
        return cls(sorts)

    def of(self, module: str, name: str) -> str | None:
        """The sort of reason for which a mutant may survive, None if it may not."""
        return self.sorts.get(module, {}).get(name)

    def unknown(self, module: str, names: Collection[str]) -> list[str]:
        """Names in the list that are no mutants of a module."""
        return [name for name in self.sorts.get(module, {}) if name not in names]
