"""An operator's change of a policy, with real servers: what the work `narrow_policy` does."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from faults.maintenance_site import Site
from faults.policy_edit import COLUMN, NarrowPolicy
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
    return Site(cast(Any, World(nodes)), cast(Any, servers[0]), "EU", cast(Any, topology))


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
