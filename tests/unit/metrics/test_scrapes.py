"""The wait for the next scrapes: at their own pace, however irregular they come."""

from __future__ import annotations

import threading
import time

import pytest

from testbed.metrics.scrapes import Scrapes


def after(*ages_s: float) -> Scrapes:
    """Scrapes that began so long ago."""
    return Scrapes(time.monotonic() - age_s for age_s in ages_s)


def waited_s(scrapes: Scrapes) -> float:
    began = time.monotonic()
    scrapes.await_next()
    return time.monotonic() - began


@pytest.mark.parametrize("ages_s", [(), (0.0,), (30.0,)])
def test_nobody_is_waited_for_who_never_came_or_came_once(ages_s: tuple[float, ...]) -> None:
    assert waited_s(after(*ages_s)) < 2


def test_a_late_scrape_close_to_the_next_one_does_not_shorten_the_wait() -> None:
    scrapes = after(0.21, 0.01, 0.0)
    coming = [threading.Timer(at_s, scrapes.note) for at_s in (0.3, 0.4, 0.5)]
    for each in coming:
        each.start()
    assert waited_s(scrapes) >= 0.45
    for each in coming:
        each.join()


def test_who_went_away_is_waited_for_a_while_and_not_again() -> None:
    scrapes = after(0.1, 0.0)
    assert 0.3 < waited_s(scrapes) < 5
    assert len(scrapes) == 0
