"""The hash table of clusters of a register's zones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.linearizability.zones import Clusters, room_for, slot_of

values = st.integers(-(2**62), 2**62) | st.integers(-3, 40)
pairs = st.lists(st.tuples(st.integers(-1, 3), values), min_size=9, max_size=24, unique=True)


def put(clusters: Clusters, number: int, key: int, value: int) -> None:
    place = slot_of(clusters, key, value)
    assert clusters.slots[place] == -1
    clusters.slots[place] = number
    clusters.key[number], clusters.value[number] = key, value


@given(pairs)
def test_what_was_put_in_is_found_and_nothing_else(those: list[tuple[int, int]]) -> None:
    clusters = room_for(len(those))
    assert len(clusters.slots) >= 2 * len(those)
    for number, (key, value) in enumerate(those):
        put(clusters, number, key, value)
        for before, (its, held) in enumerate(those[: number + 1]):
            assert clusters.slots[slot_of(clusters, its, held)] == before
        for its, held in those[number + 1 :]:
            assert clusters.slots[slot_of(clusters, its, held)] == -1
