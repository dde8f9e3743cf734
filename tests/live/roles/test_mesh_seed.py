"""A mesh of real PostgreSQL servers: a region joins it, and one that lost its slot is mended."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

import psycopg
import pytest

from tests.live.roles.mesh_nodes import (
    MeshNode,
    agree,
    eventually,
    make_nodes,
    mesh_apply,
    mesh_flood,
    mesh_keeper,
)

pytestmark = pytest.mark.live

UPSERT = (
    "INSERT INTO item (space, key, value) VALUES (1, {key}, {value}) "
    "ON CONFLICT (space, key) DO UPDATE SET value = excluded.value"
)
STATES = {
    "item": "SELECT space, key, value FROM item_seen ORDER BY 1, 2",
    "counter": "SELECT space, key, n FROM counter_seen ORDER BY 1, 2",
    "set": "SELECT space, value FROM set_element ORDER BY 1, 2",
    "mark": "SELECT space, number FROM mark ORDER BY 1, 2",
}


@pytest.fixture
def nodes(
    testbed_data: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[list[MeshNode]]:
    """Some servers, of which the tests make regions as they go."""
    names = ["a", "b", "c", "d"][: getattr(request, "param", 4)]
    made = make_nodes(testbed_data, tmp_path_factory.mktemp("m"), names)
    try:
        yield made
    finally:
        for node in made:
            node.stop()


def same(nodes: Sequence[MeshNode]) -> bool:
    """Whether every node shows the same of everything."""
    return all(len({tuple(node.rows(query)) for node in nodes}) == 1 for query in STATES.values())


class Load:
    """Writes at some nodes until it is ended."""

    def __init__(self, nodes: Sequence[MeshNode]) -> None:
        self.written = 0
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(node, number))
            for number, node in enumerate(nodes)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _write(self, node: MeshNode, number: int) -> None:
        value = number * 1_000_000
        with node.connect() as connection:
            while not self._end.is_set():
                value += 1
                connection.execute(UPSERT.format(key=value % 50, value=value).encode())
                connection.execute(b"SELECT increment(1, %d, 1)" % (value % 3))
                connection.execute(b"INSERT INTO set_element VALUES (1, %d)" % value)
                if value % 7 == 0:
                    connection.execute(b"DELETE FROM item WHERE key = %d" % (value % 50))
                self.written += 1


@pytest.mark.parametrize("strategy", ["crdt", "last_write_wins_triggers"])
def test_a_region_joins_a_mesh_under_load_and_misses_nothing(
    nodes: list[MeshNode], strategy: str
) -> None:
    """Before, it subscribed from now on, and had nothing of what was written earlier."""
    agree(strategy, nodes[:3])
    nodes[0].do("INSERT INTO set_element SELECT 7, number FROM generate_series(1, 20000) number")
    with Load(nodes[:3]) as load:
        eventually(lambda: load.written > 200, "some load")
        changes = agree(strategy, nodes)
        written = load.written
        eventually(lambda: load.written > written + 200, "load after the join")
    eventually(lambda: same(nodes), "four regions with the same rows")
    assert "rows were merged" in " ".join(changes["d"])
    assert len(nodes[3].rows("SELECT FROM set_element WHERE space = 7")) == 20000
    if strategy == "crdt":
        ((total,),) = nodes[3].rows("SELECT sum(n)::int FROM counter_seen")
        assert total == load.written
    # Patroni drops an idle slot that it does not know, unless it is one that fails over.
    assert nodes[0].rows("SELECT count(*), bool_and(failover) FROM pg_replication_slots") == [
        (3, True)
    ]
    # It is a region as the others are.
    nodes[3].do(UPSERT.format(key=1000, value=1))
    eventually(lambda: same(nodes), "what the new region writes, everywhere")
    assert agree(strategy, nodes) == {"a": [], "b": [], "c": [], "d": []}


@pytest.mark.parametrize("nodes", [3], indirect=True)
def test_a_region_that_joins_moves_no_home(nodes: list[MeshNode]) -> None:
    agree("home_region", nodes[:2])
    homes = [nodes[0].rows(f"SELECT home_of(1, {key})") for key in range(12)]
    agree("home_region", nodes)
    for node in nodes:
        assert [node.rows(f"SELECT home_of(1, {key})") for key in range(12)] == homes


@pytest.mark.parametrize("nodes", [3], indirect=True)
def test_a_region_cannot_join_where_rows_cannot_be_merged(nodes: list[MeshNode]) -> None:
    agree("none", nodes[:2])
    nodes[0].do(UPSERT.format(key=1, value=1))
    with pytest.raises(Exception, match="the rows of item cannot be merged") as refused:
        agree("none", nodes)
    assert "make a new one" in str(refused.value)


def lose_slot(strategy: str, node: MeshNode, region: str, nodes: Sequence[MeshNode]) -> None:
    """What the fault `slot-loss` does: only the region that does not follow loses its slot."""
    mesh_flood.flood(node.settings(strategy, nodes))
    query = "SELECT slot_name FROM pg_replication_slots WHERE invalidation_reason = 'wal_removed'"
    assert node.rows(query) == [(f"{region}_from_{node.region}",)]


@pytest.mark.parametrize("nodes", [3], indirect=True)
def test_a_region_whose_slot_was_lost_is_seeded_again_exactly(nodes: list[MeshNode]) -> None:
    """Before, nothing looked at the slot: the stream stood still for ever, and said nothing."""
    agree("last_write_wins", nodes)
    a, _, c = nodes
    for key in range(10):
        a.do(UPSERT.format(key=key, value=key))
    eventually(lambda: same(nodes), "rows everywhere")
    with c.connect("postgres") as connection:
        connection.execute("ALTER SUBSCRIPTION from_a DISABLE")
    # While c hears nothing of a: one row changed on both sides, one deleted, one new.
    a.do(UPSERT.format(key=0, value=100), "DELETE FROM item WHERE key = 1")
    c.do(UPSERT.format(key=0, value=200))
    a.do(UPSERT.format(key=50, value=50))
    lose_slot("last_write_wins", a, "c", nodes)
    with c.connect("postgres") as connection:
        connection.execute("ALTER SUBSCRIPTION from_a ENABLE")
    keeper = mesh_keeper.Keeper(c.settings("last_write_wins", nodes))
    with pytest.raises(ValueError, match="every region follows"):
        mesh_flood.flood(c.settings("last_write_wins", nodes))
    eventually(lambda: keeper.look_after_streams() or keeper.seeded, "the keeper seeds again")
    assert keeper.seeded[0]["name"] == "from_a"
    assert "lost" in keeper.seeded[0]["why"]
    assert keeper.lost == {}
    a.do(UPSERT.format(key=60, value=60))
    eventually(lambda: same(nodes), "the same rows everywhere")
    assert dict(row[1:] for row in c.rows(STATES["item"]))[0] == 200


@pytest.mark.parametrize("nodes", [2], indirect=True)
def test_a_lost_slot_of_plain_tables_is_told_and_not_papered_over(nodes: list[MeshNode]) -> None:
    agree("none", nodes)
    a, b = nodes
    a.do(UPSERT.format(key=1, value=1))
    eventually(lambda: same(nodes), "rows everywhere")
    with b.connect("postgres") as connection:
        connection.execute("ALTER SUBSCRIPTION from_a DISABLE")
    lose_slot("none", a, "b", nodes)
    with b.connect("postgres") as connection:
        connection.execute("ALTER SUBSCRIPTION from_a ENABLE")
    keeper = mesh_keeper.Keeper(b.settings("none", nodes))
    eventually(lambda: keeper.look_after_streams() or keeper.lost, "the keeper tells")
    assert "would be missing in b for ever" in keeper.lost["from_a"]
    with pytest.raises(Exception, match="would be missing in b for ever"):
        agree("none", nodes)


@pytest.mark.parametrize("nodes", [2], indirect=True)
@pytest.mark.parametrize("strategy", ["last_write_wins", "home_region", "last_write_wins_triggers"])
def test_tombstones_that_all_have_seen_are_purged_here_alone(
    nodes: list[MeshNode], strategy: str
) -> None:
    """Before, those of a row that was handed over stayed, and a purge was sent to the others."""
    two = nodes[:2]
    agree(strategy, two)
    a, b = two
    if strategy == "home_region":
        a.do("SELECT take_over(1, 1)")
    a.do(UPSERT.format(key=1, value=1), "DELETE FROM item WHERE key = 1")
    tombstones = "SELECT key FROM item WHERE deleted"
    eventually(lambda: b.rows(tombstones) == [(1,)], "the tombstone at b")
    keeper = mesh_keeper.Keeper(a.settings(strategy, two))
    stamp = "SELECT stamp FROM item WHERE key = 1"

    def purged() -> bool:
        for node in two:
            node.do("SELECT beat()")
        keeper.purge()
        return a.rows(tombstones) == []

    ((before,),) = a.rows(stamp)
    eventually(purged, "the tombstone goes")
    a.do(UPSERT.format(key=2 if strategy != "home_region" else 4, value=1))
    eventually(lambda: len(b.rows("SELECT key FROM item")) == 2, "what a wrote later, at b")
    assert b.rows(tombstones) == [(1,)]
    assert b.rows(stamp) == [(before,)]


@pytest.mark.parametrize("nodes", [2], indirect=True)
def test_a_tombstone_stays_until_a_region_that_joins_has_seen_it(nodes: list[MeshNode]) -> None:
    """A region in the middle of its join may yet receive what the tombstone beats."""
    agree("last_write_wins", nodes[:2])
    a = nodes[0]
    a.do(UPSERT.format(key=1, value=1), "DELETE FROM item WHERE key = 1")
    with a.connect("postgres") as connection:
        connection.execute("INSERT INTO member VALUES ('c')")
    for _ in range(3):
        for node in nodes[:2]:
            node.do("SELECT beat()")
    assert a.rows("SELECT purge_horizon()") == [(None,)]


@pytest.mark.parametrize("nodes", [3], indirect=True)
def test_a_stranger_s_tables_are_refused(nodes: list[MeshNode]) -> None:
    agree("last_write_wins", nodes[:2])
    with pytest.raises(Exception, match="was made for another conflict resolution"):
        # A region of another strategy may not join: rows would go nowhere.
        agree_alone("crdt", nodes[2], nodes[:3])


def agree_alone(strategy: str, node: MeshNode, nodes: Sequence[MeshNode]) -> None:
    with closing(mesh_apply.Mesh(node.settings(strategy, nodes), check=False)) as mesh:
        mesh.agree()


@pytest.mark.parametrize("nodes", [2], indirect=True)
def test_a_keeper_reports_of_a_standby_too(nodes: list[MeshNode]) -> None:
    """Before, its questions failed where PostgreSQL is in recovery; it outlasts a restart."""
    (a, b) = nodes[:2]
    agree("last_write_wins", [a, b])
    keeper = mesh_keeper.Keeper(a.settings("last_write_wins", [a, b]))
    keeper.problem = ""
    with closing(keeper.reader):
        backends = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        assert (
            keeper.report()["recovery"]
            == keeper.report()["recovery"]
            == [{"name": "here", "standby": False}]
        )
        # One connection for all questions, and that of this very query.
        assert a.rows(backends) == [(2,)]
        a.stop()
        assert "socket" in keeper.report()["problem"]
        (a.folder / "data" / "standby.signal").touch()
        a.start()
        document = keeper.report()
    assert document["problem"] == ""
    assert document["recovery"] == [{"name": "here", "standby": True}]
    assert {slot["name"] for slot in document["slots"]} == {"b_from_a"}
    with pytest.raises(psycopg.Error):
        a.do("CREATE TABLE nothing ()")


@pytest.fixture
def dead(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A node that died behind a proxy: connections are accepted, and closed at once."""
    folder = tmp_path_factory.mktemp("d")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / ".s.PGSQL.5432"))
        listener.listen()
        closing_thread = threading.Thread(target=close_all, args=(listener,))
        closing_thread.start()
        yield str(folder)
        listener.shutdown(socket.SHUT_RDWR)
        closing_thread.join()


def close_all(listener: socket.socket) -> None:
    """Accept connections and close them, until the listener is shut down."""
    while True:
        try:
            listener.accept()[0].close()
        except OSError:
            return


@pytest.mark.parametrize("nodes", [2], indirect=True)
def test_after_a_promotion_both_ends_are_seeded_again(
    nodes: list[MeshNode], dead: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What the old primary had sent or received, and its standby had not, would be missing."""
    a, b = nodes[:2]
    agree("last_write_wins", [a, b], own_nodes=2, dead=[dead])
    a.do(UPSERT.format(key=1, value=1))
    eventually(lambda: same([a, b]), "rows everywhere")
    # A standby that has stopped to follow: a copy of the node, as it was.
    a.stop()
    standby = a.copy_to(tmp_path_factory.mktemp("s") / "a")
    a.start()
    a.do(UPSERT.format(key=2, value=2))
    b.do(UPSERT.format(key=3, value=3))
    eventually(lambda: same([a, b]), "what the standby does not have, everywhere else")
    ((written,),) = b.rows("SELECT pg_current_wal_lsn()::text")
    confirmed = f"SELECT confirmed_flush_lsn >= '{written}' FROM pg_replication_slots"
    eventually(lambda: b.rows(confirmed) == [(True,)], "b keeps nothing of it any more")
    a.stop()
    a.become(standby)
    assert a.rows("SELECT key FROM item") == [(1,)]
    keepers = [
        mesh_keeper.Keeper(node.settings("last_write_wins", [a, b], dead=[dead], own_nodes=2))
        for node in (a, b)
    ]

    def seeded() -> bool:
        for keeper in keepers:
            keeper.look_after_streams()
        return all(keeper.seeded for keeper in keepers)

    eventually(seeded, "both keepers seed again")
    assert "promoted" in keepers[0].seeded[0]["why"]
    a.do(UPSERT.format(key=4, value=4))
    eventually(lambda: same([a, b]), "the same rows everywhere")
    assert [row[1] for row in a.rows(STATES["item"])] == [1, 2, 3, 4]
