"""What causality forces, against the whole past of every transaction."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.budget import Budget
from testbed.checkers.transactions import causal
from testbed.checkers.transactions.past import latest_before
from testbed.checkers.transactions.predecessors import Predecessors, predecessors_of
from testbed.checkers.transactions.resolve import resolve
from testbed.checkers.transactions.resolved import INITIAL, Resolved
from tests.adya_oracle import Pairs, reaches
from tests.property.checkers.transactions.register_histories import histories, tangled
from tests.transaction_tables import table_of


@given(
    st.sets(st.integers(0, 30), max_size=12).map(sorted),
    st.integers(0, 12),
    st.integers(0, 12),
    st.integers(0, 31),
)
def test_the_latest_place_before_a_limit(
    position: list[int], start: int, length: int, limit: int
) -> None:
    start = min(start, len(position))
    stop = min(start + length, len(position))
    below = [at for at in range(start, stop) if position[at] < limit]
    found = latest_before(np.array(position, np.int32), start, stop, limit)
    assert found == (below[-1] if below else start - 1)


def direct(before: Predecessors) -> Pairs:
    return {(source, node) for node in range(len(before)) for source in before.of(node)}


def wanted(resolved: Resolved, past: Pairs) -> Pairs:
    """Who has to come before the source of a read: writers of its key in the reader's past."""
    writers = {
        (int(key), row)
        for row in range(len(resolved))
        for key in resolved.write_key[resolved.write_first[row] : resolved.write_first[row + 1]]
    }
    reads = [
        (row, int(resolved.read_key[at]), int(resolved.read_source[at]))
        for row in range(len(resolved))
        for at in range(resolved.read_first[row], resolved.read_first[row + 1])
    ]
    return {
        (writer, source)
        for row, key, source in reads
        for its, writer in writers
        if its == key and writer != source and (writer, row) in past
    }


@pytest.mark.parametrize("realtime", [False, True])
@given(
    history=histories(most=12, keys=1) | histories(most=9) | tangled(most=7),
    room=st.tuples(st.integers(2, 4), st.integers(1, 5), st.integers(1, 4)),
)
def test_what_the_past_forces_is_what_it_holds(
    realtime: bool, room: tuple[int, int, int], history: list[dict[str, Any]]
) -> None:
    """However little room there is for clocks and edges, and however often it looks up."""
    resolved = resolve(table_of(history, lists=False))
    before = predecessors_of(resolved, realtime=realtime)
    past = reaches(direct(before))
    clocks, edges, step = room
    with mock.patch.multiple(causal, CLOCKS=clocks, EDGES=edges, STEP=step):
        forced = causal.forced_by_past(resolved, before, Budget())
    assert (forced is None) == any(a == b for a, b in past)
    if forced is None:
        return
    found = set(zip(forced.before.tolist(), forced.after.tolist(), strict=True))
    needed = wanted(resolved, past)
    assert found <= needed
    first = {(INITIAL, node) for node in range(len(before))}
    assert reaches(past | found | first) == reaches(past | needed | first)
    for writer, source, read in zip(
        forced.before.tolist(), forced.after.tolist(), forced.read.tolist(), strict=True
    ):
        assert resolved.read_source[read] == source
        key = resolved.read_key[read]
        mine = slice(resolved.write_first[writer], resolved.write_first[writer + 1])
        assert key in resolved.write_key[mine]
