"""The strategies' SQL in a real PostgreSQL: changes merge the same in any order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jinja2
import psycopg
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from testbed.topology.shipped import inventories
from tests.live.roles.conftest import template_folder

pytestmark = pytest.mark.live

STRATEGIES = yaml.safe_load((inventories() / "variables" / "mesh.yml").read_text())["variables"][
    "conflict_resolution"
]["choices"]
MERGING = [name for name in STRATEGIES if name not in {"none", "last_write_wins_triggers"}]
FAR_US = 4_000_000_000_000_000
"""A stamp far ahead of any clock, and within the bits that an epoch leaves."""

Connection = psycopg.Connection[Any]


def schema(strategy: str, offset_ms: int = 10**13) -> str:
    """The role's SQL for a strategy, as Ansible renders it."""
    loader = jinja2.FileSystemLoader(template_folder("mesh"))
    environment = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined)
    return environment.get_template("schema.sql.j2").render(
        conflict_resolution=strategy,
        mesh_clock_offset_ms=offset_ms,
        mesh_regions=["east", "north", "west"],
    )


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
    region.execute("SELECT hand_over(5, %s, 'west')", (away,))
    region.execute(UPSERT, (5, away, 2))
    # What the old home still writes in ignorance loses, however late its clock.
    arrive(region, [(5, away, 99, FAR_US, "east", False)])
    assert seen(region, 5) == {away: 2}


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


def arrive(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    """What a subscription's worker does with rows of the log."""
    connection.execute("RESET ROLE")
    connection.execute("SET session_replication_role = replica")
    try:
        for row in rows:
            connection.execute("INSERT INTO item_change VALUES (%s, %s, %s, %s, %s, %s)", row)
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
