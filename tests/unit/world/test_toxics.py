"""Toxics are refused whole, with every problem, and keep their units."""

from __future__ import annotations

import pytest

from testbed.topology.model import Link
from testbed.world.toxics import KINDS, Toxic, base_toxics, from_attributes


def test_parameters_go_under_toxiproxys_names() -> None:
    toxic = Toxic("storm", "latency", {"delay_ms": 60})
    assert toxic.attributes() == {"latency": 60, "jitter": 0}
    assert Toxic("s", "limit_data", {"limit_bytes": 9}).attributes() == {"bytes": 9}


def test_what_toxiproxy_says_comes_back() -> None:
    for kind, names in KINDS.items():
        toxic = Toxic("one", kind, dict.fromkeys(names, 7), 0.5)
        assert from_attributes("one", kind, toxic.attributes(), 0.5) == toxic


def test_every_problem_is_listed_at_once() -> None:
    with pytest.raises(ValueError, match="toxic 'a/b'") as refused:
        Toxic("a/b", "latency", {"delay": 1, "jitter_ms": -1}, 1.5)
    text = str(refused.value)
    for part in (
        "letters, digits and hyphens",
        "toxicity is a share from 0 to 1, not 1.5",
        "latency has no 'delay': it has delay_ms, jitter_ms",
        "jitter_ms is a whole number from 0 up, not -1",
    ):
        assert part in text


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown kind 'fog': use one of latency, bandwidth"):
        Toxic("x", "fog")


def test_a_true_is_no_number() -> None:
    with pytest.raises(ValueError, match="delay_ms is a whole number"):
        Toxic("x", "latency", {"delay_ms": True})


def test_a_perfect_link_has_no_toxics() -> None:
    assert base_toxics(Link("a", "b", 0.0)) == ()


def test_a_links_own_toxics() -> None:
    latency, bandwidth = base_toxics(Link("a", "b", 40.4, 5.0, 1000))
    assert (latency.name, latency.parameters) == (
        "link-latency",
        {"delay_ms": 41, "jitter_ms": 5},
    )
    assert (bandwidth.name, bandwidth.parameters) == ("link-bandwidth", {"rate_kbytes_s": 1000})
