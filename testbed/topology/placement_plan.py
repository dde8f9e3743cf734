"""What each host does under a placement policy: drawn from the policy and the topology alone.

Servers publish what may cross, and nothing else; take over only in their jurisdiction's failover
regions; and are in one cluster with servers of their jurisdiction only. Stores keep backups of
their own jurisdiction. Mistakes made on purpose are in ``placement_mutants.py``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from testbed.topology.model import Node, Topology
from testbed.topology.placement import Policy

SERVERS, STORES = "postgres", "stores"
"""The groups of the hosts that have a part."""
EVERYWHERE = "everywhere"
"""The group, and the cluster, of servers that have what may be everywhere and nothing else."""


@dataclass(frozen=True, slots=True)
class Published:
    """What of a table is sent to other jurisdictions.

    Args:
        table: Its name.
        columns: Those of the list; empty for all.
        row_filter: In SQL; empty for all rows.
    """

    table: str
    columns: tuple[str, ...] = ()
    row_filter: str = ""


@dataclass(frozen=True, slots=True)
class ServerPart:
    """What a server does.

    Args:
        node: Its name.
        jurisdiction: Whose cluster it is in; ``everywhere`` for one that is of none.
        scope: That cluster's name in Patroni.
        takes_over: Whether it may become primary.
        publishes: What it sends to the other jurisdictions, when it is primary.
        peers: Addresses of the servers of each other jurisdiction.
        logs_statements: Whether it logs every statement with its values.
        ships_log_to: Address of the store that gets its log; empty for none.
        remembers: Prefix of a key in Consul that gets a customer's name; empty for none.
        publication: The name of what is sent, another one for each version of the policy.
    """

    node: str
    jurisdiction: str
    scope: str
    takes_over: bool
    publishes: tuple[Published, ...]
    peers: Mapping[str, tuple[str, ...]]
    logs_statements: bool = False
    ships_log_to: str = ""
    remembers: str = ""
    publication: str = ""


@dataclass(frozen=True, slots=True)
class StorePart:
    """What a store does.

    Args:
        node: Its name.
        jurisdiction: Where it is.
        backs_up: Addresses of the servers of each jurisdiction whose backups it makes and keeps:
            dumps, base backups and archived WAL.
        collects_logs: Whether it takes the lines of other hosts' logs.
        caches: Addresses of the servers whose rows it keeps in a cache; none for no cache.
        copies: Addresses of servers from which, and to which, it copies rows by hand; or none.
    """

    node: str
    jurisdiction: str
    backs_up: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    collects_logs: bool = False
    caches: tuple[str, ...] = ()
    copies: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class PlacementPlan:
    """What every host with a part does, by its name."""

    servers: Mapping[str, ServerPart]
    stores: Mapping[str, StorePart]

    def cluster(self, jurisdiction: str) -> tuple[ServerPart, ...]:
        """The servers of a jurisdiction's cluster."""
        return tuple(one for one in self.servers.values() if one.jurisdiction == jurisdiction)


def cluster_of(topology: Topology, node: Node) -> str:
    """The cluster that a server is in: the name of its jurisdiction, or ``EVERYWHERE``."""
    return EVERYWHERE if EVERYWHERE in node.groups else topology.region(node.region).jurisdiction


def publications(policy: Policy) -> tuple[Published, ...]:
    """What may cross, table by table; a table without anything that may cross is not there."""
    found = []
    for table in policy.tables.values():
        crossing = [
            one for one in policy.classes.values() if one.crosses and one.table == table.name
        ]
        if not crossing:
            continue
        columns = crossing[0].columns
        listed = () if set(columns) == set(table.columns) else columns
        filters = tuple(dict.fromkeys(one.row_filter for one in crossing))
        joined = "" if "" in filters else " OR ".join(filters)
        found.append(Published(table.name, listed, joined))
    return tuple(found)


def publication_of(crossing: tuple[Published, ...]) -> str:
    """The name of a publication: of what the policy lets cross, so that no other version has it."""
    text = json.dumps([asdict(one) for one in crossing], sort_keys=True)
    return f"placement_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def plan_of(policy: Policy, topology: Topology, scopes: Mapping[str, str]) -> PlacementPlan:
    """What every host does.

    Args:
        policy: Judged with this topology.
        topology: The deployment's.
        scopes: The name of the Patroni cluster of each region.
    """
    home = {region.name: region.jurisdiction for region in topology.regions}
    addresses = {
        name: tuple(
            node.address for node in topology.members(SERVERS) if cluster_of(topology, node) == name
        )
        for name in policy.jurisdictions
    }
    crossing = publications(policy)
    version = publication_of(crossing)

    def server(node: Node) -> ServerPart:
        if cluster_of(topology, node) == EVERYWHERE:
            return ServerPart(
                node.name, EVERYWHERE, EVERYWHERE, True, (), addresses, publication=version
            )
        jurisdiction = policy.jurisdictions[home[node.region]]
        return ServerPart(
            node=node.name,
            jurisdiction=jurisdiction.name,
            scope=scopes[node.region],
            takes_over=node.region in jurisdiction.failover,
            publishes=crossing,
            peers={name: those for name, those in addresses.items() if name != jurisdiction.name},
            publication=version,
        )

    def store(node: Node) -> StorePart:
        jurisdiction = policy.jurisdictions[home[node.region]]
        keeps = node.region in jurisdiction.backups
        own = {jurisdiction.name: addresses[jurisdiction.name]} if keeps else {}
        return StorePart(node.name, jurisdiction.name, own)

    return PlacementPlan(
        servers={node.name: server(node) for node in topology.members(SERVERS)},
        stores={node.name: store(node) for node in topology.members(STORES)},
    )
