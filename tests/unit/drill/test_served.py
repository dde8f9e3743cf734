"""Mitigated is what clients of every region say, those of a region that was cut off too."""

from __future__ import annotations

from collections.abc import Iterable

from testbed.drill.served import served_again_ns
from tests.histories import MS, S, Scribe

EVERY = 200 * MS


def written(scribe: Scribe, region: str, spans: Iterable[tuple[int, int]]) -> None:
    """A write each fifth of a second from and to these seconds."""
    for since, until in spans:
        for start in range(since * S, until * S, EVERY):
            scribe.call("add", start, start + MS, value=start, region=region, node="n")


def again_s(scribe: Scribe, *regions: str) -> float | None:
    found = served_again_ns(scribe.history(), ["add"], regions, from_ns=5 * S, end_ns=60 * S)
    return None if found is None else found / S


def test_the_last_region_to_be_served_counts() -> None:
    scribe = Scribe()
    written(scribe, "x", [(0, 5), (15, 60)])
    written(scribe, "y", [(0, 5), (30, 60)])
    assert again_s(scribe, "x") == 15.001
    assert again_s(scribe, "x", "y") == 30.001


def test_nobody_ever_waited() -> None:
    scribe = Scribe()
    written(scribe, "x", [(0, 60)])
    assert again_s(scribe, "x") == 5


def test_a_region_that_was_not_served_again() -> None:
    scribe = Scribe()
    written(scribe, "x", [(0, 20)])
    assert again_s(scribe, "x") is None
    assert again_s(scribe, "y") is None


def test_what_failed_is_no_service() -> None:
    scribe = Scribe()
    written(scribe, "x", [(0, 5), (20, 60)])
    scribe.call("add", 10 * S, 11 * S, "fail", value=1, region="x")
    assert again_s(scribe, "x") == 20.001
