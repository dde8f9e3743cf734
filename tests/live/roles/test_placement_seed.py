"""Jurisdictions on real PostgreSQL servers: what crosses is seeded again, exactly, after a loss."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from testbed.probes.at_rest import search_at_rest
from testbed.probes.node_files import Folder
from testbed.probes.patterns import patterns_of
from testbed.topology.placement_plan import Published
from testbed.workloads.canary import Canaries
from tests.live.roles.mesh_nodes import MeshNode, eventually, make_nodes
from tests.live.roles.placement_nodes import (
    PARTS,
    agree,
    keeper,
    placement_publication,
    settings,
)

pytestmark = pytest.mark.live

CROSSING = (
    "SELECT id, residency, full_name FROM customers WHERE residency = 'ANY' ORDER BY 1, 2",
    "SELECT id, residency, pseudonym, amount FROM orders ORDER BY 1, 2",
    "SELECT id, name, price FROM products ORDER BY 1",
    "SELECT space, number FROM mark ORDER BY 1, 2",
)
ADDRESSES = "SELECT count(*) FROM orders WHERE residency = 'EU' AND delivery_address IS NOT NULL"

NARROW = "SELECT id, residency FROM orders ORDER BY 1"


@pytest.fixture
def nodes(testbed_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[MeshNode]]:
    """Two jurisdictions that send each other what may cross, with some rows each."""
    # The mesh's smaller settings suit: PostgreSQL asks for the library of its statistics alone.
    preload = {"shared_preload_libraries": "pg_stat_statements"}
    made = make_nodes(testbed_data, tmp_path_factory.mktemp("p"), ["EU", "US"], **preload)
    try:
        agree(made)
        for number, node in enumerate(made):
            write(node, 10 + number)
        eventually(lambda: same(made), "what crosses, on both")
        yield made
    finally:
        for node in made:
            node.stop()


def write(node: MeshNode, key: int) -> None:
    """One row of each kind."""
    home = node.region
    node.do(
        f"INSERT INTO customers (id, residency, full_name) VALUES ({key}, '{home}', 'pinned'),"
        f" ({key}, 'ANY', 'firm of {home}')",
        f"INSERT INTO orders (id, residency, amount, delivery_address)"
        f" VALUES ({key}, '{home}', {key}, 'pinned')",
        f"INSERT INTO products (id, name, price) VALUES ({key}, 'thing', {key})",
        f"INSERT INTO mark VALUES ({key}, 1)",
    )


def same(nodes: list[MeshNode]) -> bool:
    """Whether every node has the same of what crosses."""
    return all(len({str(node.rows(query)) for node in nodes}) == 1 for query in CROSSING)


def lose(node: MeshNode) -> None:
    """Drop what a node keeps for the other one."""
    with node.connect("postgres") as connection:
        assert placement_publication.drop_slots(connection)


class Load:
    """Inserts, updates and deletes at one node until it is ended."""

    def __init__(self, node: MeshNode, first: int) -> None:
        self.written = 0
        self._node, self._first = node, first
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def _write(self) -> None:
        key = self._first
        while not self._end.is_set():
            key += 2
            write(self._node, key)
            self._node.do(
                f"UPDATE orders SET amount = amount + 1 WHERE id >= {key - 6} "
                f"AND residency = '{self._node.region}'",
                f"DELETE FROM products WHERE id = {key - 4}",
                # A firm becomes a person: what crossed must go.
                f"UPDATE customers SET residency = '{self._node.region}', id = -id "
                f"WHERE id = {key - 2} AND residency = 'ANY'",
            )
            self.written += 1


def test_a_lost_slot_is_seeded_again_exactly_while_both_write(nodes: list[MeshNode]) -> None:
    european, american = nodes
    looking = keeper(american)
    with Load(european, 100) as here, Load(american, 101) as there:
        eventually(lambda: here.written > 5 and there.written > 5, "some load")
        lose(european)
        before = here.written
        eventually(lambda: here.written > before + 5, "writes that no slot keeps")
        looking.look_after_streams()
        eventually(lambda: here.written > before + 10, "load after it")
    assert [(one["name"], one["why"]) for one in looking.seeded] == [
        ("from_eu", "its slot placement_us is gone")
    ]
    assert looking.seeded[0]["rows"] > 10
    eventually(lambda: same(nodes), "the same of what crosses, on both")
    assert american.rows("SELECT count(*) FROM customers WHERE residency = 'EU'") == [(0,)]
    assert american.rows(ADDRESSES) == [(0,)]
    # What was written in the US is as it was, and goes on.
    assert american.rows("SELECT full_name FROM customers WHERE id = 11 AND residency = 'US'")
    write(american, 9001)
    write(european, 9000)
    eventually(lambda: same(nodes), "what is written after it")
    assert agree(nodes) == {"EU": [], "US": []}


def test_rows_that_are_gone_and_changed_meanwhile_are_mended(nodes: list[MeshNode]) -> None:
    """Of each table: a row less, a row changed, a row more; others' own rows stay."""
    european, american = nodes
    lose(european)
    european.do(
        "DELETE FROM products WHERE id = 10",
        "UPDATE orders SET amount = 99, delivery_address = 'secret' WHERE id = 10",
        "UPDATE customers SET full_name = 'renamed' WHERE id = 10 AND residency = 'ANY'",
    )
    write(european, 50)
    keeper(american).look_after_streams()
    assert same(nodes)
    (amount,) = american.rows("SELECT amount, delivery_address FROM orders WHERE id = 10")
    assert (int(amount[0]), amount[1]) == (99, None)
    assert american.rows("SELECT id FROM products ORDER BY id") == [(11,), (50,)]
    # What was seeded here does not go back as something of here.
    write(american, 51)
    eventually(lambda: same(nodes), "what is written after it")
    assert european.rows(ADDRESSES) == [(2,)]


def test_what_crossed_before_its_row_changed_class_stays_in_files(nodes: list[MeshNode]) -> None:
    """To pin a row later is no erasure: the new value does not cross, the old one stays, dead."""
    european, american = nodes
    canaries = Canaries(5)
    company, person = (
        canaries.make(name, "s1", "customers/70", jurisdiction="EU")
        for name in ("companies", "customers_eu")
    )
    european.do(
        f"INSERT INTO customers (id, residency, full_name) VALUES (70, 'ANY', '{company.token}')"
    )
    arrived = "SELECT 1 FROM customers WHERE id = 70"
    eventually(lambda: american.rows(arrived), "the company")
    european.do(
        f"UPDATE customers SET residency = 'EU', full_name = '{person.token}' WHERE id = 70"
    )
    eventually(lambda: not american.rows(arrived), "the company to be gone")
    with american.connect("postgres") as connection:
        connection.execute("CHECKPOINT")
    there = {"us": [Folder(american.folder / "data", "/srv/data")]}
    found = search_at_rest(there, patterns_of([company, person])).findings
    assert {finding.canary for finding in found} == {company.token}
    assert {"table or index file", "write-ahead log"} <= {finding.how for finding in found}


def narrower(columns: tuple[str, ...]) -> tuple[Published, ...]:
    """The shipped policy, with other columns of `orders`."""
    parts: list[dict[str, Any]] = PARTS["EU"]["publishes"]
    return tuple(
        Published(one["table"], columns if one["table"] == "orders" else tuple(one["columns"]),
                  one["row_filter"])
        for one in parts
    )  # fmt: skip


def log_held_by(node: MeshNode, pid: int) -> list[str]:
    """The segments of the log that a process of a server holds open."""
    wal = str(node.folder / "data" / "pg_wal")
    opened = (str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir())
    return [path for path in opened if path.startswith(wal)]


def test_a_server_of_an_older_policy_sends_nothing_until_its_keeper_has_published_anew(
    nodes: list[MeshNode],
) -> None:
    """As a standby that missed the change, and took over: its tables say what may not cross."""
    european, american = nodes
    wide, narrow = narrower(("id", "residency", "amount")), narrower(("id", "residency"))
    agree(nodes, wide, publication="placement_wide")
    # The new policy is known on both; what the European server publishes is still the old one.
    settings(european, nodes, narrow, publication="placement_narrow")
    settings(american, nodes, narrow, publication="placement_narrow")
    american.rows("SELECT 1")
    with american.connect("postgres") as connection:
        connection.execute("ALTER SUBSCRIPTION from_eu SET PUBLICATION placement_narrow"
                           " WITH (refresh = false)")  # fmt: skip
    european.do("INSERT INTO orders (id, residency, amount) VALUES (77, 'EU', 12345)")
    with european.connect("postgres") as connection:
        keeping = keeper(european)
        passed = "SELECT pg_current_wal_lsn() <= confirmed_flush_lsn FROM pg_replication_slots"
        eventually(lambda: european.rows(passed) == [(True,)], "the stream to have passed it")
        assert american.rows("SELECT amount FROM orders WHERE id = 77") == []
        keeping.publish(connection)
        assert log_held_by(european, connection.info.backend_pid) == []
    assert [one["publication"] for one in keeping.published] == ["placement_narrow"]
    keeper(american).look_after_streams()
    assert american.rows("SELECT amount FROM orders WHERE id IN (10, 77) ORDER BY id") == [
        (None,), (None,),
    ]  # fmt: skip


def test_a_keeper_of_an_older_policy_holds_up_nobody(nodes: list[MeshNode]) -> None:
    """Once a change of the policy took a minute: it waited for what is published no more."""
    european, american = nodes
    wide, narrow = narrower(("id", "residency", "amount")), narrower(("id", "residency"))
    agree(nodes, wide, publication="placement_wide")
    late = keeper(american)
    settings(european, nodes, narrow, publication="placement_narrow")
    with european.connect("postgres") as connection:
        keeper(european).publish(connection)
    began = time.monotonic()
    late.look_after_streams()
    assert time.monotonic() - began < 10
    assert "to publish placement_wide" in late.stream_problems["from_eu"]
    assert late.seeded == []
    assert agree(nodes, narrow, publication="placement_narrow")["US"]
    late.read_settings()
    late.look_after_streams()
    assert late.stream_problems == {}
    eventually(lambda: american.rows(NARROW) == european.rows(NARROW), "orders without amounts")


def test_with_one_name_for_every_policy_an_older_one_leaks(nodes: list[MeshNode]) -> None:
    """The negative control of the test above, by what `placement_publishing=fixed` does."""
    european, american = nodes
    wide, narrow = narrower(("id", "residency", "amount")), narrower(("id", "residency"))
    fixed = {"publication": "placement", "keeps": False}
    agree(nodes, wide, **fixed)
    for node in nodes:
        settings(node, nodes, narrow, **fixed)
        keeper(node).look_after_streams()
    european.do("INSERT INTO orders (id, residency, amount) VALUES (77, 'EU', 12345)")
    leaked = "SELECT 1 FROM orders WHERE id = 77 AND amount = 12345"
    eventually(lambda: american.rows(leaked), "what may not cross any more")
