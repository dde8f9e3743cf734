"""Evidence that is worth the name: undone behind a fault's back, the effect is not shown."""

from __future__ import annotations

import pytest

from testbed.provision import programs
from tests.live.faults.conftest import Cluster

LINK = "eu-west->us-east"


@pytest.mark.parametrize(
    ("kind", "target", "parameters", "undo"),
    [
        ("link-cut", LINK, {"direction": "one-way"}, ("uncut", LINK)),
        ("link-latency", LINK, {"added_ms": 100}, ("untoxic", LINK)),
        ("link-bandwidth", LINK, {"kbytes_s": 256}, ("untoxic", LINK)),
        ("process-pause", "us-east-lb1/haproxy", {}, ("resume", "us-east-lb1")),
    ],
)
def test_an_effect_that_is_not_there_is_not_shown(
    cluster: Cluster, kind: str, target: str, parameters: dict[str, int], undo: tuple[str, str]
) -> None:
    inject, _, effect, heal, absence = cluster.play(
        [(kind, target, parameters)],
        [("inject", 0), undo, ("effect", 0), ("heal", 0), ("absence", 0)],
    )
    assert "error" not in inject
    assert not effect["shown"], effect["observation"]
    assert "error" not in heal
    assert absence["shown"], absence["observation"]


def test_a_pause_that_was_not_healed_is_not_shown_to_be_gone(cluster: Cluster) -> None:
    _, held, _, gone = cluster.play(
        [("process-pause", "us-east-lb1/haproxy", {})],
        [("inject", 0), ("absence", 0), ("heal", 0), ("absence", 0)],
    )
    assert not held["shown"]
    assert gone["shown"]


def test_the_kernel_agrees_that_a_killed_node_is_empty(cluster: Cluster) -> None:
    before = {one.pid for one in cluster.world.processes("us-east-lb1")}
    inject, effect = cluster.play(
        [("node-kill", "us-east-lb1", {})], [("inject", 0), ("effect", 0)]
    )
    assert "error" not in inject
    assert effect["shown"]
    assert before
    assert cluster.world.processes("us-east-lb1") == ()
    again, *_ = cluster.play([("node-kill", "us-east-lb1", {})], [("inject", 0)])
    assert "no process of haproxy runs on us-east-lb1" in again["error"]
    programs.start(cluster.world, "us-east-lb1", "haproxy")
