"""An operator's change of a policy, with real servers: what the work `narrow_policy` does."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from faults.edited_policy import EditedPolicy
from faults.maintenance_site import Site
from faults.policy_edit import COLUMN, NarrowPolicy
from testbed.topology.inventory import find, load
from testbed.topology.placement_edits import EDITS
from tests.live.roles.conftest import role_folder
from tests.live.roles.mesh_nodes import MeshNode, eventually, make_nodes
from tests.live.roles.placement_nodes import agree

pytestmark = pytest.mark.live


@dataclass(frozen=True)
class World:
    """Runs what is run on a node, with its own folders in the place of a node's."""

    nodes: list[MeshNode]

    def execute(self, name: str, argv: list[str], timeout_s: float) -> Any:
        (node,) = (one for one in self.nodes if one.region == name)
        files = role_folder("placement") / "files"
        script = argv[-1].replace("/srv/placement/placement.json", f"{node.folder}/placement.json")
        script = script.replace("/srv/placement", str(files))
        return subprocess.run([*argv[:-1], script], capture_output=True, timeout=timeout_s,
                              check=False)  # fmt: skip


@pytest.fixture
def nodes(testbed_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[MeshNode]]:
    made = make_nodes(testbed_data, tmp_path_factory.mktemp("e"), ["EU", "US"],
                      shared_preload_libraries="pg_stat_statements")  # fmt: skip
    try:
        agree(made)
        yield made
    finally:
        for node in made:
            node.stop()


def site_of(nodes: list[MeshNode]) -> Site:
    """The European primary, of a topology with nothing but what the work asks of it."""
    servers = tuple(
        SimpleNamespace(name=one.region, address=str(one.folder), region=one.region,
                        groups={"postgres", "placement"})
        for one in nodes
    )  # fmt: skip
    topology = SimpleNamespace(
        members=lambda _group: servers, region=lambda name: SimpleNamespace(jurisdiction=name)
    )
    policy = load(find("data-placement")).policy
    return Site(cast(Any, World(nodes)), cast(Any, servers[0]), "EU", cast(Any, topology), policy)


def test_a_policy_is_made_narrow_on_the_server_that_takes_over(
    nodes: list[MeshNode], tmp_path: Path
) -> None:
    """It has the wide publication still, and there is no primary when the operator begins."""
    european, american = nodes
    site, work = site_of(nodes), NarrowPolicy()
    asyncio.run(work.do(site))
    european.stop()
    standby = european.copy_to(tmp_path / "standby")
    taking_over = threading.Timer(2.0, european.become, [standby])
    taking_over.start()
    try:
        asyncio.run(work.undo(site))
    finally:
        taking_over.join()
    assert asyncio.run(work.count(site)) == 0
    assert "_wide" not in (american.folder / "placement.json").read_text()
    european.do("INSERT INTO orders (id, residency) VALUES (2, 'EU')")
    eventually(lambda: american.rows("SELECT 1 FROM orders WHERE id = 2"), "its stream goes on")


def test_a_policy_is_made_wide_and_narrow_again_and_plays(nodes: list[MeshNode]) -> None:
    european, american = nodes
    site, work = site_of(nodes), NarrowPolicy()
    before = (american.folder / "placement.json").read_text()
    asyncio.run(work.do(site))
    assert asyncio.run(work.count(site)) == 1
    european.do(f"INSERT INTO orders (id, residency, {COLUMN}) VALUES (1, 'EU', 'wide')")
    crossed = f"SELECT {COLUMN} FROM orders WHERE id = 1"
    eventually(lambda: american.rows(crossed) == [("wide",)], "what may cross for now")
    asyncio.run(work.undo(site))
    assert asyncio.run(work.count(site)) == 0
    assert (american.folder / "placement.json").read_text() == before
    european.do("INSERT INTO orders (id, residency) VALUES (2, 'EU')")
    eventually(lambda: american.rows("SELECT 1 FROM orders WHERE id = 2"), "its stream goes on")
    assert agree(nodes) == {"EU": [], "US": []}
    asyncio.run(work.undo(site))


PSEUDONYM = "00000000-0000-0000-0000-00000000000"
ORDER = "INSERT INTO orders VALUES ({0}, '{1}', '" + PSEUDONYM + "{0}', {0}, 'Street {0}')"
WHOLE = "SELECT id, pseudonym IS NOT NULL, amount IS NOT NULL, delivery_address FROM orders"


@pytest.mark.parametrize(
    ("name", "american", "european"),
    [
        # Rows of Europe that America has, and those of America that Europe has.
        ("pin_rows", [(1, True, True, None), (3, True, True, None)], []),
        ("pin_columns", [(1, False, False, None), (3, False, False, None)], []),
        ("pin_table", [], []),
        (
            "free_columns",
            [(1, True, True, "Street 1"), (3, True, True, "Street 3")],
            [(2, True, True, "Street 2"), (4, True, True, "Street 4")],
        ),
    ],
)
def test_an_edge_case_is_in_force_until_it_is_taken_back(
    nodes: list[MeshNode], name: str, american: list[Any], european: list[Any]
) -> None:
    """What crossed before it, what is written under it, and what is there again after it."""
    europe, america = nodes
    site, work = site_of(nodes), EditedPolicy(EDITS[name])
    europe.do(ORDER.format(1, "EU"))
    america.do(ORDER.format(2, "US"))
    there = f"{WHOLE} WHERE residency = 'EU' ORDER BY 1"
    here = f"{WHOLE} WHERE residency = 'US' ORDER BY 1"
    eventually(lambda: america.rows(there) == [(1, True, True, None)], "as by the policy")
    eventually(lambda: europe.rows(here) == [(2, True, True, None)], "as by the policy")
    asyncio.run(work.do(site))
    assert asyncio.run(work.count(site)) == 1
    europe.do(ORDER.format(3, "EU"))
    america.do(ORDER.format(4, "US"))
    europe.do("INSERT INTO products (id) VALUES (1)")
    america.do("INSERT INTO products (id) VALUES (2)")

    def has_both(one: MeshNode) -> bool:
        return bool(one.rows("SELECT id FROM products ORDER BY 1") == [(1,), (2,)])

    for one in nodes:
        eventually(partial(has_both, one), "what still may cross")
    eventually(lambda: america.rows(there) == american, f"America has {america.rows(there)}")
    eventually(lambda: europe.rows(here) == european, f"Europe has {europe.rows(here)}")
    asyncio.run(work.undo(site))
    assert asyncio.run(work.count(site)) == 0
    back = [(1, True, True, None), (3, True, True, None)]
    eventually(lambda: america.rows(there) == back, f"America has {america.rows(there)}")
    back = [(2, True, True, None), (4, True, True, None)]
    eventually(lambda: europe.rows(here) == back, f"Europe has {europe.rows(here)}")
    assert agree(nodes) == {"EU": [], "US": []}
    asyncio.run(work.undo(site))
