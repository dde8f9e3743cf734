"""What a block of bytes holds that plain byte search cannot see: compressed values, archives, WAL.

A block is taken apart into layers, the block itself first; each layer is searched like a file.
"""

from __future__ import annotations

import bz2
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from testbed.history.residency import Unsearchable
from testbed.probes import pglz, wal_pages
from testbed.probes.byte_kernel import Bytes
from testbed.probes.toast import PAGE, Pieces

DEPTH_MAX = 3
_UNPACKED_MAX = 4 << 30
_BORDER = 16 << 10
"""More than a record of a page, or of a piece of a large value, has."""
_TOKEN_MAX = 128
"""More than a canary has in any encoding."""
_ZLIB = re.compile(rb"x[\x01\x5e\x9c\xda]")
_GZIP = re.compile(rb"\x1f\x8b\x08[\x00-\x1f]")
_DUMP = b"PGDMP"
_FOREIGN = {b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4", b"7z\xbc\xaf": "7z"}


@dataclass(frozen=True, slots=True)
class _Fixed:
    """Every offset of what is inside counts as where its container begins."""

    offset: int

    def __call__(self, _inner: int) -> int:
        return self.offset


@dataclass(frozen=True, slots=True)
class Layer:
    """Bytes to be searched.

    Args:
        inside: What they were taken out of, outermost first; empty for the block itself.
        data: The bytes.
        origin: From an offset in ``data`` to the offset in the block.
    """

    inside: tuple[str, ...]
    data: Bytes
    origin: Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of blocks for those that follow.

    Args:
        pieces: Pieces of large values, to be joined at the end.
        borders: The ends of segments of logs.
    """

    pieces: Pieces = field(default_factory=Pieces)
    borders: wal_pages.Borders = field(default_factory=lambda: wal_pages.Borders(_BORDER))


def layers(data: Bytes, name: str, kept: Kept | None = None) -> Iterator[Layer | Unsearchable]:
    """Everything that is in a block, itself first.

    Args:
        data: The block.
        name: Path of the file, which tells tables and segments from the rest.
        kept: Of all blocks; without it a block stands alone.
    """
    yield from _of(Layer((), data, _same), name, kept)


def _of(layer: Layer, name: str, kept: Kept | None) -> Iterator[Layer | Unsearchable]:
    yield layer
    if len(layer.inside) >= DEPTH_MAX:
        yield Unsearchable(name, f"more than {DEPTH_MAX} layers of compression")
        return
    whole = layer.data[:8].tobytes()
    for magic, method in _FOREIGN.items():
        if whole.startswith(magic):
            yield Unsearchable(name, f"compressed with {method}, which cannot be read here")
    if wal_pages.is_wal(name.rpartition("/")[2], layer.data):
        yield from _of_wal(layer, name, kept)
    else:
        if kept is not None and len(layer.data) % PAGE == 0:
            kept.pieces.add_pages(_relation(name), name, layer.data)
        yield from _values(layer)
    yield from _archives(layer, name, kept)


def _of_wal(layer: Layer, name: str, kept: Kept | None) -> Iterator[Layer | Unsearchable]:
    stripped = wal_pages.strip(layer.data)
    inner = _within(layer, "WAL without page headers", stripped.data, stripped.source)
    yield inner
    yield from _of_log(inner, name, kept)
    if kept is None:
        return
    for data, border in kept.borders.add(name.rpartition("/")[0], layer.data, stripped.data):
        across = _within(layer, "WAL across two segments", data, _Fixed(0))
        # Whole records for what they hold; of the bytes themselves no more than a canary crosses.
        yield replace(across, data=data[max(0, border - _TOKEN_MAX) : border + _TOKEN_MAX])
        yield from _of_log(across, name, kept)


def _of_log(inner: Layer, name: str, kept: Kept | None) -> Iterator[Layer | Unsearchable]:
    """What records hold: compressed values, pieces of large ones, page images."""
    yield from _values(inner)
    folder = name.rpartition("/")[0]
    if kept is not None:
        kept.pieces.add_log(folder, name, inner.data)
    for batch in wal_pages.images(inner.data):
        pages = _within(inner, "page image", batch.data, batch.source)
        yield pages
        yield from _values(pages)
        if kept is not None:
            kept.pieces.add_pages(folder, name, batch.data)
        if batch.foreign:
            reason = f"{batch.foreign} page images compressed with lz4 or zstd"
            yield Unsearchable(name, reason)


def _values(layer: Layer) -> Iterator[Layer]:
    for batch in pglz.values(layer.data):
        yield _within(layer, "pglz value", batch.data, batch.source)


def _archives(layer: Layer, name: str, kept: Kept | None) -> Iterator[Layer | Unsearchable]:
    """What whole-file formats hold; of streams, wherever one begins."""
    found = _unpacked(layer.data)
    for kind, offset, content in found:
        if isinstance(content, str):
            yield Unsearchable(name, content)
        else:
            inner = _within(layer, kind, np.frombuffer(content, np.uint8), _Fixed(offset))
            yield from _of(inner, f"{name}!{kind.partition(' ')[2]}", kept)


def _unpacked(data: Bytes) -> Iterator[tuple[str, int, bytes | str]]:
    """Kind, offset and content of each archive, or why it cannot be read instead of its content."""
    view = memoryview(data)  # type: ignore[arg-type]
    head = bytes(view[:8])
    if head.startswith(_DUMP):
        yield from _dump(view)
    elif head.startswith(b"PK\x03\x04"):
        yield from _zip(view)
    elif bytes(view[257:262]) == b"ustar":
        yield from _tar(view)
    elif head.startswith(b"BZh"):
        yield _whole("bzip2", bz2.decompress, view)
    elif head.startswith(b"\xfd7zXZ"):
        yield _whole("xz", lzma.decompress, view)
    else:
        for match in _GZIP.finditer(view):
            # A damaged or unfinished stream gives what there is of it.
            content = _inflate(view[match.start() :], 31)
            if len(content) >= 16:
                yield "gzip", match.start(), content


def _whole(
    kind: str, decompress: Callable[[bytes], bytes], view: memoryview
) -> tuple[str, int, bytes | str]:
    try:
        return kind, 0, decompress(bytes(view))
    except (OSError, lzma.LZMAError, EOFError, ValueError) as error:
        return kind, 0, f"{kind} cannot be unpacked: {error}"


def _zip(view: memoryview) -> Iterator[tuple[str, int, bytes | str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(view)) as archive:
            for member in archive.infolist():
                yield "zip", member.header_offset, archive.read(member)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        yield "zip", 0, f"zip cannot be unpacked: {error}"


def _tar(view: memoryview) -> Iterator[tuple[str, int, bytes | str]]:
    """Members one by one: pages begin on a member's own boundaries."""
    try:
        with tarfile.open(fileobj=io.BytesIO(view), mode="r:") as archive:
            for member in archive:
                if member.isreg():
                    start = member.offset_data
                    yield f"tar {member.name}", start, bytes(view[start : start + member.size])
    except tarfile.TarError as error:
        yield "tar", 0, f"tar cannot be unpacked: {error}"


def _dump(view: memoryview) -> Iterator[tuple[str, int, bytes | str]]:
    """The data of a dump in pg_dump's custom format: zlib in chunks, each behind its length."""
    past = 0
    for match in _ZLIB.finditer(view):
        if match.start() < past:
            continue
        stream, end = _chunks(view, match.start())
        content = _inflate(stream, 15)
        if content:
            past = end
            yield "dump", match.start(), content


def _chunks(view: memoryview, start: int) -> tuple[bytes, int]:
    """The chunks from one that begins here on; a length is a sign byte and four bytes."""
    parts: list[bytes] = []
    at = start - 5
    while at >= 0 and at + 5 <= len(view):
        length = int.from_bytes(view[at + 1 : at + 5], "little")
        if view[at] != 0 or length == 0 or at + 5 + length > len(view):
            break
        parts.append(bytes(view[at + 5 : at + 5 + length]))
        at += 5 + length
    return b"".join(parts), at


def _inflate(stream: memoryview | bytes, window: int) -> bytes:
    """What can be inflated of a stream, all members of it; empty when it is none."""
    parts = []
    rest: memoryview | bytes = stream
    total = 0
    while len(rest) > 2 and total < _UNPACKED_MAX:
        inflater = zlib.decompressobj(window)
        part, complete = _member(inflater, rest)
        parts.append(part)
        total += len(part)
        used = len(rest) - len(inflater.unused_data)
        if not complete or used == 0 or not inflater.unused_data:
            break
        rest = rest[used:]
    return b"".join(parts)


def _member(inflater: zlib._Decompress, data: memoryview | bytes) -> tuple[bytes, bool]:
    made = []
    step = 1 << 16
    for start in range(0, len(data), step):
        try:
            made.append(inflater.decompress(data[start : start + step]))
        except zlib.error:
            return b"".join(made), False
        if inflater.eof:
            break
    return b"".join(made), inflater.eof


def _within(layer: Layer, kind: str, data: Bytes, source: Callable[[int], int]) -> Layer:
    return Layer((*layer.inside, kind), data, lambda offset: layer.origin(source(offset)))


def _relation(name: str) -> str:
    """A table's file without the number of its segment of 1 GB."""
    return re.sub(r"\.\d+$", "", name)


def _same(offset: int) -> int:
    return offset
