"""Random inventories: good ones are read exactly; spoilt ones are refused with file and line."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from testbed.topology.catalogue import read_catalogue
from testbed.topology.document import from_document, to_document
from testbed.topology.inventory import inspect, load
from testbed.topology.model import Link, Node, Region, Topology
from testbed.topology.problem import InventoryError, Problem
from testbed.topology.shipped import inventories

CATALOGUE = read_catalogue(inventories() / "variables", [])
GROUP_PORTS = {"consul": {8300, 8301}, "postgres": {5432, 8008}, "observers": {7400}}
FILES = ("hosts.yml", "group_vars/all.yml")
_RESERVED = {"all", "localhost", "regions", "ungrouped", "wan", "haproxy", *GROUP_PORTS}

names = st.from_regex(r"[a-z]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True).filter(
    lambda name: name not in _RESERVED and yaml.safe_load(name) == name
)
jurisdictions = st.sampled_from(["EU", "US", "UK", "Genève", "no man's land"])


@st.composite
def topologies(draw: st.DrawFn, regions_max: int) -> Topology:
    """Two regions or more with a link each way, and one to three nodes in each."""
    count = draw(st.integers(2, regions_max))
    unlike = lambda name: name.replace("-", "_")  # noqa: E731 - group names must differ as well
    every = draw(st.lists(names, min_size=count, max_size=count, unique_by=unlike))
    regions = [
        Region(name, draw(jurisdictions), number) for number, name in enumerate(every, start=1)
    ]
    links = []
    for source in every:
        for target in every:
            if source != target:
                delay_ms = draw(st.integers(0, 400))
                bandwidth = draw(st.none() | st.integers(1, 10**6))
                jitter_ms = draw(st.integers(0, delay_ms))
                links.append(Link(source, target, delay_ms, jitter_ms, bandwidth))
    nodes = [node for region in regions for node in draw(nodes_of(region))]
    return Topology(tuple(regions), tuple(links), tuple(nodes))


@st.composite
def nodes_of(draw: st.DrawFn, region: Region) -> list[Node]:
    count = draw(st.integers(1, 3))
    octets = draw(st.lists(st.integers(10, 254), min_size=count, max_size=count, unique=True))
    nodes = []
    for index, octet in enumerate(octets):
        groups = set(draw(st.sets(st.sampled_from(["haproxy", "observers", "consul"]), min_size=1)))
        if "consul" in groups and draw(st.booleans()):
            groups.add("postgres")
        ports = {port for group in groups for port in GROUP_PORTS.get(group, set())}
        ports |= draw(st.sets(st.integers(1, 65535), max_size=3))
        address = f"10.77.{region.number}.{octet}"
        # Two dashes: never the name of a region.
        name = f"{region.name}--n{index}"
        nodes.append(Node(name, region.name, address, frozenset(groups), tuple(sorted(ports))))
    return nodes


def hosts_document(topology: Topology) -> dict[str, Any]:
    """A topology as ``hosts.yml``."""
    regions = {
        region.name.replace("-", "_"): {
            "vars": {"region": region.name, "jurisdiction": region.jurisdiction},
            "hosts": {
                node.name: {"address": node.address, "wan_ports": list(node.wan_ports)}
                for node in topology.nodes
                if node.region == region.name
            },
        }
        for region in topology.regions
    }
    groups = {
        group: {"hosts": {node.name: None for node in topology.members(group)}}
        for group in ("consul", "haproxy", "observers", "postgres")
        if topology.members(group)
    }
    wan = {"hosts": {"wan": None}}
    return {"all": {"children": {"regions": {"children": regions}, **groups, "wan": wan}}}


def all_document(topology: Topology) -> dict[str, Any]:
    """A topology's links as ``group_vars/all.yml``."""
    links: dict[str, dict[str, Any]] = {}
    for link in topology.links:
        fields: dict[str, Any] = {"delay_ms": link.delay_ms, "jitter_ms": link.jitter_ms}
        if link.bandwidth_kbytes_s is not None:
            fields["bandwidth_kbytes_s"] = link.bandwidth_kbytes_s
        links.setdefault(link.source, {})[link.target] = fields
    return {"ansible_connection": "testbed.core.namespace", "links": links}


@contextmanager
def folder_of(contents: dict[str, str | bytes]) -> Iterator[Path]:
    """An inventory folder of some files."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "drawn"
        (folder / "group_vars").mkdir(parents=True)
        for file, content in contents.items():
            data = content.encode() if isinstance(content, str) else content
            (folder / file).write_bytes(data)
        yield folder


def dump(document: Any) -> str:
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def shipped(name: str = "active-passive") -> dict[str, str | bytes]:
    return {file: (inventories() / name / file).read_text() for file in FILES}


def lines_of(path: Path) -> int:
    """How many lines YAML counts in a file."""
    text = path.read_bytes().decode("utf-8", "replace")
    return len(re.split("\r\n|[\n\r\x85\u2028\u2029]", text))


def assert_read_or_refused(contents: dict[str, str | bytes]) -> bool:
    """Whether it was refused; every problem must name a file of the folder and a line of it."""
    with folder_of(contents) as folder:
        problems: tuple[Problem, ...] = ()
        try:
            load(folder, catalogue=CATALOGUE)
        except InventoryError as error:
            problems = error.problems
            refused = True
        else:
            refused = False
        assert bool(problems) is refused
        for problem in problems:
            path = Path(problem.place.file)
            assert path in [folder / file for file in FILES]
            assert problem.place.line is not None
            assert 1 <= problem.place.line <= lines_of(path)
            assert problem.message
            assert problem.remedy
            assert "\n" not in str(problem)
    return refused


@settings(max_examples=15)  # 210 links take their time
@given(topologies(regions_max=15))
def test_a_valid_topology_is_read_exactly(topology: Topology) -> None:
    files: dict[str, str | bytes] = {
        "hosts.yml": dump(hosts_document(topology)),
        "group_vars/all.yml": dump(all_document(topology)),
    }
    with folder_of(files) as folder:
        inspection = inspect(folder, catalogue=CATALOGUE)
        assert inspection.problems == ()
        assert inspection.deployment is not None
        assert inspection.deployment.topology == topology
        assert from_document(to_document(inspection.deployment)) == inspection.deployment


def paths_in(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to every value of a document."""
    if above:
        yield above
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_in(inner, (*above, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths_in(inner, (*above, index))


odd_keys = names | st.text(max_size=5) | st.integers() | st.none() | st.booleans()
odd_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.dates()
    | st.binary(max_size=5)
    | st.sampled_from(
        ["50ms", "10.77.1.10", "eu-west", "us-east-db1", "-1", "0x10", "1_0", "1:30"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_keys, inner, max_size=3),
    max_leaves=4,
)


@given(st.sampled_from(FILES), st.data())
def test_a_spoilt_document_is_read_or_refused(file: str, data: st.DataObject) -> None:
    contents = shipped(
        data.draw(st.sampled_from(["active-passive", "active-passive-standby-cluster"]))
    )
    document = yaml.safe_load(contents[file])
    for _ in range(data.draw(st.integers(1, 3))):
        paths = list(paths_in(document))
        assume(paths)
        *way, key = data.draw(st.sampled_from(paths))
        place = document
        for step in way:
            place = place[step]
        change = data.draw(st.sampled_from(["drop", "replace", "rename", "add"]))
        value = place[key]
        if change == "replace":
            place[key] = data.draw(odd_values)
        elif change == "add" and isinstance(value, dict):
            value[data.draw(odd_keys)] = data.draw(odd_values)
        elif change == "add" and isinstance(value, list):
            value.append(data.draw(odd_values))
        else:
            del place[key]
            if change == "rename" and isinstance(place, dict):
                place[data.draw(odd_keys)] = value
    contents[file] = dump(document)
    assert_read_or_refused(contents)


@given(st.sampled_from(FILES), st.data())
def test_a_spoilt_text_is_read_or_refused(file: str, data: st.DataObject) -> None:
    contents = shipped()
    text = contents[file]
    assert isinstance(text, str)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 30))
        piece = data.draw(
            st.text(max_size=8)
            | st.text("\t\n :-{}[]&*!|>'\"%@`,#?<~0123456789", max_size=8)
            | st.sampled_from(
                ["\n---\n", "<<: *x", "&a ", "*a", "!!python/object:os.system ", "\x00"]
            )
        )
        text = text[:start] + piece + text[start + length :]
    contents[file] = text.encode("utf-8", "surrogatepass")
    assert_read_or_refused(contents)


@given(st.sampled_from(FILES), st.data())
def test_spoilt_lines_are_read_or_refused(file: str, data: st.DataObject) -> None:
    contents = shipped()
    text = contents[file]
    assert isinstance(text, str)
    lines = text.splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 4))):
        one, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        change = data.draw(st.sampled_from(["drop", "double", "swap", "shift", "move"]))
        if change == "drop":
            del lines[one]
        elif change == "double":
            lines.insert(one, lines[one])
        elif change == "swap":
            lines[one], lines[other] = lines[other], lines[one]
        elif change == "move":
            lines.insert(other, lines.pop(one))
        else:
            lines[one] = data.draw(st.sampled_from([" ", "  ", "\t", "- "])) + lines[one]
    contents[file] = "".join(lines)
    assert_read_or_refused(contents)


@given(st.sampled_from(FILES), st.binary(max_size=300))
def test_any_bytes_are_refused(file: str, content: bytes) -> None:
    contents = shipped()
    contents[file] = content
    assert assert_read_or_refused(contents)


@settings(max_examples=15)
@given(topologies(regions_max=5), st.data())
def test_a_missing_link_is_refused(topology: Topology, data: st.DataObject) -> None:
    document = all_document(topology)
    link = data.draw(st.sampled_from(topology.links))
    del document["links"][link.source][link.target]
    files: dict[str, str | bytes] = {
        "hosts.yml": dump(hosts_document(topology)),
        "group_vars/all.yml": dump(document),
    }
    assert assert_read_or_refused(files)


@settings(max_examples=15)
@given(topologies(regions_max=5), st.data())
def test_a_taken_address_is_refused(topology: Topology, data: st.DataObject) -> None:
    assume(len(topology.nodes) > 1)
    one, other = data.draw(st.permutations(topology.nodes).map(lambda nodes: nodes[:2]))
    document = hosts_document(topology)
    group = document["all"]["children"]["regions"]["children"][one.region.replace("-", "_")]
    group["hosts"][one.name]["address"] = other.address
    files: dict[str, str | bytes] = {
        "hosts.yml": dump(document),
        "group_vars/all.yml": dump(all_document(topology)),
    }
    assert assert_read_or_refused(files)
