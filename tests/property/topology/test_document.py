"""Any deployment survives plain JSON; any other JSON is refused with a message."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from testbed.topology.document import DocumentError, from_document, to_document
from testbed.topology.model import Deployment, Link, Node, Region, Topology

names = st.text("abcxyz019-", min_size=1, max_size=6)
numbers = st.integers(0, 10**9) | st.floats(0, 10**9)
values = st.none() | st.booleans() | numbers | st.text() | st.lists(names, max_size=3).map(tuple)
variables = st.dictionaries(names, values, max_size=3)
regions = st.builds(Region, names, st.text(), st.integers(1, 15))
links = st.builds(Link, names, names, numbers, numbers, st.none() | st.integers(1, 10**9))
nodes = st.builds(
    Node,
    names,
    names,
    st.integers(0, 255).map(lambda octet: f"10.77.1.{octet}"),
    st.frozensets(names, max_size=3),
    st.lists(st.integers(1, 65535), max_size=4).map(tuple),
)
deployments = st.builds(
    Deployment,
    names,
    names.map(Path),
    st.builds(
        Topology,
        st.lists(regions, max_size=4).map(tuple),
        st.lists(links, max_size=4).map(tuple),
        st.lists(nodes, max_size=4).map(tuple),
    ),
    variables,
    st.dictionaries(names, variables, max_size=3),
)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(deployments)
def test_lossless(deployment: Deployment) -> None:
    document = json.loads(json.dumps(to_document(deployment)))
    assert from_document(document) == deployment
    assert to_document(from_document(document)) == document


@given(json_values)
def test_other_json_is_refused(document: Any) -> None:
    with contextlib.suppress(DocumentError):
        from_document(document)


@given(deployments, st.data())
def test_spoilt_documents_are_read_or_refused(deployment: Deployment, data: st.DataObject) -> None:
    document: Any = json.loads(json.dumps(to_document(deployment)))
    place = document
    for _ in range(data.draw(st.integers(0, 3))):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        inner = [key for key in keys if isinstance(place[key], dict | list) and place[key]]
        if not inner:
            break
        place = place[data.draw(st.sampled_from(inner))]
    key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
    place[key] = data.draw(json_values)
    with contextlib.suppress(DocumentError):
        from_document(document)
