"""A deployment as plain JSON and back, without loss."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from testbed.topology.model import Deployment, Link, Node, Region, Topology
from testbed.topology.placement import Policy, policy_of

DOCUMENT_VERSION = 1


class DocumentError(ValueError):
    """A document is no deployment; the message says which field, and what to do."""


def to_document(deployment: Deployment) -> dict[str, Any]:
    """A deployment as plain JSON: mappings, lists, texts, numbers, booleans and null."""
    topology = deployment.topology
    return {
        "version": DOCUMENT_VERSION,
        "name": deployment.name,
        "folder": str(deployment.folder),
        "regions": [
            {"name": each.name, "jurisdiction": each.jurisdiction, "number": each.number}
            for each in topology.regions
        ],
        "links": [
            {
                "source": each.source,
                "target": each.target,
                "delay_ms": each.delay_ms,
                "jitter_ms": each.jitter_ms,
                "bandwidth_kbytes_s": each.bandwidth_kbytes_s,
            }
            for each in topology.links
        ],
        "nodes": [
            {
                "name": each.name,
                "region": each.region,
                "address": each.address,
                "groups": sorted(each.groups),
                "wan_ports": list(each.wan_ports),
            }
            for each in topology.nodes
        ],
        "variables": _plain(deployment.variables),
        "region_variables": {
            region: _plain(values) for region, values in deployment.region_variables.items()
        },
        "policy": None if deployment.policy is None else deployment.policy.document(),
    }


def from_document(document: Any) -> Deployment:
    """The deployment of a document that ``to_document`` wrote.

    Raises:
        DocumentError: It is none, or of a newer version.
    """
    reader = _Fields(document, "the document")
    version = reader.take("version", int)
    if version != DOCUMENT_VERSION:
        message = f"the document has version {version}, this testbed reads {DOCUMENT_VERSION}; "
        raise DocumentError(message + "use the testbed that wrote it")
    topology = Topology(
        regions=tuple(_region(each) for each in reader.rows("regions")),
        links=tuple(_link(each) for each in reader.rows("links")),
        nodes=tuple(_node(each) for each in reader.rows("nodes")),
    )
    regional = _Fields(reader.take("region_variables", dict), "region_variables")
    return Deployment(
        name=reader.take("name", str),
        folder=Path(reader.take("folder", str)),
        topology=topology,
        variables=_frozen(reader.take("variables", dict)),
        region_variables={name: _frozen(regional.take(name, dict)) for name in regional.names},
        policy=_policy(document.get("policy")),
    )


class _Fields:
    """The fields of one mapping of a document, each taken with its type."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise DocumentError(f"{where} is no mapping; write it again from the inventory")
        self._value: Mapping[str, Any] = value
        self._where = where

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._value)

    def take(self, name: str, *types: type) -> Any:
        if name not in self._value:
            raise DocumentError(f"{self._where} has no {name}; write it again from the inventory")
        value = self._value[name]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            wanted = " or ".join(each.__name__ for each in types)
            message = f"{name} in {self._where} is {type(value).__name__}, not {wanted}; "
            raise DocumentError(message + "write it again from the inventory")
        return value

    def rows(self, name: str) -> list[_Fields]:
        return [
            _Fields(each, f"{name}[{index}]") for index, each in enumerate(self.take(name, list))
        ]

    def texts(self, name: str) -> list[str]:
        return [str(each) for each in self.take(name, list)]

    def numbers(self, name: str) -> list[int]:
        values = self.take(name, list)
        if not all(isinstance(each, int) for each in values):
            raise DocumentError(f"{name} in {self._where} holds no numbers; write it again")
        return list(values)


def _region(row: _Fields) -> Region:
    return Region(row.take("name", str), row.take("jurisdiction", str), row.take("number", int))


def _link(row: _Fields) -> Link:
    return Link(
        source=row.take("source", str),
        target=row.take("target", str),
        delay_ms=row.take("delay_ms", int, float),
        jitter_ms=row.take("jitter_ms", int, float),
        bandwidth_kbytes_s=row.take("bandwidth_kbytes_s", int, type(None)),
    )


def _node(row: _Fields) -> Node:
    return Node(
        name=row.take("name", str),
        region=row.take("region", str),
        address=row.take("address", str),
        groups=frozenset(row.texts("groups")),
        wan_ports=tuple(row.numbers("wan_ports")),
    )


def _policy(document: Any) -> Policy | None:
    try:
        return None if document is None else policy_of(document)
    except (KeyError, TypeError, AttributeError) as error:
        message = f"policy is damaged ({error}); write it again from the inventory"
        raise DocumentError(message) from error


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Variables with their tuples as lists."""
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
    }


def _frozen(values: Mapping[str, Any]) -> dict[str, Any]:
    """Variables with their lists as tuples again."""
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
