"""What a search must wait for: a dump of what was written, and a mutant's work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.history.residency_record import Deed
from testbed.probes.keepers import AT_WORK, lacking

WRITTEN, ENDED = 100, 200


def dump(of: str, time_ns: int) -> Deed:
    return Deed("store", "dump", of, time_ns, "/srv/backup/x")


def deed(time_ns: int) -> Deed:
    return Deed("store", "deed", "", time_ns, "cached")


def missing(*deeds: Deed, mutant: str = "none") -> tuple[str, ...]:
    return lacking(deeds, ("EU", "US"), mutant, WRITTEN, ENDED)


def test_every_jurisdiction_is_dumped_after_the_last_write() -> None:
    assert missing() == ("a dump of EU", "a dump of US")
    assert missing(dump("EU", 201), dump("US", 199)) == ("a dump of US",)
    assert missing(dump("EU", 201), dump("US", 300)) == ()


@pytest.mark.parametrize("mutant", sorted(AT_WORK))
def test_a_mutant_must_have_been_at_work_since_the_first_write(mutant: str) -> None:
    dumps = dump("EU", 201), dump("US", 201)
    assert missing(*dumps, mutant=mutant) == (f"the work of the mutant {mutant}",)
    assert missing(*dumps, deed(99), mutant=mutant) != ()
    assert missing(*dumps, deed(101), mutant=mutant) == ()


@given(st.lists(st.builds(dump, st.sampled_from(["EU", "US"]), st.integers(0, 400))))
def test_what_is_lacking_is_never_lacking_for_more_dumps(deeds: list[Deed]) -> None:
    for count in range(len(deeds)):
        assert set(missing(*deeds[: count + 1])) <= set(missing(*deeds[:count]))
