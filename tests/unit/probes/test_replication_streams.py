"""How far behind each stream of replication is, in bytes and in time."""

from __future__ import annotations

import asyncio
import time

import pytest

from testbed.probes.mesh import MeshReport, report_streams
from testbed.probes.patroni import Member, PatroniProbe
from testbed.probes.streams import Positions, Stream
from testbed.topology.inventory import find, load
from testbed.topology.model import Node

TOPOLOGY = load(find("active-passive")).topology
WEST, CENTRAL, EAST = "eu-west-db1", "eu-central-db1", "us-east-db1"
BOTH = {CENTRAL: ("streaming", "sync"), EAST: ("streaming", "async")}


def test_the_lag_is_since_the_writer_had_more() -> None:
    log = Positions()
    assert log.lag_ms(0, 0.0) is None
    for now_ms, position in ((0.0, 100), (1000.0, 100), (2000.0, 200), (3000.0, 300)):
        log.see("a", position, now_ms)
    assert log.lag_ms(300, 3500.0) == 0.0
    assert log.lag_ms(299, 3500.0) == 500.0
    assert log.lag_ms(150, 3500.0) == 1500.0
    log.forget([200, 300])
    assert log.lag_ms(200, 4000.0) == 1000.0


def test_another_writer_begins_a_log_of_its_own() -> None:
    log = Positions()
    log.see("a", 500, 0.0)
    log.see("b", 400, 1000.0)
    assert log.lag_ms(400, 2000.0) == 0.0


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0


class Cluster(PatroniProbe):
    """A probe whose members are what a test says."""

    def __init__(self) -> None:
        super().__init__(TOPOLOGY, "asynchronous")
        self.said: dict[str, Member] = {}

    async def members(self) -> tuple[Member | None, ...]:
        return tuple(self.said.get(node.name) for node in self._postgres)

    def say(self, name: str, role: str, position: int | None, timeline: int = 1) -> None:
        standbys = BOTH if role == "primary" else {}
        self.said[name] = Member(name, role, "running", timeline, position, standbys)

    def look(self) -> dict[str, Stream]:
        return {stream.receiver: stream for stream in asyncio.run(self.streams())}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now_s)
    return clock


@pytest.fixture
def cluster(clock: Clock) -> Cluster:
    cluster = Cluster()
    cluster.say(WEST, "primary", 1000)
    cluster.say(CENTRAL, "replica", 1000)
    cluster.say(EAST, "replica", 1000)
    return cluster


def test_who_has_everything_is_not_behind(cluster: Cluster) -> None:
    assert cluster.look() == {
        CENTRAL: Stream(WEST, CENTRAL, True, "sync", 0, 0.0),
        EAST: Stream(WEST, EAST, True, "async", 0, 0.0),
    }


def test_a_receiver_that_stands_still_falls_behind_in_bytes_and_in_time(
    cluster: Cluster, clock: Clock
) -> None:
    cluster.look()
    for clock.now_s, position in ((1.0, 2000), (2.0, 3000), (3.0, 4000)):
        cluster.say(WEST, "primary", position)
        cluster.say(CENTRAL, "replica", position)
        found = cluster.look()
    assert (found[EAST].lag_bytes, found[EAST].lag_ms) == (3000, 2000.0)
    assert (found[CENTRAL].lag_bytes, found[CENTRAL].lag_ms) == (0, 0.0)


def test_a_receiver_that_does_not_answer_falls_behind_from_where_it_was_seen_last(
    cluster: Cluster, clock: Clock
) -> None:
    cluster.look()
    del cluster.said[EAST]
    for clock.now_s, position in ((1.0, 2000), (9.0, 3000)):
        cluster.say(WEST, "primary", position)
        found = cluster.look()[EAST]
    assert (found.lag_bytes, found.lag_ms) == (None, 8000.0)


def test_without_a_sender_a_stream_does_not_run(cluster: Cluster) -> None:
    cluster.said[WEST] = Member(WEST, "primary", "running", 1, 1000, {CENTRAL: BOTH[CENTRAL]})
    found = cluster.look()[EAST]
    assert (found.sender, found.running, found.synchronous) == (WEST, False, "")


def test_after_a_promotion_the_newest_writer_is_the_measure(cluster: Cluster, clock: Clock) -> None:
    cluster.look()
    clock.now_s = 1.0
    cluster.say(CENTRAL, "primary", 900, timeline=2)
    found = cluster.look()
    assert found.keys() == {WEST, EAST}
    assert found[EAST].lag_bytes == 0


def test_a_mesh_tells_its_lag_by_heartbeats() -> None:
    nodes = [
        Node(f"{name}-db1", name, f"10.77.{number}.10", frozenset({"mesh"}), ())
        for number, name in enumerate(("eu-west", "us-east", "eu-central"), 1)
    ]
    report = MeshReport(
        "eu-west-db1",
        "eu-west",
        "",
        ("us-east", "eu-central"),
        {
            "from_us_east": {"running": True, "silent_ms": 100.0},
            "from_eu_central": {"running": True, "silent_ms": 3500.0},
        },
        {},
        {},
        {"us-east": {"age_ms": 250.5}, "eu-central": {"age_ms": 4000}},
    )
    assert report_streams(nodes[0], report, nodes) == [
        Stream("us-east-db1", "eu-west-db1", True, lag_ms=250.5),
        Stream("eu-central-db1", "eu-west-db1", False, lag_ms=4000.0),
    ]
    assert report_streams(nodes[0], None, nodes)[0] == Stream("us-east-db1", "eu-west-db1", False)
