"""Holds: a part is free when the last fault lets go."""

from __future__ import annotations

from faults.holds import CutLink, DownProgram, Holds, PausedProgram

LINK = CutLink("eu-west", "us-east")
OTHER = CutLink("us-east", "eu-west")


def test_a_part_is_free_when_the_last_holder_lets_go() -> None:
    holds = Holds()
    holds.take([LINK, OTHER])
    holds.take([LINK])
    assert holds.only_mine([LINK, OTHER]) == (OTHER,)
    holds.drop([LINK, OTHER])
    assert holds.held(LINK)
    assert not holds.held(OTHER)
    assert holds.only_mine([LINK]) == (LINK,)
    holds.drop([LINK])
    assert not holds.held(LINK)


def test_a_program_is_disturbed_while_it_is_down_or_paused() -> None:
    holds = Holds()
    assert not holds.disturbed("eu-west-db1", "consul")
    for part in (DownProgram("eu-west-db1", "consul"), PausedProgram("eu-west-db1", "consul")):
        holds.take([part])
        assert holds.disturbed("eu-west-db1", "consul")
        assert not holds.disturbed("us-east-db1", "consul")
        holds.drop([part])
    assert not holds.disturbed("eu-west-db1", "consul")
