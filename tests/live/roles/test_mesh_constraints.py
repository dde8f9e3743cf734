"""Which constraints hold in all regions together, which only in each, and which stop a stream."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from tests.live.roles.mesh_nodes import MeshNode, agree, eventually, make_nodes

pytestmark = pytest.mark.live

STUCK_S = 4.0
"""A stream that works takes a fraction of this for three rows."""

INSERT = "INSERT INTO item (space, key, value) VALUES (1, {key}, {value})"
ROWS = "SELECT key, value FROM item_seen WHERE space = 1 ORDER BY 1"
ORPHANS = (
    "SELECT key FROM counter_seen c WHERE NOT EXISTS "
    "(SELECT FROM item_seen i WHERE i.space = c.space AND i.key = c.key)"
)
REFUSALS = {"23505", "23503", "TB001"}
"""Unique, foreign key, and a row that is at home elsewhere."""
DECLARE = (
    "CREATE UNIQUE INDEX one_value ON item (space, value)",
    "ALTER TABLE counter ADD FOREIGN KEY (space, key) REFERENCES item (space, key)",
)


@pytest.fixture
def nodes(testbed_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[MeshNode]]:
    """The servers of two regions."""
    made = make_nodes(testbed_data, tmp_path_factory.mktemp("m"), ["a", "b"])
    try:
        yield made
    finally:
        for node in made:
            node.stop()


def accepted(node: MeshNode, statement: str) -> bool:
    """Whether a region acknowledges a statement, or refuses it by a constraint or a row's home."""
    try:
        node.do(statement)
    except psycopg.Error as error:
        if error.sqlstate not in REFUSALS:
            raise
        return False
    return True


def apart(nodes: Sequence[MeshNode], here: str, there: str) -> tuple[bool, bool]:
    """What two regions acknowledge that cannot hear each other; then they can again."""
    for node in nodes:
        superuser(node, "ALTER SUBSCRIPTION {} DISABLE")
    answers = accepted(nodes[0], here), accepted(nodes[1], there)
    for node in nodes:
        superuser(node, "ALTER SUBSCRIPTION {} ENABLE")
    return answers


def superuser(node: MeshNode, statement: str) -> None:
    with node.connect("postgres") as connection:
        for (name,) in connection.execute("SELECT subname FROM pg_subscription").fetchall():
            connection.execute(statement.format(name).encode())


def flows(nodes: Sequence[MeshNode], number: int) -> bool:
    """Whether what each region writes now arrives at the other one."""
    for place, node in enumerate(nodes):
        node.do(f"INSERT INTO mark VALUES ({number}, {place})")
    query = f"SELECT count(*) FROM mark WHERE space = {number}"
    deadline = time.monotonic() + STUCK_S
    while time.monotonic() < deadline:
        if all(node.rows(query) == [(2,)] for node in nodes):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("strategy", "same_key", "same_value", "child", "deleted_below_child"),
    [
        # The first region's answer, the second's, and whether their streams go on.
        ("none", (True, True, False), None, (True, True, True), False),
        ("last_write_wins", (True, True, True), (True, True, False), (True, True, True), True),
        ("crdt", (True, True, True), (True, True, False), (True, True, True), True),
        ("home_region", (False, True, True), (True, True, False), (True, False, True), True),
    ],
)
def test_constraints_across_regions(
    nodes: list[MeshNode],
    strategy: str,
    same_key: tuple[bool, bool, bool],
    same_value: tuple[bool, bool, bool] | None,
    child: tuple[bool, bool, bool],
    deleted_below_child: bool,
) -> None:
    agree(strategy, nodes)
    for node in nodes:
        node.do(*DECLARE)
    # Each region alone refuses what it knows of.
    nodes[0].do(INSERT.format(key=4, value=4))
    assert not accepted(nodes[0], INSERT.format(key=4, value=9))
    assert not accepted(nodes[0], INSERT.format(key=6, value=4))
    assert not accepted(nodes[0], "SELECT increment(1, 8, 1)")
    eventually(lambda: nodes[1].rows(ROWS) == [(4, 4)], "the parent everywhere")
    # A child here of what was deleted there.
    answers = apart(nodes, "DELETE FROM item WHERE key = 4", "SELECT increment(1, 4, 1)")
    assert (*answers, flows(nodes, 1)) == child
    orphans = [node.rows(ORPHANS) for node in nodes]
    assert orphans == ([[(4,)], [(4,)]] if answers == (True, True) else [[], []])
    # A parent whose child is known: its row stays as a tombstone where rows are merged.
    nodes[0].do(INSERT.format(key=10, value=10), "SELECT increment(1, 10, 1)")
    assert accepted(nodes[0], "DELETE FROM item WHERE key = 10") is deleted_below_child
    # One key in two regions: where the streams go on there is one row in the end.
    answers = apart(nodes, INSERT.format(key=1, value=11), INSERT.format(key=1, value=12))
    assert (*answers, flows(nodes, 2)) == same_key
    if same_value is None:
        return
    assert len({tuple(node.rows(ROWS)) for node in nodes}) == 1
    # One value under two keys.
    answers = apart(nodes, INSERT.format(key=2, value=77), INSERT.format(key=3, value=77))
    assert (*answers, flows(nodes, 3)) == same_value
