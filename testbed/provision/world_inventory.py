"""The inventory that tells Ansible how to reach the nodes of a running world.

It is read after the deployment's own inventory and adds to it: each node's address, the words that
enter the node, the deployment's variables after ``--set``, and where the real programs are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import testbed
from testbed.provision.certificates import certificate_of
from testbed.topology.document import to_document
from testbed.topology.model import Deployment
from testbed.topology.placement_hosts import placement_variables
from testbed.world.protocol import World

CERTIFIED = "testbed.internal"
"""The name of the certificate that programs of a world show each other."""

LOG_FOLDER = "/srv/log"
"""Where a node's programs log: a folder that lies outside the world and survives it."""


def write_world_inventory(
    folder: Path, world: World, deployment: Deployment, programs: Mapping[str, str]
) -> Path:
    """Write the inventory below a folder, replacing an older one.

    Args:
        folder: The world's private folder; gets ``inventory/``.
        world: Says how to enter its nodes.
        deployment: Its topology and variables.
        programs: Variables that say where the programs are, as ``program_variables`` gives them.

    Returns:
        The inventory's folder, an argument for ``ansible-playbook -i``.
    """
    placed = placement_variables(deployment)
    hosts: dict[str, dict[str, Any]] = {
        node.name: {
            **deployment.region_variables.get(node.region, {}),
            **placed.get(node.name, {}),
            "address": node.address,
            "region": node.region,
            "testbed_node_prefix": world.argv(node.name, []),
        }
        for node in deployment.topology.nodes
    }
    hosts["wan"] = {
        "deployment_document": json.dumps(to_document(deployment)),
        "testbed_node_prefix": world.argv("wan", []),
        "testbed_package_folder": str(Path(testbed.__file__).resolve().parent.parent),
    }
    own = certificate_of(CERTIFIED)
    variables = {
        **deployment.variables,
        **programs,
        "log_folder": LOG_FOLDER,
        "own_certificate": own.certificate,
        "own_certificate_key": own.key,
    }
    inventory = folder / "inventory"
    (inventory / "group_vars").mkdir(parents=True, exist_ok=True)
    # JSON is YAML, and keeps every value's type.
    (inventory / "hosts.yml").write_text(json.dumps({"all": {"hosts": hosts}}, indent=1))
    (inventory / "group_vars" / "all.yml").write_text(json.dumps(variables, indent=1))
    return inventory
