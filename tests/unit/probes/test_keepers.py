"""What a search must wait for: every store's dump of what was written, and a mutant's work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.history.residency_record import Deed
from testbed.probes.keepers import AT_WORK, DUMPS_KEPT, UNKNOWN, Told, lacking, unreplaced

WRITTEN, ENDED = 100, 200
STORES = (("eu-store", "EU"), ("us-store", "US"), ("us-store", "EU"))


def dump(node: str, of: str, time_ns: int) -> Deed:
    return Deed(node, "dump", of, time_ns, "/srv/backup/x")


def deed(time_ns: int) -> Deed:
    return Deed("us-store", "deed", "", time_ns, "cached")


def missing(*deeds: Deed, mutant: str = "none") -> tuple[str, ...]:
    return lacking(Told(STORES, deeds), mutant, WRITTEN, ENDED)


EVERY = tuple(dump(node, of, 201) for node, of in STORES)


def test_every_store_dumps_after_the_last_write() -> None:
    assert len(missing()) == 3
    assert missing(*EVERY) == ()
    # What another store has dumped says nothing of this one's, which may be the one abroad.
    assert missing(*EVERY[:2], dump("us-store", "EU", 199)) == ("a dump of EU on us-store",)


def test_a_store_that_does_not_answer_is_waited_for() -> None:
    told = Told((("eu-store", UNKNOWN),), EVERY)
    assert lacking(told, "none", WRITTEN, ENDED) == ("a dump of ? on eu-store",)
    assert unreplaced(told, ENDED) == ("eu-store",)


@pytest.mark.parametrize("mutant", sorted(AT_WORK))
def test_a_mutant_must_have_been_at_work_since_the_first_write(mutant: str) -> None:
    assert missing(*EVERY, mutant=mutant) == (f"the work of the mutant {mutant}",)
    assert missing(*EVERY, deed(99), mutant=mutant) != ()
    assert missing(*EVERY, deed(101), mutant=mutant) == ()


DUMPS = st.lists(
    st.builds(
        lambda store, time_ns: dump(store[0], store[1], time_ns),
        st.sampled_from(STORES),
        st.integers(0, 400),
    )
)


@given(DUMPS)
def test_what_is_lacking_is_never_lacking_for_more_dumps(deeds: list[Deed]) -> None:
    for count in range(len(deeds)):
        assert set(missing(*deeds[: count + 1])) <= set(missing(*deeds[:count]))


@given(DUMPS, st.integers(0, 400))
def test_a_store_is_replaced_when_all_that_it_keeps_is_newer(
    deeds: list[Deed], since_ns: int
) -> None:
    kept = {
        store: sorted(one.time_ns for one in deeds if (one.node, one.of) == store)[-DUMPS_KEPT:]
        for store in STORES
    }
    late = {
        node
        for (node, _), times in kept.items()
        if len(times) < DUMPS_KEPT or min(times) <= since_ns
    }
    assert set(unreplaced(Told(STORES, tuple(deeds)), since_ns)) == late
