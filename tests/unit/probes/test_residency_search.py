from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import tarfile
import uuid
import zipfile
from pathlib import Path

import numpy as np
import pytest

from testbed.history.residency import (
    AtRest,
    Found,
    OnWire,
    canaries_document,
    canaries_of,
    found_document,
    found_of,
)
from testbed.probes.at_rest import search_at_rest
from testbed.probes.flows import Flow
from testbed.probes.node_files import Folder
from testbed.probes.origins import origin_of
from testbed.probes.patterns import patterns_of
from testbed.probes.pglz import values
from testbed.probes.protocols import Carriers, encrypted
from testbed.probes.scanner import Scanner
from testbed.workloads.canary import Canaries

CANARY = Canaries(3).make("customers", "anna", "1", jurisdiction="EU")
TOKEN = CANARY.token.encode()
PATTERNS = patterns_of([CANARY])


def encodings(data: bytes) -> set[str]:
    return {match.pattern.encoding for match in Scanner(PATTERNS).scan(data)}


@pytest.mark.parametrize("before", range(6))
def test_base64_is_found_at_every_alignment(before: int) -> None:
    for data, name in ((TOKEN, "base64"), (bytes.fromhex(CANARY.bytea), "bytea base64")):
        found = encodings(base64.b64encode(b"x" * before + data + b"yy"))
        assert any(encoding.startswith(name) for encoding in found)


def test_every_encoding_is_found() -> None:
    number = CANARY.bigint
    written = {
        "utf-8": TOKEN,
        "hex": TOKEN.hex().encode(),
        "uuid raw": uuid.UUID(CANARY.uuid).bytes,
        "uuid text": CANARY.uuid.encode(),
        "bigint little-endian": number.to_bytes(8, "little"),
        "bigint big-endian": number.to_bytes(8, "big"),
        "bigint text": str(number).encode(),
        "numeric text": CANARY.numeric.encode(),
        "bytea raw": bytes.fromhex(CANARY.bytea),
        "bytea hex": CANARY.bytea.encode(),
    }
    for encoding, data in written.items():
        assert encoding in encodings(b"\0\0" + data + b"\0")
    assert encodings(Canaries(4).make("a", "b", "c", jurisdiction="EU").token.encode()) == set()


def test_zero_bytes_do_not_end_a_pattern() -> None:
    patterns = [
        pattern
        for number in range(300)
        for pattern in patterns_of([Canaries(number).make("a", "b", "c", jurisdiction="EU")])
        if b"\0" in pattern.data
    ]
    assert len(patterns) > 10
    scanner = Scanner(patterns)
    for pattern in patterns:
        (match,) = scanner.scan(b"1" + pattern.data + b"2")
        assert (match.pattern, match.offset) == (pattern, 1)
        assert list(scanner.scan(pattern.data[:-1])) == []


@pytest.mark.parametrize("at", [0, 990, 999, 1000, 1001, 1020, 2985, 3300])
def test_chunks_overlap_and_count_once(at: int) -> None:
    data = bytearray(4000)
    data[at : at + len(TOKEN)] = TOKEN
    matches = list(Scanner(PATTERNS, chunk_bytes=1000).scan(data))
    assert [match.offset for match in matches] == [at + 8]


def test_nothing_to_look_for_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to look for"):
        Scanner([])


def varlena(value: bytes) -> bytes:
    """A pglz value: literals, a copy of their beginning, and a run."""
    items = [bytes([byte]) for byte in value] + [bytes([0x01, len(value)])]
    # A copy of a run, so that the value is longer than its stream.
    items.append(bytes([0x0F, 0x01, 200]))
    stream = b""
    for start in range(0, len(items), 8):
        group = items[start : start + 8]
        control = sum((len(item) > 1) << bit for bit, item in enumerate(group))
        stream += bytes([control]) + b"".join(group)
    raw = len(value) + 4 + 218
    header = ((len(stream) + 8) << 2 | 2).to_bytes(4, "little") + raw.to_bytes(4, "little")
    return header + stream


@pytest.mark.parametrize("shift", range(4))
def test_compressed_values_are_decoded_wherever_they_begin(shift: int) -> None:
    block = bytes(100 + shift) + varlena(TOKEN) + bytes(50)
    assert TOKEN not in block
    (batch,) = values(np.frombuffer(block, np.uint8))
    assert TOKEN in batch.data.tobytes()
    assert batch.source(0) == 100 + shift
    damaged = block.replace(varlena(TOKEN)[8:20], bytes(12))
    assert all(
        TOKEN not in batch.data.tobytes() for batch in values(np.frombuffer(damaged, np.uint8))
    )


def searched(folder: Path) -> Found:
    return search_at_rest({"n": [Folder(folder, "/srv")]}, PATTERNS, time_ns=5)


def packed(kind: str) -> bytes:
    text = b"some text " * 20 + TOKEN + b" and more"
    stream = io.BytesIO()
    if kind == "gzip":
        return gzip.compress(text)
    if kind == "bzip2":
        return bz2.compress(text)
    if kind == "xz":
        return lzma.compress(text)
    if kind == "zip":
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a", text)
        return stream.getvalue()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        member = tarfile.TarInfo("a/b.gz")
        inner = gzip.compress(text)
        member.size = len(inner)
        tar.addfile(member, io.BytesIO(inner))
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zip", "tar"])
def test_archives_are_opened(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_bytes(packed(kind))
    assert TOKEN not in packed(kind)
    found = searched(tmp_path)
    (finding,) = found.findings
    assert (finding.canary, finding.encoding, finding.time_ns) == (CANARY.token, "utf-8", 5)
    assert isinstance(finding.where, AtRest)
    assert finding.where.inside
    assert found_of(json.loads(json.dumps(found_document(found)))) == found
    assert canaries_of(json.loads(json.dumps(canaries_document([CANARY])))) == (CANARY,)


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(50))
    (tmp_path / "b.xz").write_bytes(lzma.compress(bytes(100))[:-20])
    (tmp_path / "pg_tblspc").mkdir()
    (tmp_path / "pg_tblspc" / "1").symlink_to("/elsewhere")
    places = {hidden.where for hidden in searched(tmp_path).searched[0].unsearchable}
    assert places == {"/srv/a.zst", "/srv/b.xz", "/srv/pg_tblspc/1"}
    (absent,) = searched(tmp_path / "absent").searched
    assert absent.unsearchable[0].reason == "does not exist"


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/srv/data/base/5/16384", "table or index file"),
        ("/srv/data/base/5/16384.1", "table or index file"),
        ("/srv/data/base/pgsql_tmp/pgsql_tmp1.0", "temporary file of a sort, hash or cursor"),
        ("/srv/data/pg_wal/000000010000000000000001", "write-ahead log"),
        ("/srv/archive/000000010000000000000001", "archived write-ahead log"),
        ("/srv/data/pg_replslot/s/xid-1-lsn-0-1.spill", "spill file of logical decoding"),
        ("/srv/consul/raft/raft.db", "Consul's raft log"),
        ("/srv/log/postgres.log", "log file"),
        ("/srv/backup/base/5/16384", "backup: table or index file"),
        ("/srv/x (deleted)", "file"),
    ],
)
def test_paths_tell_how_bytes_came(file: str, kind: str) -> None:
    assert origin_of(file) == kind


def flow(data: bytes, *, source_port: int = 40000, target_port: int = 5432) -> Flow:
    empty = np.empty(0, np.int64)
    array = np.frombuffer(data, np.uint8)
    return Flow(1, 2, "tcp", source_port, target_port, array, empty, empty, 1, 0)


def message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4, "big") + body


STARTUP = b"user\0u\0application_name\0shop\0\0"
OPENED = (len(STARTUP) + 8).to_bytes(4, "big") + (196608).to_bytes(4, "big") + STARTUP


def test_statements_are_named() -> None:
    data = OPENED + message(b"Q", b"INSERT INTO t VALUES ('" + TOKEN + b"')\0")
    said = Carriers(flow(data)).of(data.index(TOKEN))
    assert said.startswith("PostgreSQL statement of shop: INSERT INTO t")
    row = message(b"R", bytes(4)) + message(b"D", TOKEN)
    assert "row returned" in Carriers(flow(row, source_port=5432, target_port=9)).of(
        row.index(TOKEN)
    )
    change = message(b"d", b"w" + bytes(24) + b"I" + TOKEN)
    assert "logical replication, insert" in Carriers(
        flow(change, source_port=5432, target_port=9)
    ).of(change.index(TOKEN))


def test_who_reads_a_table_is_named_as_the_server_was_told() -> None:
    """A seeding reads through the publication; what a person copies does not."""
    parameter = message(b"S", b"application_name\0placement_seed\0")
    data = message(b"R", bytes(4)) + parameter + message(b"d", TOKEN)
    for sent, named in ((data, " to placement_seed ("), (data.replace(parameter, b""), "server (")):
        said = Carriers(flow(sent, source_port=5432, target_port=9)).of(sent.index(TOKEN))
        assert said.startswith("PostgreSQL COPY from the server")
        assert named in said


def test_a_physical_stream_is_told_from_a_logical_one() -> None:
    # Any byte may stand where a logical stream has the letter of its message.
    parts = [message(b"d", b"w" + bytes(24) + first + TOKEN) for first in (b"I", b"\x07", b"D")]
    for number, carrier in ((1, "logical replication, insert"), (3, "physical replication")):
        data = b"".join(parts[:number])
        assert carrier in Carriers(flow(data, source_port=5432, target_port=9)).of(
            data.index(TOKEN)
        )


def test_encryption_is_recognised() -> None:
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50)
    asked = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
    assert "TLS" in encrypted(flow(hello))
    assert "TLS" in encrypted(flow(asked + hello))
    assert "TLS" in encrypted(flow(b"\x03" + hello))
    assert "TLS" in encrypted(flow(b"\x17\x03\x03\x00\x40" + bytes(64)))
    assert encrypted(flow(OPENED)) == ""
    assert encrypted(flow(asked + OPENED)) == ""


def test_findings_on_the_wire_survive_json() -> None:
    where = OnWire("a->b", "tcp", "client to server", 3, ("gzip",))
    document = {"canary": "c", "encoding": "utf-8", "where": {
        "link": "a->b", "connection": "tcp", "direction": "client to server", "offset": 3,
        "inside": ["gzip"]}, "count": 1, "time_ns": 0, "how": ""}  # fmt: skip
    assert found_of({"findings": [document], "searched": []}).findings[0].where == where
