"""What a search must wait for: every store's backups of what was written, and a mutant's work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.history.residency_record import ARCHIVE, BASE, DUMP, Deed
from testbed.probes.keepers import AT_WORK, UNKNOWN, Told, lacking, unreplaced

WRITTEN, ENDED = 100, 200
STORES = (
    ("eu-store", "EU", DUMP),
    ("eu-store", "EU", BASE),
    ("eu-store", "EU", ARCHIVE),
    ("us-store", "US", DUMP),
    ("us-store", "EU", DUMP),
)
MADE = tuple(one for one in STORES if one[2] != ARCHIVE)
"""An archive is not made at a moment."""


def backup(node: str, of: str, kind: str, time_ns: int) -> Deed:
    return Deed(node, kind, of, time_ns, "/srv/backup/x")


def deed(time_ns: int) -> Deed:
    return Deed("us-store", "deed", "", time_ns, "cached")


def missing(*deeds: Deed, mutant: str = "none") -> tuple[str, ...]:
    return lacking(Told(STORES, deeds), mutant, WRITTEN, ENDED)


EVERY = tuple(backup(*one, 201) for one in MADE)


def test_every_store_makes_every_backup_after_the_last_write() -> None:
    assert len(missing()) == 4
    assert missing(*EVERY) == ()
    # What another store has dumped says nothing of this one's, which may be the one abroad.
    late = backup("us-store", "EU", DUMP, 199)
    assert missing(*EVERY[:3], late) == ("a dump of EU on us-store",)
    # Nor does a dump stand for a base backup.
    assert missing(EVERY[0], *EVERY[2:]) == ("a base backup of EU on eu-store",)


def test_a_store_that_does_not_answer_is_waited_for() -> None:
    told = Told((("eu-store", UNKNOWN, UNKNOWN),), EVERY)
    assert lacking(told, "none", WRITTEN, ENDED) == ("a ? of ? on eu-store",)
    assert unreplaced(told, ENDED, 1) == (("eu-store", UNKNOWN),)


@pytest.mark.parametrize("mutant", sorted(AT_WORK))
def test_a_mutant_must_have_been_at_work_since_the_first_write(mutant: str) -> None:
    assert missing(*EVERY, mutant=mutant) == (f"the work of the mutant {mutant}",)
    assert missing(*EVERY, deed(99), mutant=mutant) != ()
    assert missing(*EVERY, deed(101), mutant=mutant) == ()


BACKUPS = st.lists(
    st.builds(
        lambda store, time_ns: backup(store[0], store[1], store[2], time_ns),
        st.sampled_from(MADE),
        st.integers(0, 400),
    )
)


@given(BACKUPS)
def test_what_is_lacking_is_never_lacking_for_more_backups(deeds: list[Deed]) -> None:
    for count in range(len(deeds)):
        assert set(missing(*deeds[: count + 1])) <= set(missing(*deeds[:count]))


@given(BACKUPS, st.integers(0, 400), st.integers(1, 3))
def test_a_store_is_replaced_when_all_that_it_keeps_is_newer(
    deeds: list[Deed], since_ns: int, kept: int
) -> None:
    times = {
        store: sorted(one.time_ns for one in deeds if (one.node, one.of, one.what) == store)
        for store in MADE
    }
    late = {
        (node, kind)
        for (node, _, kind), made in times.items()
        if len(made[-kept:]) < kept or min(made[-kept:]) <= since_ns
    }
    assert set(unreplaced(Told(STORES, tuple(deeds)), since_ns, kept)) == late
