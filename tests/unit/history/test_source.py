"""Sources: plain, gzipped, damaged, too long."""

from __future__ import annotations

import gzip
import io
import resource
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from testbed.history import source as module
from testbed.history.problem import HistoryError
from testbed.history.source import Source, SourceError, open_source


def blocks_of(data: bytes) -> list[bytes]:
    return list(Source(io.BytesIO(data), "h").blocks())


def test_blocks_are_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_BLOCK_BYTES", "BLOCK_BYTES"):
        monkeypatch.setattr(module, name, 5)
    data = b"a\nbb\nccc\ndddddddd\n\ne"
    blocks = blocks_of(data)
    assert b"".join(blocks) == data
    assert all(block.endswith(b"\n") for block in blocks[:-1])
    assert len(blocks) > 2
    assert b"".join(blocks_of(gzip.compress(data))) == data


def test_a_byte_order_mark_is_passed_over() -> None:
    assert blocks_of(b"\xef\xbb\xbfx\n") == [b"x\n"]
    assert Source(io.BytesIO(b"\xef\xbb\xbfx"), "h").whole() == b"x"
    with pytest.raises(HistoryError, match="h:1:1: expected UTF-8, not UTF-16"):
        blocks_of("{}".encode("utf-16"))


@pytest.mark.parametrize("cut", [1, 12, 20])
def test_a_damaged_gzip_stream(cut: int) -> None:
    packed = gzip.compress(bytes(range(256)) * 10)
    with pytest.raises(HistoryError, match="the gzip stream is damaged"):
        blocks_of(packed[:-cut])
    with pytest.raises(HistoryError, match="the gzip stream is damaged"):
        blocks_of(packed + b"more")


def test_a_long_line_is_refused_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINE_BYTES_MAX", 100)
    for name in ("FIRST_BLOCK_BYTES", "BLOCK_BYTES"):
        monkeypatch.setattr(module, name, 32)
    with pytest.raises(HistoryError, match="h:3:101: expected lines of at most 100 bytes"):
        blocks_of(b"a\nb\n" + b"c" * 200 + b"\nd\n")


def test_a_bomb_takes_no_more_memory_than_a_line() -> None:
    packed = gzip.compress(bytes(100_000_000), compresslevel=1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(HistoryError, match="expected lines of at most"):
        blocks_of(packed)
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kb < 300_000


def test_a_document_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WHOLE_BYTES_MAX", 10)
    with pytest.raises(HistoryError, match="expected at most 10 bytes in one document"):
        Source(io.BytesIO(b"x" * 11), "h").whole()


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path, Path("a\0b")):
        with pytest.raises(SourceError, match="cannot be read"), open_source(str(path)) as source:
            list(source.blocks())


def test_an_input_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(SourceError, match="closed"), open_source("-"):
        pass


def test_an_input_whose_first_bytes_cannot_be_read() -> None:
    class Broken(io.RawIOBase):
        def readinto(self, buffer: object) -> int:
            raise OSError(5, "Input/output error")

    with pytest.raises(SourceError, match="h: cannot be read: Input/output error"):
        Source(cast("BinaryIO", Broken()), "h")
