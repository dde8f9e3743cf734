"""Canaries in everything that crossed the wan, link by link."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from testbed.history.residency import Finding, Found, OnWire, Searched, Unsearchable
from testbed.probes.at_rest import Blocks, Hit, outermost
from testbed.probes.byte_kernel import Bytes, Rows
from testbed.probes.capture import Capture, read_capture
from testbed.probes.flows import Flow, flows_of
from testbed.probes.lzw import messages
from testbed.probes.patterns import Pattern
from testbed.probes.protocols import SERVER, STREAMED, Carriers, direction_of, encrypted
from testbed.probes.scanner import Scanner
from testbed.topology.model import Topology

_PAGE = 8192


def search_in_motion(
    folder: Path, topology: Topology, patterns: Sequence[Pattern], *, begun_ns: int = 0
) -> Found:
    """Look for canaries in what a tap recorded.

    Args:
        folder: Of a tap that was stopped.
        topology: Of the world that it recorded.
        patterns: What to look for.
        begun_ns: The monotonic time at which the run began; findings count from it.

    Raises:
        ValueError: There is no pattern.
    """
    scanner = Scanner(patterns)
    found = Found()
    for region in topology.regions:
        recorded = read_capture(folder, region.name)
        by_link = _by_link(topology, region.name, recorded)
        for link, flows in by_link.items():
            found += _search_link(link, flows, recorded, scanner, begun_ns)
    return found


def _by_link(topology: Topology, source: str, recorded: Capture) -> dict[str, list[Flow]]:
    """The flows of each directed link that a region sends into."""
    networks = {region.name: ipaddress.IPv4Network(region.network) for region in topology.regions}
    links: dict[str, list[Flow]] = {f"{source}->{name}": [] for name in networks if name != source}
    for flow in flows_of(recorded):
        target = ipaddress.IPv4Address(flow.target)
        for name, network in networks.items():
            if target in network and name != source:
                links[f"{source}->{name}"].append(flow)
    return links


def _search_link(
    link: str, flows: Sequence[Flow], recorded: Capture, scanner: Scanner, begun_ns: int
) -> Found:
    blocks = Blocks(scanner)
    unsearchable = [Unsearchable(link, problem) for problem in recorded.problems]
    findings: list[Finding] = []
    by_name: dict[str, tuple[Flow, Carriers]] = {}
    for flow in flows:
        carriers = Carriers(flow)
        by_name[flow.name] = flow, carriers
        if reason := _unverifiable(flow):
            unsearchable.append(Unsearchable(flow.name, reason))
        hits = blocks.search(flow.data, flow.name)
        if len(flow.data):
            hits += [*_streamed(flow, carriers, blocks), *_gossiped(flow, blocks)]
        named = outermost((flow.name, hit) for hit in hits)
        findings += [_finding(link, flow, carriers, hit, begun_ns) for _, hit in named]
    for name, hit in blocks.joined():
        if known := by_name.get(re.split("[!/]", name)[0]):
            findings.append(_finding(link, *known, hit, begun_ns))
    searched = Searched(
        place=link,
        kind="in motion",
        files=len(flows),
        bytes=sum(len(flow.data) for flow in flows),
        unpacked_bytes=blocks.unpacked_bytes,
        packets=sum(flow.packets for flow in flows),
        unsearchable=(*unsearchable, *blocks.unsearchable),
    )
    return Found(tuple(findings), (searched,))


def _unverifiable(flow: Flow) -> str:
    if flow.missing:
        return f"{flow.missing} bytes of it are missing from the recording"
    return encrypted(flow)


def _streamed(flow: Flow, carriers: Carriers, blocks: Blocks) -> Iterator[Hit]:
    """What a replication stream carried, without the frames of its messages.

    A physical stream is the write-ahead log itself, from a position that its first message names.
    """
    if direction_of(flow) != SERVER:
        return
    found = carriers.messages
    long = (found.kinds == ord("d")) & (found.ends - found.starts > STREAMED)
    parts, starts = [], []
    first_position: int | None = None
    for start, end in zip(found.starts[long], found.ends[long], strict=True):
        body = flow.data[start:end]
        if len(body) > STREAMED and body[0] == ord("w"):
            if first_position is None:
                first_position = int.from_bytes(body[1:9].tobytes(), "big")
            parts.append(body[STREAMED:])
            starts.append(int(start) + STREAMED)
    if first_position is None:
        return
    ends = np.cumsum([len(part) for part in parts])
    before = np.zeros(first_position % _PAGE, np.uint8)
    data: Bytes = np.concatenate([before, *parts])
    # The name of a segment makes it be read as one: without page headers.
    for hit in blocks.search(data, f"{flow.name}/{'0' * 24}"):
        yield Hit(
            hit.canary,
            hit.encoding,
            ("replication stream", *hit.inside),
            _place(starts, ends, max(hit.offset - len(before), 0)),
            hit.count,
        )


def _gossiped(flow: Flow, blocks: Blocks) -> Iterator[Hit]:
    """What members of Consul tell each other, of which they compress what gets shorter by it."""
    found = [*messages(flow.data.tobytes())]
    if not found:
        return
    starts = [start for start, _ in found]
    ends = np.cumsum([len(said) for _, said in found])
    data: Bytes = np.frombuffer(b"".join(said for _, said in found), np.uint8)
    for hit in blocks.search(data, f"{flow.name}/gossip"):
        inside = ("LZW", *hit.inside)
        start = starts[_part(ends, hit.offset)]
        yield Hit(hit.canary, hit.encoding, inside, start, hit.count)


def _place(starts: Sequence[int], ends: Rows, offset: int) -> int:
    """Where a byte of the joined parts lies in the flow."""
    number = _part(ends, offset)
    return starts[number] + offset - (int(ends[number - 1]) if number else 0)


def _part(ends: Rows, offset: int) -> int:
    """The number of the part that a byte of the joined ones lies in."""
    return min(int(np.searchsorted(ends, offset, side="right")), len(ends) - 1)


def _finding(link: str, flow: Flow, carriers: Carriers, hit: Hit, begun_ns: int) -> Finding:
    return Finding(
        canary=hit.canary,
        encoding=hit.encoding,
        where=OnWire(link, flow.name, direction_of(flow), hit.offset, hit.inside),
        count=hit.count,
        time_ns=flow.time_ns(hit.offset) - begun_ns,
        how=carriers.of(hit.offset),
    )
