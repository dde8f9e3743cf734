from __future__ import annotations

import json
from typing import Any

import pytest

from testbed.topology.document import DocumentError, from_document, to_document
from testbed.topology.inventory import deployments, load
from testbed.topology.shipped import inventories


@pytest.fixture
def document() -> dict[str, Any]:
    return to_document(load(inventories() / "active-passive"))


@pytest.mark.parametrize("name", deployments())
def test_shipped_deployments_survive_json(name: str) -> None:
    deployment = load(inventories() / name, {"synchronous_regions": "eu-west"})
    assert from_document(json.loads(json.dumps(to_document(deployment)))) == deployment


def test_a_newer_version_is_refused(document: dict[str, Any]) -> None:
    document["version"] = 2
    with pytest.raises(
        DocumentError, match="version 2, this testbed reads 1; use the testbed that"
    ):
        from_document(document)


@pytest.mark.parametrize("field", ["version", "name", "folder", "regions", "nodes", "variables"])
def test_a_missing_field(document: dict[str, Any], field: str) -> None:
    del document[field]
    with pytest.raises(DocumentError, match=f"the document has no {field}; write it again"):
        from_document(document)


@pytest.mark.parametrize(
    ("rows", "field", "value", "message"),
    [
        ("regions", "number", True, r"number in regions\[0\] is bool, not int"),
        ("links", "delay_ms", "35", r"delay_ms in links\[0\] is str, not int or float"),
        ("nodes", "wan_ports", ["x"], r"wan_ports in nodes\[0\] holds no numbers"),
        ("nodes", "groups", None, r"groups in nodes\[0\] is NoneType, not list"),
    ],
)
def test_a_wrong_type(
    document: dict[str, Any], rows: str, field: str, value: object, message: str
) -> None:
    document[rows][0][field] = value
    with pytest.raises(DocumentError, match=message):
        from_document(document)


@pytest.mark.parametrize("document", [None, [], "x", 1])
def test_no_mapping(document: object) -> None:
    with pytest.raises(DocumentError, match="no mapping"):
        from_document(document)
