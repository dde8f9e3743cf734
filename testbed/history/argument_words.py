"""Arguments and results of a compiled loop as 64-bit words, and what kinds of them there are.

A loop is compiled for kinds of arguments: numbers, arrays of a type and number of dimensions, and
tuples of these. An array is passed as numba passes it: two owners that it does not have, how many
items, how large each, where, its shape and its strides.
"""

from __future__ import annotations

import ctypes
import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.int64]


def kind_of(value: Any) -> str:
    """The kind of an argument: equal for those that the same machine code can take.

    Raises:
        TypeError: No loop can take it.
    """
    if isinstance(value, np.ndarray):
        flags = value.flags
        bits = flags.c_contiguous | flags.f_contiguous << 1
        bits |= flags.writeable << 2 | flags.aligned << 3
        return f"{value.dtype.str}{value.ndim}.{bits}"
    if isinstance(value, tuple):
        return f"{type(value).__name__}({','.join([kind_of(item) for item in value])})"
    if type(value) in {bool, int, float}:
        return type(value).__name__
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return value.dtype.str
    raise TypeError(f"no compiled loop takes {value!r}")


def words_of(value: Any) -> list[int]:
    """The words of an argument."""
    if isinstance(value, np.ndarray):
        place = value.__array_interface__["data"][0]
        return [0, 0, value.size, value.itemsize, place, *value.shape, *value.strides]
    if isinstance(value, tuple):
        return [word for item in value for word in words_of(item)]
    if isinstance(value, float | np.floating):
        return list(struct.unpack("q", struct.pack("d", value)))
    number = int(value)
    return [number - 2**64 if number >= 2**63 else number]


def result_of(kind: Any, words: Words, owned: Callable[[int], Any]) -> Any:
    """The result that words stand for.

    Args:
        kind: As :mod:`testbed.history.compiling` wrote it down.
        words: They begin with those of the result.
        owned: Takes over the memory that an array's first word names.
    """
    return _result(kind, words.tolist(), 0, owned)[0]


def _result(kind: Any, words: list[int], at: int, owned: Callable[[int], Any]) -> tuple[Any, int]:
    name, *rest = kind
    if name == "tuple":
        items = []
        for inner in rest:
            item, at = _result(inner, words, at, owned)
            items.append(item)
        return tuple(items), at
    if name == "array":
        dtype, dimensions = rest
        shape = words[at + 2 : at + 2 + dimensions]
        after = at + 2 + 2 * dimensions
        owner = owned(words[at]) if words[at] else None
        strides = words[at + 2 + dimensions : after]
        return _array(owner, words[at + 1], dtype, shape, strides), after
    if name == "none":
        return None, at
    word = words[at]
    if name == "bool":
        return bool(word), at + 1
    if name == "float":
        return struct.unpack("d", struct.pack("q", word))[0], at + 1
    return (word % 2**64 if name == "unsigned" else word), at + 1


def _array(owner: Any, place: int, dtype: str, shape: list[int], strides: list[int]) -> Any:
    """An array on memory that an owner keeps; a copy of one that belongs to the caller."""
    kind = np.dtype(dtype)
    size = math.prod(shape)
    if not size:
        return np.empty(shape, kind)
    extent = sum((count - 1) * step for count, step in zip(shape, strides, strict=True))
    memory: Any = (ctypes.c_char * (extent + kind.itemsize)).from_address(place)
    memory.owner = owner
    array = np.ndarray(shape, kind, memory, strides=strides)
    return array.copy() if owner is None else array
