"""How a world is: its nodes with their programs, and what is seen from inside its network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed.clients.catalogue import SYSTEMS, system_of
from testbed.probes.snapshot import DataNode, LinkStatus, Snapshot, from_document
from testbed.provision.error import ProvisionError
from testbed.provision.programs import ProgramState, running
from testbed.topology.model import Topology
from testbed.world.finding import Condition, Sighting, ended
from testbed.world.namespaces import WAN, NamespaceWorld

_SNAPSHOT_S_MAX = 30.0


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """A node of a world.

    Args:
        name: Its name, or ``wan``.
        region: Where it stands; empty for the wan.
        address: Its address; empty for the wan.
        programs: What was provisioned on it.
        data: Its part in the database, or None where it has none.
        consul: ``leader``, ``follower``, ``no leader known``, or empty without a Consul server.
        problem: Why its programs are not known; empty when they are.
    """

    name: str
    region: str
    address: str
    programs: tuple[ProgramState, ...] = ()
    data: DataNode | None = None
    consul: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class WorldStatus:
    """A world.

    Args:
        name: Its name.
        condition: ``starting``, ``running`` or ``ended``.
        deployment: Name of the deployment that it was made of.
        variables: That deployment's variables.
        process1: Process 1 of the world; None while there is none yet.
        keeper: The living process that it dies with; None for one that lives by itself.
        age_s: Seconds since it was made.
        logs: The folder of its logs.
        jurisdictions: The legal area of each region, in the inventory's order.
        entrances: By region: ``writer`` and ``reader`` with address and port.
        nodes: Every node, then the wan; none unless it runs.
        links: Every directed link; none unless it runs.
        problems: What is not as it should be, a sentence each.
    """

    name: str
    condition: str
    deployment: str
    variables: Mapping[str, Any]
    process1: int | None
    keeper: int | None
    age_s: float
    logs: Path
    jurisdictions: Mapping[str, str]
    entrances: Mapping[str, Mapping[str, str]]
    nodes: tuple[NodeStatus, ...] = ()
    links: tuple[LinkStatus, ...] = ()
    problems: tuple[str, ...] = field(default=())


def entrances(topology: Topology) -> dict[str, dict[str, str]]:
    """Where the clients of each region enter: ``writer`` and ``reader`` as ``ADDRESS:PORT``."""
    found: dict[str, dict[str, str]] = {region.name: {} for region in topology.regions}
    for entry in SYSTEMS[system_of(topology)].entries(topology):
        found[entry.region][entry.name] = f"{entry.host}:{entry.port}"
    return found


def status(sighting: Sighting) -> WorldStatus:
    """Look at a world once; one that does not run is described as it is remembered."""
    nodes: tuple[NodeStatus, ...] = ()
    links: tuple[LinkStatus, ...] = ()
    problems: tuple[str, ...] = ()
    if sighting.condition is Condition.ENDED:
        problems = (f"World {sighting.world.name} {ended(sighting)}.",)
    elif sighting.condition is Condition.STARTING:
        problems = (f"World {sighting.world.name} is still being created.",)
    else:
        nodes, links, problems = _seen(sighting.world)
    topology, process1 = sighting.world.topology, sighting.remembered.process1
    return WorldStatus(
        name=sighting.world.name,
        condition=sighting.condition.value,
        deployment=sighting.world.deployment,
        variables=sighting.world.variables,
        process1=process1.pid if process1 is not None else None,
        keeper=sighting.keeper,
        age_s=round(sighting.age_s, 1),
        logs=sighting.world.logs,
        jurisdictions={region.name: region.jurisdiction for region in topology.regions},
        entrances=entrances(topology),
        nodes=nodes,
        links=links,
        problems=problems,
    )


def _seen(
    world: NamespaceWorld,
) -> tuple[tuple[NodeStatus, ...], tuple[LinkStatus, ...], tuple[str, ...]]:
    """Nodes, links and problems of a running world."""
    names = [*(node.name for node in world.topology.nodes), WAN]
    with ThreadPoolExecutor(max_workers=len(names) + 1) as pool:
        asked = pool.submit(_snapshot, world)
        programs = dict(
            zip(names, pool.map(lambda name: _programs(world, name), names), strict=True)
        )
        snapshot, problems = asked.result()
    data = {node.node: node for node in snapshot.data_nodes}
    nodes = [
        NodeStatus(
            name=node.name,
            region=node.region,
            address=node.address,
            programs=programs[node.name][0],
            data=data.get(node.name),
            consul=_part_in_consul(node.name, snapshot.consul_leaders),
            problem=programs[node.name][1],
        )
        for node in world.topology.nodes
    ]
    nodes.append(NodeStatus(WAN, "", "", programs[WAN][0], problem=programs[WAN][1]))
    found = (*problems, *snapshot.problems, *_poor(nodes), *_disturbed(snapshot.links))
    return tuple(nodes), snapshot.links, found


def _poor(nodes: Iterable[NodeStatus]) -> Iterator[str]:
    """The programs that do not work, a sentence each."""
    for node in nodes:
        for program in node.programs:
            if program.pid is None:
                yield f"{node.name}: {program.name} does not run"
            elif not program.healthy:
                yield f"{node.name}: {program.name} runs but is not healthy"


def _disturbed(links: Iterable[LinkStatus]) -> Iterator[str]:
    """The links that something was done to, a sentence each."""
    for link in links:
        if link.cut:
            yield f"{link.source} -> {link.target}: cut"
        if link.toxics:
            yield f"{link.source} -> {link.target}: {', '.join(link.toxics)}"


def _programs(world: NamespaceWorld, node: str) -> tuple[tuple[ProgramState, ...], str]:
    try:
        return running(world, node), ""
    except ProvisionError as error:
        return (), str(error)


def _part_in_consul(node: str, leaders: Mapping[str, str | None]) -> str:
    if node not in leaders:
        return ""
    if leaders[node] is None:
        return "no leader known"
    return "leader" if leaders[node] == node else "follower"


def _snapshot(world: NamespaceWorld) -> tuple[Snapshot, tuple[str, ...]]:
    """What a process inside the world's network sees, or why there is nothing of it."""
    command = [sys.executable, "-m", "testbed.probes.look", world.name]
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    try:
        done = subprocess.run(
            world.network_argv(WAN, command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            timeout=_SNAPSHOT_S_MAX,
            check=False,
        )
        return from_document(json.loads(done.stdout)), ()
    except subprocess.TimeoutExpired:
        problem = f"the world's network did not answer within {_SNAPSHOT_S_MAX:.0f} s"
    except (ValueError, KeyError, TypeError):
        last = done.stderr.strip().splitlines()[-1:] or ["nothing was printed"]
        problem = f"the world's network could not be looked at: {last[0]}"
    return Snapshot((), {}, (), ()), (problem,)
