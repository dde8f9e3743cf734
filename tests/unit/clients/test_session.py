"""Sessions against a cluster that is played: one log, and standbys that replay it when told to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from testbed.clients.postgres_position import FORKS, POSITION, SEEN, SESSION_WRITE, forks
from testbed.clients.protocol import Completion, Endpoint, Invocation
from testbed.clients.session import Entrances, Routing, SessionClient
from testbed.clients.session_entry import SESSION, connector, entrances, sessions
from testbed.history.history import LOST
from testbed.topology.inventory import find, load

NODES = ("one", "two", "three")
WRITER = Endpoint("writer", "", 0, "r1")
ENTRANCES = Entrances(
    WRITER,
    tuple(Endpoint(node, "", 0, "r1") for node in NODES),
    {"one": "r1", "two": "r2", "three": "r3"},
    mesh=False,
)


@dataclass
class Cluster:
    """One log of values; ``replayed`` says how much of it each standby shows."""

    log: list[Any] = field(default_factory=list)
    replayed: dict[str, int] = field(default_factory=dict)
    primary: str = "one"
    timeline: int = 1
    down: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    position_lost: bool = False
    left: dict[int, int] = field(default_factory=dict)

    def at(self, node: str) -> int:
        return len(self.log) if node == self.primary else self.replayed.get(node, 0)

    def answer(self, endpoint: Endpoint, what: Invocation) -> Completion:
        node = self.primary if endpoint.name == "writer" else endpoint.name
        if node in self.down:
            return Completion("fail", error="connect: refused")
        if what.f in ("write", SESSION_WRITE):
            place = len(self.log)
            self.log.append(what.value)
            value = place if what.f == SESSION_WRITE else None
            return Completion("ok", value=value, node=node, term=self.timeline)
        if what.f == FORKS:
            return Completion("ok", value=self.left, node=node)
        if what.f == POSITION and self.position_lost:
            self.position_lost = False
            return Completion("info", node=node, error="timeout")
        position = {
            "primary": node == self.primary,
            "held": self.at(node),
            "shown": self.at(node),
            "timeline": self.timeline,
            "finished": 10**6,
            "begun": 0,
        }
        if what.f == POSITION:
            return Completion("ok", value=position, node=node)
        self.asked.append(node)
        value = self.log[self.at(node) - 1] if self.at(node) else None
        if what.f == SEEN:
            return Completion("ok", value={"value": value, **position}, node=node)
        return Completion("ok", value=value, node=node)


class Connection:
    """A client of one connection to the cluster that is played."""

    def __init__(self, cluster: Cluster, endpoint: Endpoint) -> None:
        self.cluster, self.endpoint = cluster, endpoint
        self.ended = False

    async def perform(self, invocation: Invocation) -> Completion:
        done = self.cluster.answer(self.endpoint, invocation)
        self.ended = done.type == "info"
        return done

    async def close(self) -> None:
        self.ended = True


def session(cluster: Cluster, routing: Routing, turn: int = 0) -> SessionClient:
    return SessionClient(ENTRANCES, routing, 30, lambda end: Connection(cluster, end), turn)


def performed(client: SessionClient, *what: Invocation) -> list[Completion]:
    async def work() -> list[Completion]:
        return [await client.perform(one) for one in what]

    return asyncio.run(work())


WRITE, READ = Invocation("write", 7), Invocation("read")


def test_any_replica_shows_less_than_was_written() -> None:
    client = session(Cluster(), "any_replica")
    _, *reads = performed(client, WRITE, READ, READ, READ)
    assert [read.value for read in reads] == [None, None, 7]
    assert [read.node for read in reads] == ["two", "three", "one"]


@pytest.mark.parametrize("routing", ["primary", "session"])
def test_other_routings_show_what_was_written(routing: Routing) -> None:
    cluster = Cluster()
    done = performed(session(cluster, routing), WRITE, READ, READ, READ)
    assert [one.value for one in done[1:]] == [7, 7, 7]
    assert set(cluster.asked) == {"one"}


def test_a_session_reads_at_replicas_that_have_caught_up() -> None:
    cluster = Cluster(replayed={"two": 1, "three": 1})
    performed(session(cluster, "session"), WRITE, READ, READ)
    assert cluster.asked == ["two", "three"]


def test_a_session_waits_for_a_replica_that_is_behind() -> None:
    cluster = Cluster()

    async def work() -> Completion:
        client = session(cluster, "session")
        await client.perform(WRITE)
        reading = asyncio.create_task(client.perform(READ))
        await asyncio.sleep(0)
        cluster.replayed["two"] = 1
        return await reading

    assert asyncio.run(work()).node == "two"


def test_what_a_session_read_it_goes_on_seeing() -> None:
    cluster = Cluster(log=[5], replayed={"two": 1})
    client = session(cluster, "session")
    first, second = performed(client, READ, READ)
    assert (first.node, first.value) == ("two", 5)
    # The third node has nothing yet: it is skipped.
    assert (second.node, second.value) == ("one", 5)


def test_a_read_that_could_run_backwards_fails_rather_than_answer() -> None:
    cluster = Cluster()
    client = session(cluster, "session")
    performed(client, WRITE)
    cluster.down = {"one"}
    (done,) = performed(client, READ)
    assert done.type == "fail"
    assert "refused" in str(done.error)


def test_a_write_whose_place_is_not_known_is_read_where_it_was_written() -> None:
    cluster = Cluster(position_lost=True, replayed={"two": 1, "three": 1})
    client = session(cluster, "session")
    done = performed(client, WRITE, READ, READ)
    assert [one.type for one in done] == ["ok"] * 3
    # Only the primary can say where the write is; after that any node that has it will do.
    assert done[1].node == "one"


def test_a_session_goes_on_after_a_promotion() -> None:
    cluster = Cluster(replayed={"two": 1})
    client = session(cluster, "session", turn=1)
    performed(client, WRITE)
    cluster.primary, cluster.timeline, cluster.down = "two", 2, {"one"}
    done = performed(client, WRITE, READ, READ)
    assert [one.type for one in done] == ["ok"] * 3
    # The other standby stayed where it was, and the former primary is gone.
    assert [one.node for one in done] == ["two"] * 3


def test_a_session_is_told_that_a_failover_lost_its_write() -> None:
    cluster = Cluster(log=[1, 2], replayed={"two": 2})
    client = session(cluster, "session", turn=1)
    performed(client, WRITE)
    # The write at place 3 never reached the standby that takes over.
    cluster.log = [1, 2]
    cluster.primary, cluster.timeline, cluster.left, cluster.down = "two", 2, {1: 2}, {"one"}
    # A later write to the same row hides it from every read, and not from the session.
    wrote, read, again = performed(client, WRITE, READ, READ)
    assert (wrote.type, read.type, again.type) == ("ok", "fail", "fail")
    assert str(read.error).startswith(LOST)
    assert client.ended


def test_a_session_whose_writes_are_there_goes_on_through_two_failovers() -> None:
    cluster = Cluster(replayed={"two": 1})
    client = session(cluster, "session", turn=1)
    performed(client, WRITE)
    cluster.primary, cluster.timeline, cluster.left, cluster.down = "two", 2, {1: 1}, {"one"}
    assert [one.type for one in performed(client, READ, READ)] == ["ok"] * 2
    # Nothing was written in the second timeline.
    cluster.primary, cluster.timeline, cluster.left = "three", 3, {1: 1, 2: 1}
    cluster.down, cluster.replayed = {"one", "two"}, {}
    assert [one.type for one in performed(client, READ, WRITE, READ)] == ["ok"] * 3
    assert not client.ended


def test_a_timeline_history_says_where_each_ancestor_was_left() -> None:
    text = "1\t0/5000148\tno recovery target specified\n\n2\tA/00000028\tbefore 2026\n"
    assert forks(text) == {1: 0x5000148, 2: (10 << 32) + 0x28}
    assert forks("") == {}


def test_a_read_that_is_not_answered_does_not_end_a_session() -> None:
    class Silent(Connection):
        async def perform(self, invocation: Invocation) -> Completion:
            self.ended = True
            return Completion("info", node="two", error="timeout")

    for routing in ("any_replica", "primary", "session"):
        client = SessionClient(ENTRANCES, routing, 1, lambda end: Silent(Cluster(), end))
        done = performed(client, READ, WRITE)
        assert [one.type for one in done] == ["fail", "info"]


@pytest.mark.parametrize("name", ["active-passive", "active-active"])
def test_sessions_go_to_other_regions_through_the_wan(name: str) -> None:
    topology = load(find(name), {}).topology
    assert [one.name for one in sessions(topology)] == [SESSION] * 3
    found = entrances(topology, "eu-west")
    own, *others = found.nodes
    assert (own.host, own.port) == ("10.77.1.10", 5432)
    # The listeners of the links: their delay, limits and cuts hold for sessions too.
    assert {other.host for other in others} == {"10.77.1.1"}
    assert all(other.port >= 20000 for other in others)
    assert len({other.port for other in others}) == 2
    assert found.mesh is (name == "active-active")


def test_only_the_endpoint_of_sessions_gets_sessions() -> None:
    topology = load(find("active-passive"), {}).topology
    connect = connector(topology, "sessions", 1, 1000, {"read_routing": "any_replica"})
    assert isinstance(connect(sessions(topology)[0]), SessionClient)
    assert not isinstance(connect(Endpoint("writer", "", 1, "eu-west")), SessionClient)
