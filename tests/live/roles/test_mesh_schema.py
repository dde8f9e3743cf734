"""The strategies' SQL in a real PostgreSQL: changes merge the same in any order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from testbed.topology.shipped import inventories
from tests.live.roles.mesh_nodes import schema

pytestmark = pytest.mark.live

STRATEGIES = yaml.safe_load((inventories() / "variables" / "mesh.yml").read_text())["variables"][
    "conflict_resolution"
]["choices"]
MERGING = [name for name in STRATEGIES if name not in {"none", "last_write_wins_triggers"}]
FAR_US = 4_000_000_000_000_000
"""A stamp far ahead of any clock, and within the bits that an epoch leaves."""

Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module", params=STRATEGIES)
def strategy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def database(server: str, name: str, text: str, region: str = "west") -> Connection:
    """A new database with the strategy's tables, in it as the region's client."""
    with psycopg.connect(f"{server} dbname=postgres", autocommit=True) as connection:
        wanted = sql.Identifier(name)
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER testbed").format(wanted))
        statement = sql.SQL("ALTER DATABASE {} SET mesh.region = {}")
        connection.execute(statement.format(wanted, sql.Literal(region)))
    connection = psycopg.connect(f"{server} dbname={name}", autocommit=True)
    connection.execute("SET ROLE testbed")
    connection.execute(text.encode())
    return connection


@pytest.fixture(scope="module")
def region(server: str, strategy: str) -> Iterator[Connection]:
    with database(server, f"local_{strategy}", schema(strategy)) as connection:
        connection.execute("INSERT INTO member VALUES ('east'), ('north'), ('west')")
        if strategy == "home_region":
            connection.execute("SELECT settle_homes('{east,north,west}')")
        yield connection


def seen(connection: Connection, space: int) -> dict[int, int | None]:
    rows = connection.execute("SELECT key, value FROM item_seen WHERE space = %s", (space,))
    return dict(rows.fetchall())


UPSERT = """
INSERT INTO item (space, key, value) VALUES (%s, %s, %s)
ON CONFLICT (space, key) DO UPDATE SET value = excluded.value
"""
WEST = 2
"""A key that is at home in west, by its place among the regions."""


def test_rows_are_written_deleted_and_written_again(region: Connection) -> None:
    for value in (10, 11):
        region.execute(UPSERT, (1, WEST, value))
        assert seen(region, 1) == {WEST: value}
    region.execute("DELETE FROM item WHERE space = 1")
    assert seen(region, 1) == {}
    region.execute(UPSERT, (1, WEST, 12))
    assert seen(region, 1) == {WEST: 12}


def test_a_large_transaction_costs_what_its_rows_cost(region: Connection) -> None:
    """Before, each row looked at all that the transaction had sent: 20,000 of them took 14 s."""
    # Keys that are at home in west.
    many = "SELECT 2, 3 * n + 2, n FROM generate_series(1, 20000) AS n"
    with region.transaction():
        region.execute("SET LOCAL statement_timeout = '7s'")
        region.execute(f"INSERT INTO item (space, key, value) {many}".encode())
        region.execute("INSERT INTO set_element SELECT 2, n FROM generate_series(1, 20000) AS n")
    (row,) = region.execute("SELECT count(*) FROM item_seen WHERE space = 2").fetchall()
    assert row == (20000,)


def test_counters_add_up(region: Connection) -> None:
    for by in (2, 3):
        region.execute("SELECT increment(1, %s, %s)", (WEST, by))
    (row,) = region.execute("SELECT n FROM counter_seen WHERE space = 1").fetchall()
    assert row == (5,)


@pytest.mark.parametrize("strategy", ["home_region"], indirect=True)
def test_a_row_is_written_at_home_only_until_it_is_handed_over(region: Connection) -> None:
    away = WEST + 1
    with pytest.raises(psycopg.Error, match=r"row \(5, 3\) is at home in east") as refused:
        region.execute(UPSERT, (5, away, 1))
    assert refused.value.sqlstate == "TB001"
    with pytest.raises(psycopg.Error, match="is at home in east, not here"):
        region.execute("SELECT hand_over(5, %s, 'west')", (away,))
    with pytest.raises(psycopg.Error, match="mars is no region of this mesh"):
        region.execute("SELECT hand_over(5, %s, 'mars')", (WEST,))
    region.execute(UPSERT, (5, WEST, 7))
    region.execute("SELECT hand_over(5, %s, 'north')", (WEST,))
    with pytest.raises(psycopg.Error, match=r"row \(5, 2\) is at home in north"):
        region.execute(UPSERT, (5, WEST, 8))
    assert seen(region, 5) == {WEST: 7}


@pytest.mark.parametrize("strategy", ["home_region"], indirect=True)
@pytest.mark.parametrize("written_since", [True, False])
def test_an_old_home_that_returns_is_fenced(region: Connection, written_since: bool) -> None:
    space, away = 6 + written_since, WEST + 1
    arrive(region, [(space, away, 1, 1, "east", False)])
    region.execute("SELECT take_over(%s, %s)", (space, away))
    if written_since:
        region.execute(UPSERT, (space, away, 2))
    # What the old home wrote in ignorance, however late its clock.
    arrive(region, [(space, away, 99, FAR_US, "east", False)])
    assert seen(region, space) == {away: 1 + written_since}
    # A row that the new home had never heard of.
    region.execute("SELECT take_over(%s, %s)", (space, away + 3))
    arrive(region, [(space, away + 3, 99, FAR_US, "east", False)])
    assert seen(region, space) == {away: 1 + written_since}


@pytest.mark.parametrize("strategy", ["home_region"], indirect=True)
def test_of_two_take_overs_at_once_one_counts_with_all_its_rows(region: Connection) -> None:
    """Both have the same epoch: the rows of the lesser region lose, whatever their clocks say."""
    away = WEST + 1
    region.execute("SELECT take_over(8, %s)", (away,))
    region.execute(UPSERT, (8, away, 5))
    region.execute("RESET ROLE")
    region.execute("SET session_replication_role = replica")
    region.execute("INSERT INTO handed_over_change VALUES (8, %s, 'north', 1, 'north')", (away,))
    region.execute("SET session_replication_role = origin")
    region.execute("SET ROLE testbed")
    arrive(region, [(8, away, 99, FAR_US, "north", False, 1, "north")])
    assert region.execute("SELECT home_of(8, %s)", (away,)).fetchone() == ("west",)
    assert seen(region, 8) == {away: 5}


@pytest.mark.parametrize("strategy", ["home_region"], indirect=True)
def test_a_write_that_found_the_row_at_home_is_waited_for(server: str, region: Connection) -> None:
    """Else the new home would not have it, and its next write would undo what was acknowledged."""
    with psycopg.connect(f"{server} dbname=local_home_region user=testbed") as writer:
        writer.execute(UPSERT, (9, WEST, 1))
        region.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            region.execute("SELECT hand_over(9, %s, 'north')", (WEST,))
        writer.commit()
    region.execute("SELECT hand_over(9, %s, 'north')", (WEST,))
    region.execute("SET lock_timeout = 0")


@pytest.mark.parametrize("strategy", ["last_write_wins"], indirect=True)
def test_a_stamp_too_far_ahead_is_refused(server: str, strategy: str) -> None:
    text = schema(strategy, offset_ms=1000)
    with (
        database(server, "bounded", text) as connection,
        pytest.raises(psycopg.Error, match="ahead of this region's clock"),
    ):
        arrive(connection, [(1, 1, 1, FAR_US, "east", False)])


changes = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 5), st.sampled_from(["east", "north"]),
              st.booleans()),
    min_size=1, max_size=8, unique_by=lambda change: change[:3],
)  # fmt: skip
"""Key, stamp, region, deleted: no region gives one row the same stamp twice."""


def arrive(connection: Connection, rows: list[tuple[Any, ...]], log: str = "item_change") -> None:
    """What a subscription's worker does with rows of the log."""
    connection.execute("RESET ROLE")
    connection.execute("SET session_replication_role = replica")
    try:
        for row in rows:
            places = ", ".join(["%s"] * len(row))
            connection.execute(f"INSERT INTO {log} VALUES ({places})".encode(), row)
    finally:
        connection.execute("SET session_replication_role = origin")
        connection.execute("SET ROLE testbed")


@pytest.mark.parametrize("strategy", MERGING, indirect=True)
def test_changes_merge_the_same_in_any_order_and_twice(region: Connection, strategy: str) -> None:
    spaces = iter(range(100, 10**6))

    @settings(max_examples=25)
    @given(changes=changes, data=st.data())
    def merged(changes: list[tuple[int, int, str, bool]], data: st.DataObject) -> None:
        again = data.draw(st.permutations([*changes, *changes[:2]]))
        states = []
        for order in (changes, again):
            space = next(spaces)
            rows = [
                (space, key, None if deleted else 10 * stamp + len(origin), stamp, origin, deleted)
                for key, stamp, origin, deleted in order
            ]
            arrive(region, rows)
            states.append(seen(region, space))
        winners = {
            key: max(change for change in changes if change[0] == key)
            for key in {change[0] for change in changes}
        }
        assert states[0] == states[1]
        assert set(states[0]) == {key for key, change in winners.items() if not change[3]}

    merged()


@pytest.mark.parametrize("strategy", ["crdt"], indirect=True)
def test_a_removal_takes_away_only_what_it_has_seen(region: Connection) -> None:
    region.execute("SELECT include(1, 5)")
    region.execute("SELECT exclude(1, 5)")
    assert elements(region) == []
    # An add that the removal had not seen, and a late copy of the one that it had.
    rows = region.execute("SELECT * FROM element WHERE value = 5").fetchall()
    east = (1, 5, "east", 7, 7, False)
    arrive(region, [east, (*rows[0][:5], False)], log="element_change")
    assert elements(region) == [5]
    arrive(region, [(1, 5, "east", 7, 9, True), east], log="element_change")
    assert elements(region) == []


def elements(region: Connection) -> list[int]:
    return [row[0] for row in region.execute("SELECT value FROM element_seen WHERE space = 1")]
