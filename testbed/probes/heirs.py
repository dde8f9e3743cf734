"""Which servers may become primary of which jurisdiction's cluster, as Patroni has it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from testbed.probes.json_source import JsonSource
from testbed.topology.model import Topology
from testbed.topology.placement_plan import EVERYWHERE, cluster_of

_PATRONI_PORT = 8008
_TRIES = 10
_AGAIN_S = 0.5


async def heirs_of(topology: Topology) -> tuple[tuple[str, str], ...]:
    """Every node that is primary, or may become it, with the jurisdiction of its primary.

    Patroni is asked again for a while: after all nodes stood still it may not answer at once.
    """
    source = JsonSource()
    clusters = {node: cluster_of(topology, node) for node in topology.members("postgres")}
    # The cluster of what may be everywhere has no primary of anything pinned.
    nodes = [node for node, cluster in clusters.items() if cluster != EVERYWHERE]
    homes = {node.name: clusters[node] for node in nodes}
    try:
        for _ in range(_TRIES):
            answers = await asyncio.gather(
                *(source.get(f"http://{node.address}:{_PATRONI_PORT}/cluster") for node in nodes)
            )
            found = heirs(answers, homes)
            if {of for _, of in found} == {homes[node.name] for node in nodes}:
                break
            await asyncio.sleep(_AGAIN_S)
    finally:
        await source.close()
    return found


def heirs(
    clusters: Iterable[Mapping[str, Any] | None], homes: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """The same from what Patroni answers at ``/cluster``.

    Args:
        clusters: An answer of each node; several are of one cluster.
        homes: Jurisdiction by node.
    """
    found: dict[tuple[str, str], None] = {}
    for cluster in clusters:
        members = (cluster or {}).get("members", ())
        leader = next((str(one["name"]) for one in members if one.get("role") == "leader"), "")
        for one in members if leader in homes else ():
            if not one.get("tags", {}).get("nofailover"):
                found[str(one["name"]), homes[leader]] = None
    return tuple(found)
