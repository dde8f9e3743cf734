"""The record of an erasure survives its file, and a damaged one is refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.history.erasure_record import ErasureRecord, read_erasure, write_erasure
from testbed.history.residency import AtRest, Erasure, Finding, Found, Searched
from testbed.history.residency_record import RecordError
from testbed.workloads.canary import Canaries

CANARY = Canaries(1).make("customers_eu", "anna", "customers/1", jurisdiction="EU")
FOUND = Found(
    (Finding(CANARY.token, "utf-8", AtRest("eu-db1", "/srv/backup/a.dump", 3, ("gzip",))),),
    (Searched("eu-db1", "at rest", files=2, bytes=9),),
)
RECORD = ErasureRecord(
    erasure=Erasure("anna", 12, {"/srv/backup": "the fifth dump from now"}),
    method="complete",
    canaries=(CANARY,),
    before=FOUND,
    after=Found((), FOUND.searched),
    nodes=("eu-db1",),
    problem="a slot keeps its log",
    seconds={"erasing": 1.5},
)


def test_it_survives_its_file(tmp_path: Path) -> None:
    write_erasure(RECORD, tmp_path / "erasure.json")
    assert read_erasure(tmp_path / "erasure.json") == RECORD


def test_one_that_is_missing_or_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "erasure.json"
    with pytest.raises(RecordError, match="nobody was erased"):
        read_erasure(path)
    write_erasure(RECORD, path)
    document = json.loads(path.read_text())
    for broken, said in (
        ({**document, "version": 2}, "version 2"),
        ({**document, "nodes": None}, "damaged"),
        ([], "damaged"),
    ):
        path.write_text(json.dumps(broken))
        with pytest.raises(RecordError, match=said):
            read_erasure(path)
