"""One look at a world put together from the answers of its parts."""

from __future__ import annotations

import dataclasses
import json

from testbed.probes.links import LinkReading
from testbed.probes.look import data_nodes, link_statuses, silence
from testbed.probes.patroni import Member
from testbed.probes.snapshot import DataNode, Snapshot, from_document
from testbed.topology.model import Link, Node, Region, Topology
from testbed.world.count import Count
from testbed.world.toxics import Toxic
from testbed.world.wan import LinkCount

POSTGRES = frozenset({"postgres"})
TOPOLOGY = Topology(
    regions=(Region("a", "EU", 1), Region("b", "US", 2)),
    links=(Link("a", "b", 10.0, 1.0), Link("b", "a", 12.0, 0.0, 500)),
    nodes=(
        Node("a1", "a", "10.77.1.10", POSTGRES, ()),
        Node("b1", "b", "10.77.2.10", POSTGRES, ()),
        Node("b2", "b", "10.77.2.11", POSTGRES, ()),
    ),
)
PRIMARY = Member("a1", "primary", "running", 2, 1000, {"b1": ("streaming", "sync")})
REPLICA = Member("b1", "replica", "running", 2, 900, {})


def test_a_replica_gets_its_lag_and_what_its_primary_says_of_it() -> None:
    assert data_nodes(TOPOLOGY, (PRIMARY, REPLICA, None)) == (
        DataNode("a1", "primary", "running", 2),
        DataNode("b1", "replica", "running", 2, "streaming", "sync", 100),
        DataNode("b2", "silent", "no answer"),
    )


def test_a_replica_that_was_asked_a_moment_later_is_not_ahead() -> None:
    ahead = dataclasses.replace(REPLICA, position=1001)
    assert data_nodes(TOPOLOGY, (PRIMARY, ahead, None))[1].lag_bytes == 0


def test_without_a_primary_no_lag_is_known() -> None:
    found = data_nodes(TOPOLOGY, (None, REPLICA, None))
    assert found[1] == DataNode("b1", "replica", "running", 2)


def reading(source: str, target: str, **readings: float | None) -> LinkReading:
    values = {"delay_ms": 10.2, "tcp_age_ms": 40.0, "udp_age_ms": 3.0, **readings}
    return LinkReading(source, target, **values, tcp_messages=5, udp_messages=5)


def test_a_link_shows_what_was_asked_measured_cut_and_put_on_it() -> None:
    counts = {
        ("a", "b"): LinkCount("a", "b", Count(9), Count(4), Count(5, 500), ()),
        ("b", "a"): LinkCount(
            "b",
            "a",
            Count(9),
            Count(9),
            None,
            (
                Toxic("link-latency", "latency", {"delay_ms": 12}),
                Toxic("slow", "latency", {"delay_ms": 200, "jitter_ms": 0}),
            ),
        ),
    }
    there, back = link_statuses(TOPOLOGY, [reading("a", "b"), reading("b", "a")], counts)
    assert (there.cut, there.dropped_packets, there.toxics) == (True, 5, ())
    assert (there.asked_delay_ms, there.asked_jitter_ms, there.silent_ms) == (10.0, 1.0, 3.0)
    assert (back.cut, back.dropped_packets, back.toxics) == (False, 0, ("latency (delay_ms 200)",))
    assert back.asked_kbytes_s == 500


def test_silence_is_anybody_who_did_not_answer() -> None:
    links = link_statuses(TOPOLOGY, [reading("a", "b"), reading("b", "a")], {})
    whole = Snapshot(data_nodes(TOPOLOGY, (PRIMARY, REPLICA, REPLICA)), {"a1": "a1"}, links, ())
    assert not silence(whole)
    assert silence(dataclasses.replace(whole, consul_leaders={"a1": None}))
    assert silence(
        dataclasses.replace(whole, data_nodes=data_nodes(TOPOLOGY, (PRIMARY, REPLICA, None)))
    )
    mute = reading("b", "a", delay_ms=None, tcp_age_ms=None, udp_age_ms=None)
    assert silence(
        dataclasses.replace(whole, links=link_statuses(TOPOLOGY, [reading("a", "b"), mute], {}))
    )


def test_a_snapshot_survives_json() -> None:
    links = link_statuses(TOPOLOGY, [reading("a", "b"), reading("b", "a")], {})
    snapshot = Snapshot(
        data_nodes(TOPOLOGY, (PRIMARY, None, REPLICA)), {"a1": "a1", "b1": None}, links, ("one",)
    )
    assert from_document(json.loads(json.dumps(dataclasses.asdict(snapshot)))) == snapshot
