"""Jurisdictions without a world: servers on sockets, and what the role `placement` does to them."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import jinja2

from testbed.topology.inventory import find, load
from testbed.topology.placement_hosts import placement_variables
from testbed.topology.placement_plan import Published
from tests.live.roles.conftest import role_folder
from tests.live.roles.mesh_nodes import MeshNode

sys.path.insert(0, str(role_folder("placement") / "files"))
placement_apply: Any = importlib.import_module("placement_apply")
placement_keeper: Any = importlib.import_module("placement_keeper")
placement_publication: Any = importlib.import_module("placement_publication")
placement_seed: Any = importlib.import_module("placement_seed")
placement_way: Any = importlib.import_module("placement_way")

PARTS = {
    values["placement_part"]["jurisdiction"]: values["placement_part"]
    for values in placement_variables(load(find("data-placement"))).values()
    if "placement_part" in values
}
"""What a server of each jurisdiction does in the shipped deployment."""


def settings(
    node: MeshNode, nodes: Sequence[MeshNode], publishes: Sequence[Published] = (), **others: Any
) -> dict[str, Any]:
    """As ``placement.json`` has them, which is written too; a node's region is its jurisdiction."""
    part = {**PARTS[node.region], "peers": {
        one.region: [str(one.folder)] for one in nodes if one is not node
    }}  # fmt: skip
    if publishes:
        part["publishes"] = [asdict(one) for one in publishes]
    templates = jinja2.FileSystemLoader(role_folder("placement") / "templates")
    environment = jinja2.Environment(loader=templates, undefined=jinja2.StrictUndefined)
    schema = node.folder / "schema.sql"
    schema.write_text(environment.get_template("schema.sql.j2").render(placement_part=part))
    document = {
        "address": "127.0.0.1",
        "socket": str(node.folder),
        "schema": str(schema),
        "log": str(node.folder / "log"),
        "streaming": "parallel",
        "publication": "placement_one",
        "keeps": True,
        "mutant": "none",
        "part": part,
        **others,
    }
    (node.folder / "placement.json").write_text(json.dumps(document))
    return document


def agree(nodes: Sequence[MeshNode], *given: Any, **others: Any) -> dict[str, list[str]]:
    """What the playbook does on every jurisdiction at once; the changes of each."""

    def one(node: MeshNode) -> list[str]:
        placement = placement_apply.Placement(settings(node, nodes, *given, **others), check=False)
        with placement.connection:
            placement.agree()
        return list(placement.changes)

    with ThreadPoolExecutor() as pool:
        return dict(zip([node.region for node in nodes], pool.map(one, nodes), strict=True))


def keeper(node: MeshNode) -> Any:
    """The keeper of a node, which does nothing by itself yet."""
    return placement_keeper.Keeper(node.folder / "placement.json")
