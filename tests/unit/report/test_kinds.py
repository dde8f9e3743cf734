from __future__ import annotations

import pytest

from testbed.report.kinds import kinds_of
from testbed.workloads.catalogue import WORKLOADS


@pytest.mark.parametrize(
    ("workload", "f", "kind"),
    [
        ("set", "add", "write"),
        ("set", "count", "read"),
        ("set", "read", "other"),
        ("set", "mark", "other"),
        ("register", "cas", "write"),
        ("register", "read-replica", "read"),
        ("bank", "transfer", "write"),
        ("bank", "schema", "other"),
        ("elsewhere", "append", "write"),
        ("elsewhere", "read-all", "read"),
        ("", "", "write"),
    ],
)
def test_operations_are_told_apart(workload: str, f: str, kind: str) -> None:
    assert kinds_of(workload)(f) == kind


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_workload_has_writes_and_reads(name: str) -> None:
    known = WORKLOADS[name]
    kinds = {kinds_of(name)(f) for f in known.writes | known.reads | known.replica_reads}
    assert {"write", "read"} <= kinds
