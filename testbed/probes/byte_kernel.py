"""Compiled loops over bytes: how they are compiled, and the numbers that bytes stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from testbed.history.loop import Loop

Bytes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]


def compiled(function: Any) -> Any:
    """Compile a loop over bytes."""
    return Loop(function)


def sealed(data: Bytes) -> Bytes:
    """The same bytes, read-only from now on: one kind of array is compiled for, not two."""
    data.flags.writeable = False
    return data


@compiled
def half(data: Bytes, at: int) -> int:
    """Two bytes as a number, the lower one first."""
    return int(data[at]) | int(data[at + 1]) << 8


@compiled
def word(data: Bytes, at: int) -> int:
    """Four bytes as a number, the lowest one first."""
    low = int(data[at]) | int(data[at + 1]) << 8
    return low | int(data[at + 2]) << 16 | int(data[at + 3]) << 24
