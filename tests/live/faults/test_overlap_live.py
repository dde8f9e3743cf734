"""Faults that hold at one time in a real cluster: each heals its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.faults.conftest import Cluster


def test_two_cuts_share_links_and_a_cut_hides_a_toxic(cluster: Cluster) -> None:
    region: tuple[str, str, dict[str, Any]] = ("region-cut", "us-east", {})
    link: tuple[str, str, dict[str, Any]] = ("link-cut", "eu-west->us-east", {})
    latency = ("link-latency", "eu-west->us-east", {"added_ms": 60})
    played = cluster.play(
        [region, link, latency],
        [
            ("steady", None),
            ("inject", 2),
            ("effect", 2),
            ("inject", 0),
            ("inject", 1),
            ("effect", 0),
            ("effect", 1),
            ("heal", 0),
            ("absence", 0),
            ("effect", 1),
            ("effect", 2),
            ("heal", 1),
            ("absence", 1),
            ("effect", 2),
            ("heal", 2),
            ("absence", 2),
            ("steady", None),
        ],
    )
    shown = [one["shown"] for one in played if "shown" in one]
    #        latency region link  region link  latency link  latency latency
    assert shown == [True, True, True, True, True, False, True, True, True], played
    partly = next(one for one in played if one["move"] == "absence")
    assert "eu-west->us-east: still cut by another fault" in partly["observation"]
    hidden = played[10]
    assert "another fault cuts the link" in hidden["observation"]
    assert played[-1]["problems"] == []


@pytest.mark.parametrize("kind", ["node-pause", "node-kill"])
def test_a_link_is_tried_from_the_end_whose_observer_answers(cluster: Cluster, kind: str) -> None:
    latency = ("link-latency", "eu-west->us-east", {"added_ms": 60})
    node: tuple[str, str, dict[str, Any]] = (kind, "us-east-db1", {})
    played = cluster.play(
        [latency, node],
        [
            ("steady", None),
            ("inject", 1),
            ("effect", 1),
            ("inject", 0),
            ("effect", 0),
            ("heal", 0),
            ("absence", 0),
            ("heal", 1),
            ("absence", 1),
            ("steady", None),
        ],
    )
    assert [one["shown"] for one in played if "shown" in one] == [True] * 4, played
    assert played[-1]["problems"] == []


def test_a_killed_node_that_was_paused_comes_back_once(cluster: Cluster) -> None:
    node = "eu-central-lb1"
    played = cluster.play(
        [
            ("process-kill", f"{node}/haproxy", {}),
            ("node-pause", node, {}),
            ("node-kill", node, {}),
        ],
        [
            ("inject", 1),
            ("inject", 2),
            ("effect", 2),
            ("heal", 1),
            ("absence", 1),
            ("heal", 2),
            ("absence", 2),
            ("inject", 0),
            ("effect", 0),
            ("heal", 0),
            ("absence", 0),
        ],
    )
    assert [one["shown"] for one in played if "shown" in one] == [True] * 5, played
    assert not [one["error"] for one in played if "error" in one]


def test_injections_leave_the_event_loop_to_the_load(cluster: Cluster) -> None:
    """Whatever blocks the loop blocks it every time; a stall of the machine does not."""
    faults: list[tuple[str, str, dict[str, Any]]] = [
        ("link-cut", "eu-west->eu-central", {"direction": "both"}),
        ("link-latency", "eu-west->us-east", {"added_ms": 10, "direction": "both"}),
        ("process-pause", "eu-west-lb1/haproxy", {}),
    ]
    moves = [(move, number) for number in range(len(faults)) for move in ("inject", "heal")]
    rounds = [[one["gap_ms"] for one in cluster.play(faults, moves)] for _ in range(4)]
    least = [min(measured) for measured in zip(*rounds, strict=True)]
    assert max(least) < 50, dict(zip(moves, least, strict=True))
