"""What process 1 of a world is told to build: plain data, JSON on its standard input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from testbed.topology.model import Topology
from testbed.world import addressing

INTERFACE = "eth0"
"""Name of a node's only network interface."""


@dataclass(frozen=True, slots=True)
class Room:
    """One node, or the wan, as process 1 builds it.

    Args:
        name: The node's name, which becomes its host name.
        logs: Existing folder outside the world, bound to ``/srv/log``.
        lower: Golden folder below ``/srv``, or None for an empty one.
        veth: Name of the wan's end of the cable; empty for the wan itself.
        bridge: Bridge of the node's region; empty for the wan itself.
        commands: ``ip -batch`` lines to run inside the room's network namespace.
    """

    name: str
    logs: str
    lower: str | None
    veth: str
    bridge: str
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A whole world as process 1 builds it.

    Args:
        hosts: Content of ``/etc/hosts`` in every room.
        wan: The wan's own room; its commands make the bridges.
        nodes: One room a node.
        ip: The program that makes interfaces.
    """

    hosts: str
    wan: Room
    nodes: tuple[Room, ...]
    ip: str

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @staticmethod
    def from_json(line: str) -> Blueprint:
        """The reverse of :meth:`to_json`."""
        document = json.loads(line)
        return Blueprint(
            hosts=document["hosts"],
            wan=_room(document["wan"]),
            nodes=tuple(_room(node) for node in document["nodes"]),
            ip=document["ip"],
        )


def _room(document: dict[str, object]) -> Room:
    commands = document.pop("commands")
    assert isinstance(commands, list)
    return Room(commands=tuple(commands), **document)  # type: ignore[arg-type]


def draw(topology: Topology, logs: Path, lowers: Mapping[str, Path], *, ip: Path) -> Blueprint:
    """The blueprint of a topology.

    Args:
        topology: Regions and nodes.
        logs: Folder with one folder a node and one for ``wan``.
        lowers: Golden folders for ``/srv`` by node.
        ip: The program of iproute2.
    """
    nodes = []
    for node in topology.nodes:
        region = topology.region(node.region)
        nodes.append(
            Room(
                name=node.name,
                logs=str(logs / node.name),
                lower=_lower(lowers, node.name),
                veth=f"v{region.number}-{node.address.rpartition('.')[2]}",
                bridge=f"region{region.number}",
                commands=(
                    "link set lo up",
                    f"addr add {node.address}/24 dev {INTERFACE}",
                    f"link set {INTERFACE} up",
                    f"route add default via {region.gateway}",
                ),
            )
        )
    wan = Room("wan", str(logs / "wan"), _lower(lowers, "wan"), "", "", _bridges(topology))
    return Blueprint(_hosts(topology), wan, tuple(nodes), str(ip))


def _lower(lowers: Mapping[str, Path], name: str) -> str | None:
    folder = lowers.get(name)
    return None if folder is None else str(folder.absolute())


def _hosts(topology: Topology) -> str:
    lines = ["127.0.0.1 localhost"]
    lines += [f"{node.address} {node.name}" for node in topology.nodes]
    return "\n".join(lines) + "\n"


def _bridges(topology: Topology) -> tuple[str, ...]:
    lines = ["link set lo up"]
    for region in topology.regions:
        bridge = f"region{region.number}"
        lines += [
            f"link add {bridge} type bridge stp_state 0",
            f"addr add {region.gateway}/24 dev {bridge}",
            f"link set {bridge} up",
        ]
    # Toxiproxy dials aliases: its source address is what the target's region sees of the client.
    for mark, link in addressing.marks(topology).items():
        source, target = topology.region(link.source), topology.region(link.target)
        lines.append(f"route add 10.78.{mark}.0/24 dev region{target.number} src {source.gateway}")
    return tuple(lines)
