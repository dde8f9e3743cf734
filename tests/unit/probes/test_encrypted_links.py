"""PostgreSQL through TLS between regions: unverifiable, and never clean, wherever the tap began."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from testbed.checkers.placement import check
from testbed.checkers.verdict import Validity
from testbed.history.residency import Found
from testbed.probes import in_motion
from testbed.probes.capture import Capture
from testbed.probes.flows import Flow
from testbed.probes.in_motion import search_in_motion
from testbed.probes.patterns import patterns_of
from testbed.provision.certificates import certificate_of
from testbed.topology.inventory import find, load
from tests.unit.checkers.test_placement import OUT, PERSON, WRITTEN, record

ASKED = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
TOPOLOGY = load(find("data-placement")).topology


class Line:
    """One direction of a connection: what an engine writes is what the other one reads."""

    def __init__(self) -> None:
        self.out, self.into = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.packets: list[bytes] = []

    def carry(self) -> None:
        """What was written arrives."""
        if said := self.out.read():
            self.packets.append(said)
            self.into.write(said)


@pytest.fixture
def talk(tmp_path: Path) -> list[bytes]:
    """What a server of PostgreSQL answers through TLS: rows with a marker, a packet each."""
    identity = certificate_of("server")
    (tmp_path / "own.pem").write_text(identity.certificate + identity.key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(tmp_path / "own.pem")
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    asking.check_hostname, asking.verify_mode = False, ssl.CERT_NONE
    question, answer = Line(), Line()
    client = asking.wrap_bio(answer.into, question.out)
    server = serving.wrap_bio(question.into, answer.out, server_side=True)
    waiting = [client, server]
    while waiting:
        one = waiting.pop(0)
        try:
            one.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(one)
        question.carry()
        answer.carry()
    for number in range(40):
        server.write(f"D {PERSON.token} {number} ".encode() * (1 + number % 7))
        answer.carry()
    return [b"S", *answer.packets]


def searched(monkeypatch: pytest.MonkeyPatch, data: bytes, starts: list[int]) -> Found:
    """A flow from the EU's server to the US, searched as what a tap recorded."""
    addresses = [
        int.from_bytes(bytes(map(int, node.address.split("."))), "big")
        for node in TOPOLOGY.members("postgres")
        if node.region in ("eu-west", "us-east")
    ]
    flow = Flow(
        addresses[0], addresses[-1], "tcp", 5432, 40000, np.frombuffer(data, np.uint8),
        np.array(starts, np.int64), np.arange(len(starts), dtype=np.int64), len(starts), 0,
    )  # fmt: skip
    nothing = object.__new__(Capture)
    object.__setattr__(nothing, "problems", ())
    monkeypatch.setattr(in_motion, "read_capture", lambda _folder, name: (name, nothing)[1])
    flows = iter([[flow], *([] for _ in TOPOLOGY.regions)])
    monkeypatch.setattr(in_motion, "flows_of", lambda _recorded: next(flows))
    return search_in_motion(Path("tap"), TOPOLOGY, patterns_of([PERSON]))


@pytest.mark.parametrize("begun", ["from the start", "between records", "inside a record"])
def test_what_tls_carries_is_never_clean(
    talk: list[bytes], begun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replication connection may be older than the tap, which then never sees its handshake."""
    skipped = {"from the start": 0, "between records": len(talk) - 30, "inside a record": 9}[begun]
    seen = talk[skipped:]
    if begun == "inside a record":
        seen = [*seen]
        seen[0] = seen[0][11:]
    data = b"".join(seen)
    starts = [*np.cumsum([0, *map(len, seen[:-1])])]
    found = searched(monkeypatch, data, starts)
    assert found.findings == ()
    (looked,) = (one for one in found.searched if one.place == OUT)
    assert [hidden.reason.partition(":")[0] for hidden in looked.unsearchable] == ["TLS"]
    made = record()
    others = tuple(one for one in made.found.searched if one.place != OUT)
    blind = replace(made, found=Found(made.found.findings, (*others, looked)))
    verdict = check(blind, WRITTEN)
    assert verdict.validity is Validity.UNKNOWN
    assert "could not be searched: TLS" in verdict.reason


def test_what_asked_for_tls_and_went_on_without_is_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As with the servers here, which are built without it: the answer to the question is N."""
    row = b"D" + (4 + len(PERSON.token)).to_bytes(4, "big") + PERSON.token.encode()
    found = searched(monkeypatch, b"N" + b"R" + (8).to_bytes(4, "big") + bytes(4) + row * 9, [0])
    assert {finding.canary for finding in found.findings} == {PERSON.token}
    (looked,) = (one for one in found.searched if one.place == OUT)
    assert looked.unsearchable == ()
