"""What lies across two segments of a write-ahead log is found, whatever the segments' names."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from testbed.history.residency import AtRest
from testbed.probes.at_rest import search_at_rest
from testbed.probes.node_files import Folder
from testbed.probes.patterns import patterns_of
from testbed.workloads.canary import Canaries

PAGE, PAGES = 8192, 4
FIRST, LATER = 40, 24
CONTENT = PAGES * PAGE - FIRST - (PAGES - 1) * LATER
CANARY = Canaries(1).make("customers", "anna", "1", jurisdiction="EU")
NAMES = ("000000010000000000000001", "000000010000000000000002")


def segment(content: bytes, address: int) -> bytes:
    """A segment of four pages that holds so many bytes of a log, written at an address."""
    pages = []
    for page in range(PAGES):
        size = FIRST if page == 0 else LATER
        header = struct.pack("<HHIQ", 0xD118, 2 if page == 0 else 0, 1, address + page * PAGE)
        pages.append(header.ljust(size, b"\0") + content[: PAGE - size])
        content = content[PAGE - size :]
    return b"".join(pages)


def piece(identity: int, number: int, data: bytes) -> bytes:
    """A row of a TOAST table as an insert's record holds it."""
    row = struct.pack("<III", identity, number, (len(data) + 4) << 2) + data
    return b"\x03\x00\x02\x08\x18\x00" + row


def found(tmp_path: Path, log: bytes, names: tuple[str, str], gap: int = 0) -> set[str]:
    """In which layers a log of two segments shows the canary."""
    folder = tmp_path / "pg_wal"
    folder.mkdir()
    log = log.ljust(2 * CONTENT, b"\0")
    (folder / names[0]).write_bytes(segment(log[:CONTENT], 1 << 20))
    (folder / names[1]).write_bytes(segment(log[CONTENT:], (1 << 20) + PAGES * PAGE + gap))
    result = search_at_rest({"home": [Folder(tmp_path, "/srv/data")]}, patterns_of([CANARY]))
    whole = [one for one in result.findings if one.encoding == "utf-8"]
    assert all(isinstance(one.where, AtRest) for one in whole)
    return {one.where.inside[-1] for one in whole if isinstance(one.where, AtRest)}


@pytest.mark.parametrize("names", [NAMES, NAMES[::-1]], ids=["in order", "recycled"])
@pytest.mark.parametrize("behind", [1, 12, 23])
def test_a_canary_across_a_border_is_found(
    tmp_path: Path, names: tuple[str, str], behind: int
) -> None:
    log = b"\0" * (CONTENT - behind) + CANARY.token.encode()
    assert found(tmp_path, log, names) == {"WAL across two segments"}


@pytest.mark.parametrize("names", [NAMES, NAMES[::-1]], ids=["in order", "recycled"])
def test_a_piece_of_a_large_value_across_a_border_is_joined(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    token = CANARY.token.encode()
    first = piece(77, 0, b"x" * 1986 + token[:10])
    second = piece(77, 1, token[10:] + b"y" * 1000)
    log = b"\0" * (CONTENT - len(first) - 500) + first + second
    assert found(tmp_path, log, names) == {"TOAST pieces"}


def test_segments_that_do_not_follow_each_other_have_no_border(tmp_path: Path) -> None:
    log = b"\0" * (CONTENT - 12) + CANARY.token.encode()
    assert found(tmp_path, log, NAMES, gap=PAGE) == set()
