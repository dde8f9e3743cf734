"""Property tests for columns that grow."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from testbed.history.growing import Growing

PIECES = st.lists(st.integers(0, 40_000), max_size=6)


@given(sizes=PIECES, kind=st.sampled_from([np.int8, np.int32, np.int64]), watched=st.booleans())
def test_a_column_holds_what_was_put_into_it_in_its_order(
    sizes: list[int], kind: type, watched: bool
) -> None:
    pieces: list[NDArray[Any]] = [
        np.full(size, place + 1, kind) for place, size in enumerate(sizes)
    ]
    column = Growing(kind)
    seen = []
    for piece in pieces:
        column.extend(piece)
        # Somebody who goes on looking at it keeps it from growing where it stands.
        seen.append((column.seen(), column.seen().copy()) if watched else None)
    wanted = np.concatenate([np.empty(0, kind), *pieces])

    taken = column.taken()

    assert taken.dtype == kind
    np.testing.assert_array_equal(taken, wanted)
    assert column.size == 0
    column.extend(np.ones(3, kind))
    np.testing.assert_array_equal(column.seen(), np.ones(3, kind))
    np.testing.assert_array_equal(taken, wanted)
    for pair in filter(None, seen):
        np.testing.assert_array_equal(*pair)


@given(
    pieces=st.lists(st.lists(st.integers(-(2**63), 2**63 - 1)), max_size=4),
    large=st.integers(0, 40_000),
)
def test_a_column_gets_wide_with_the_first_number_that_needs_it(
    pieces: list[list[int]], large: int
) -> None:
    column = Growing(np.int32, np.int64)
    column.extend(np.full(large, -(2**31), np.int64))
    assert column.seen().dtype == np.int32
    for piece in pieces:
        column.extend(np.array(piece, np.int64))
    wanted = [-(2**31)] * large + [number for piece in pieces for number in piece]
    fits = all(-(2**31) <= number < 2**31 for number in wanted)

    taken = column.taken()

    assert taken.dtype == (np.int32 if fits else np.int64)
    assert taken.tolist() == wanted
    column.extend(np.ones(3, np.int64))
    assert column.seen().dtype == np.int32
