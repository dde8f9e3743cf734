"""Columns that grow as a file is read, and take no more memory than they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Growing:
    """One column.

    Args:
        kind: Its type of number.
    """

    def __init__(self, kind: Any) -> None:
        self._column: NDArray[Any] = np.empty(1 << 12, kind)
        self.size = 0

    def extend(self, values: NDArray[Any]) -> None:
        """Put values behind those that are there."""
        after = self.size + len(values)
        if after > len(self._column):
            # Where it stands: the system moves its pages, and unused pages take no memory.
            self._column.resize(max(after, len(self._column) * 2), refcheck=False)
        self._column[self.size : after] = values
        self.size = after

    def seen(self) -> NDArray[Any]:
        """What is there; not to be kept while the column grows."""
        return self._column[: self.size]

    def taken(self) -> NDArray[Any]:
        """What is there, cut to its length; the column is empty afterwards."""
        column = self._column
        column.resize(self.size, refcheck=False)
        self._column, self.size = np.empty(1, column.dtype), 0
        return column
