"""Canaries in every file of every node.

The caller makes servers write first what they hold in memory (CHECKPOINT, standbys after their
primary) and best freezes them; what is removed while the search runs is not found by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from testbed.history.residency import AtRest, Finding, Found, Searched, Unsearchable
from testbed.probes.byte_kernel import Bytes
from testbed.probes.node_files import Folder, NodeFile, files_of
from testbed.probes.origins import origin_of
from testbed.probes.patterns import TAIL, Pattern
from testbed.probes.scanner import Scanner
from testbed.probes.unpacking import Kept, Layer, layers

FILE_BYTES_MAX = 4 << 30
"""Hyperscan's limit of one block; PostgreSQL's own files end at 1 GB."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A canary in a layer of a block: the first occurrence and their number."""

    canary: str
    encoding: str
    inside: tuple[str, ...]
    offset: int
    count: int


@dataclass(slots=True)
class Blocks:
    """Searches blocks one after the other and counts what it looked at.

    Args:
        scanner: The patterns.
        kept: What is kept of blocks for those that follow: large values, ends of segments.
    """

    scanner: Scanner
    kept: Kept = field(default_factory=Kept)
    unpacked_bytes: int = 0
    unsearchable: list[Unsearchable] = field(default_factory=list)

    def search(self, data: Bytes, name: str) -> list[Hit]:
        """Everything in a block and in what is packed inside it.

        Args:
            data: The block.
            name: Its path, for messages and to tell what it is.
        """
        hits: list[Hit] = []
        for layer in layers(data, name, self.kept):
            if isinstance(layer, Unsearchable):
                self.unsearchable.append(layer)
            else:
                hits += self._of_layer(layer)
        return hits

    def joined(self) -> Iterable[tuple[str, Hit]]:
        """After all blocks: the block's name, and what is in large values once they are joined."""
        for value in self.kept.pieces.joined():
            for data, kind in ((value.stored, "TOAST pieces"), (value.value, "TOAST pglz value")):
                array = np.frombuffer(data, np.uint8)
                for hit in self._of_layer(Layer((kind,), array, lambda _: 0)):
                    yield (
                        value.source,
                        Hit(hit.canary, hit.encoding, hit.inside, value.offset, hit.count),
                    )

    def _of_layer(self, layer: Layer) -> list[Hit]:
        if layer.inside:
            self.unpacked_bytes += len(layer.data)
        if not len(layer.data):
            return []
        first: dict[tuple[str, str], int] = {}
        counts: Counter[tuple[str, str]] = Counter()
        for match in self.scanner.scan(layer.data):
            encoding, offset = _whole(match.pattern, layer.data, match.offset)
            key = match.pattern.canary, encoding
            first.setdefault(key, offset)
            counts[key] += 1
        return [
            Hit(canary, encoding, layer.inside, layer.origin(offset), counts[canary, encoding])
            for (canary, encoding), offset in first.items()
        ]


def _whole(pattern: Pattern, data: Bytes, offset: int) -> tuple[str, int]:
    """The encoding and where it begins: a token's tail is one only behind the rest of it."""
    if pattern.encoding != "utf-8":
        return pattern.encoding, offset
    head = pattern.canary[:-TAIL].encode()
    start = offset - len(head)
    if start >= 0 and data[start:offset].tobytes() == head:
        return "utf-8", start
    return "utf-8 tail", offset


def search_at_rest(
    folders_by_node: Mapping[str, Iterable[Folder]],
    patterns: Sequence[Pattern],
    *,
    time_ns: int = 0,
) -> Found:
    """Look for canaries in every file of every node.

    Args:
        folders_by_node: What to read, see :func:`testbed.probes.node_files.folders_of`.
        patterns: What to look for.
        time_ns: When, since the run began.

    Raises:
        ValueError: There is no pattern.
    """
    scanner = Scanner(patterns)
    found = Found()
    for node, folders in folders_by_node.items():
        found += _search_node(node, tuple(folders), scanner, time_ns)
    return found


def _search_node(node: str, folders: Sequence[Folder], scanner: Scanner, time_ns: int) -> Found:
    blocks = Blocks(scanner)
    hits: list[tuple[str, Hit]] = []
    files = size = 0
    for file in files_of(folders):
        data = _read(file, blocks.unsearchable)
        if data is not None:
            files += 1
            size += len(data)
            hits += [(file.shown, hit) for hit in blocks.search(data, file.shown)]
    hits += blocks.joined()
    findings = tuple(
        Finding(
            canary=hit.canary,
            encoding=hit.encoding,
            where=AtRest(node, shown, hit.offset, hit.inside),
            count=hit.count,
            time_ns=time_ns,
            how=origin_of(shown),
        )
        for shown, hit in outermost(hits)
    )
    searched = Searched(
        place=node,
        kind="at rest",
        files=files,
        bytes=size,
        unpacked_bytes=blocks.unpacked_bytes,
        unsearchable=tuple(blocks.unsearchable),
    )
    return Found(findings, (searched,))


def outermost(hits: Iterable[tuple[str, Hit]]) -> list[tuple[str, Hit]]:
    """One hit a block, canary and encoding: the one in the outermost layer.

    Args:
        hits: Each with the name of its block, a file or a flow.
    """
    best: dict[tuple[str, str, str], Hit] = {}
    for shown, hit in hits:
        key = shown, hit.canary, hit.encoding
        if key not in best or len(hit.inside) < len(best[key].inside):
            best[key] = hit
    return [(shown, hit) for (shown, _, _), hit in best.items()]


def _read(file: NodeFile, unsearchable: list[Unsearchable]) -> Bytes | None:
    """A file's bytes; None when it is gone, or cannot be read and is noted so."""
    if file.problem:
        unsearchable.append(Unsearchable(file.shown, file.problem))
        return None
    try:
        # Read, not mapped: a file that a server cuts short would end this process.
        with file.outside.open("rb") as stream:
            data = stream.read(FILE_BYTES_MAX + 1)
    except (FileNotFoundError, ProcessLookupError):
        return None
    except OSError as error:
        unsearchable.append(Unsearchable(file.shown, f"cannot be read: {error.strerror}"))
        return None
    if len(data) > FILE_BYTES_MAX:
        unsearchable.append(Unsearchable(file.shown, "larger than 4 GB"))
        return None
    return np.frombuffer(data, np.uint8)
