"""What a session carries, held against how far a node is."""

from __future__ import annotations

import pytest

from testbed.clients.position import CLUSTER, FAR, Place, Standing, Token
from testbed.clients.postgres_position import standing_of

REGIONS = ("eu-west", "us-east")


def at(timeline: int, lsn: int, **more: int) -> Standing:
    place = {CLUSTER: Place(timeline, lsn)}
    return Standing(place, place, primary=False, **more)


@pytest.mark.parametrize(
    ("held", "behind"),
    [
        (Place(2, 100), False),
        (Place(2, 99), True),
        (Place(3, 100), False),
        # Bytes that only the old timeline has count for nothing.
        (Place(1, 500), True),
    ],
)
def test_a_place_is_reached_on_its_timeline_or_a_later_one(held: Place, *, behind: bool) -> None:
    token = Token().after({CLUSTER: Place(2, 100)})
    assert bool(token.behind(at(*held))) is behind


def test_a_token_never_goes_back() -> None:
    token = Token().after({CLUSTER: Place(2, 100)}, begun=7).after({CLUSTER: Place(1, 900)}, 3)
    assert token.places == {CLUSTER: Place(2, 100)}
    assert token.begun == 7


def test_a_primary_that_waits_for_a_standby_is_behind_what_the_standby_showed() -> None:
    token = Token().after({CLUSTER: Place(1, 10)}, begun=50)
    assert token.behind(at(1, 99, finished=49)) == ("transactions that wait for a standby",)
    assert not token.behind(at(1, 99, finished=50))


def test_an_unknown_place_is_reached_by_nobody_until_it_is_settled() -> None:
    token = Token().after({CLUSTER: Place(1, FAR)})
    assert token.behind(at(1, 10**15))
    assert not token.settled(CLUSTER, Place(1, 10)).behind(at(1, 10))


def test_a_standby_shows_no_more_than_it_received_and_holds_what_it_replayed() -> None:
    row = {"primary": False, "held": 5, "shown": 9, "timeline": 3, "finished": 4, "begun": 8}
    standing = standing_of(row, "eu-west", REGIONS)
    assert standing.held == {CLUSTER: Place(3, 5)}
    assert standing.shown == {CLUSTER: Place(3, 9)}
    assert (standing.finished, standing.begun) == (None, 8)
    primary = standing_of({**row, "primary": True}, "eu-west", REGIONS)
    assert (primary.finished, primary.begun) == (4, 0)


@pytest.mark.parametrize("settled", [True, False])
def test_a_stream_in_the_middle_of_a_transaction_has_shown_it_perhaps(*, settled: bool) -> None:
    row = {"primary": True, "held": 5, "streams": '{"from_us_east": 7}', "settled": settled}
    standing = standing_of(row, "eu-west", REGIONS)
    own = {"eu-west": Place(0, 5)}
    whole = {**own, "us-east": Place(0, 7)}
    assert standing.held == (whole if settled else own)
    assert standing.shown == whole
