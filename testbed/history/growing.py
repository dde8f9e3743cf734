"""Columns that grow as a file is read, and take no more memory than they hold."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BYTES_FIRST = 1 << 16
_LARGE_PAGE = 1 << 21


class Growing:
    """One column.

    It lies in memory of its own that the system enlarges where it stands: nothing is copied, what
    is not yet used takes no memory, and large pages make it several times quicker to touch.

    Args:
        kind: Its type of number.
        wide: The type that it changes to with the first number that the other does not have.
    """

    def __init__(self, kind: Any, wide: Any = None) -> None:
        self._narrow = self._kind = np.dtype(kind)
        self._wide = self._narrow if wide is None else np.dtype(wide)
        self._begin()

    def _begin(self) -> None:
        self._memory = _memory(_BYTES_FIRST)
        self._column: NDArray[Any] = np.frombuffer(self._memory, self._kind)
        self.size = 0

    def extend(self, values: NDArray[Any]) -> None:
        """Put values behind those that are there."""
        after = self.size + len(values)
        if self._kind != self._wide and not _within(values, np.iinfo(self._kind)):
            self._widen()
        if after > len(self._column):
            self._resize(max(after, len(self._column) * 2))
        self._column[self.size : after] = values
        self.size = after

    def _resize(self, length: int) -> None:
        size = length * self._kind.itemsize
        if length > self.size and size > _LARGE_PAGE:
            # Large pages stay whole where they move as well, and the room behind costs nothing.
            size += -size % _LARGE_PAGE
        self._column = np.empty(0, self._kind)
        try:
            self._memory.resize(size)
        except (BufferError, SystemError):
            # Somebody looks at it, or the system cannot do that: the values move.
            self._move(self._kind, size)
        except OSError as error:
            raise MemoryError(str(error)) from error
        self._column = np.frombuffer(self._memory, self._kind)

    def _move(self, kind: np.dtype[Any], size: int) -> None:
        """Put what is there into other memory, as numbers of a type."""
        before = np.frombuffer(self._memory, self._kind, self.size)
        self._memory, self._kind = _memory(size), kind
        np.frombuffer(self._memory, kind)[: self.size] = before

    def _widen(self) -> None:
        self._column = np.empty(0, self._kind)
        self._move(self._wide, len(self._memory) * self._wide.itemsize // self._kind.itemsize)
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
        self._kind = self._narrow
        self._begin()
        return column


def _within(values: NDArray[Any], bounds: np.iinfo[Any]) -> bool:
    """Whether numbers lie within those of a type."""
    return bool(values.min(initial=0) >= bounds.min and values.max(initial=0) <= bounds.max)


def _memory(size: int) -> mmap.mmap:
    """Memory of its own, of large pages where the system has them."""
    try:
        found = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError(str(error)) from error
    if hasattr(mmap, "MADV_HUGEPAGE"):
        found.madvise(mmap.MADV_HUGEPAGE)
    return found
