"""Columns that grow as a file is read, and take no more memory than they hold."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BYTES_FIRST = 1 << 16


class Growing:
    """One column.

    It lies in memory of its own that the system enlarges where it stands: nothing is copied, what
    is not yet used takes no memory, and large pages make it several times quicker to touch.

    Args:
        kind: Its type of number.
    """

    def __init__(self, kind: Any) -> None:
        self._kind = np.dtype(kind)
        self._begin()

    def _begin(self) -> None:
        self._memory = _memory(_BYTES_FIRST)
        self._column: NDArray[Any] = np.frombuffer(self._memory, self._kind)
        self.size = 0

    def extend(self, values: NDArray[Any]) -> None:
        """Put values behind those that are there."""
        after = self.size + len(values)
        if after > len(self._column):
            self._resize(max(after, len(self._column) * 2))
        self._column[self.size : after] = values
        self.size = after

    def _resize(self, length: int) -> None:
        size = length * self._kind.itemsize
        self._column = np.empty(0, self._kind)
        try:
            self._memory.resize(size)
        except (BufferError, SystemError):
            # Somebody looks at it, or the system cannot do that: the values move.
            before = np.frombuffer(self._memory, self._kind, self.size)
            self._memory = _memory(size)
            np.frombuffer(self._memory, self._kind)[: self.size] = before
        except OSError as error:
            raise MemoryError(str(error)) from error
        self._column = np.frombuffer(self._memory, self._kind)

    def seen(self) -> NDArray[Any]:
        """What is there; not to be kept while the column grows."""
        return self._column[: self.size]

    def taken(self) -> NDArray[Any]:
        """What is there, cut to its length; the column is empty afterwards."""
        column = np.empty(0, self._kind)
        if self.size:
            self._resize(self.size)
            column = self._column
        self._begin()
        return column


def _memory(size: int) -> mmap.mmap:
    """Memory of its own, of large pages where the system has them."""
    try:
        found = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError(str(error)) from error
    if hasattr(mmap, "MADV_HUGEPAGE"):
        found.madvise(mmap.MADV_HUGEPAGE)
    return found
