"""Who took and who holds rows that are at home in a jurisdiction."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers import at_home
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History
from testbed.history.operation import Operation

HOMES = {"eu-db1": "EU", "eu-db2": "EU", "us-db1": "US", "eu-any1": "ANY"}
"""The last one is of a cluster that has what may be everywhere and nothing else."""


def write(residency: str, node: str | None, outcome: str = "ok", f: str = "register") -> list[Any]:
    rows = [{"table": "customers", "columns": {"id": 1, "residency": residency}}]
    return [f, {"rows": rows}, outcome, node, None]


def change(residency: str, node: str) -> list[Any]:
    rows = [{"table": "customers", "columns": {}, "key": {"id": 1, "residency": residency}}]
    return ["change", {"rows": rows}, "ok", node, None]


def history(*operations: list[Any]) -> History:
    lines = []
    for process, (f, value, outcome, node, answer) in enumerate(operations):
        lines.append(Operation(time=2 * process, process=process, type="invoke", f=f, value=value))
        lines.append(
            Operation(
                time=2 * process + 1, process=process, type=outcome, f=f, value=answer, node=node
            )
        )
    return History(tuple(lines))


def writes(*operations: list[Any]) -> Verdict:
    return at_home.check_writes(
        history(*operations), HOMES, {"register", "change", "publish"}, free="ANY"
    )


GOOD = (write("EU", "eu-db2"), write("US", "us-db1"), write("ANY", "us-db1", f="publish"))


def test_writes_at_home_are_valid() -> None:
    assert writes(*GOOD).validity is Validity.VALID


@pytest.mark.parametrize(
    "bad",
    [
        write("EU", "us-db1"),
        write("US", "eu-db1"),
        change("EU", "us-db1"),
        write("EU", "eu-any1"),
    ],
)
def test_a_write_that_is_taken_abroad_is_a_violation(bad: list[Any]) -> None:
    verdict = writes(*GOOD, bad)
    assert verdict.validity is Validity.VIOLATION
    assert len(verdict.counterexample) == 1


@pytest.mark.parametrize("outcome", ["fail", "info"])
def test_what_was_not_acknowledged_is_unavailable_and_not_moved(outcome: str) -> None:
    assert writes(*GOOD, write("EU", "us-db1", outcome)).validity is Validity.VALID


def test_a_jurisdiction_that_took_nothing_shows_nothing() -> None:
    verdict = writes(*GOOD[1:])
    assert verdict.validity is Validity.UNKNOWN
    assert "no write of EU" in verdict.reason
    nameless = writes(*GOOD, write("EU", None))
    assert nameless.validity is Validity.UNKNOWN
    assert nameless.reason == "of 1 writes it is not known who took them"


def test_what_was_taken_at_home_is_counted() -> None:
    about_no_rows = [["register", None, "ok", "us-db1", None], write("EU", "eu-db1")]
    verdict = writes(*GOOD, *about_no_rows)
    assert verdict.numbers == {"taken_at_home": 3, "taken_abroad": 0}
    assert verdict.reason.endswith("2 in EU, 1 in US")


def rows(counts: dict[str, dict[str, int]]) -> Verdict:
    reads = [["rows", None, "ok", node, found] for node, found in counts.items()]
    return at_home.check_rows(history(*reads), HOMES, HOMES, free="ANY", reads="rows")


@given(
    st.fixed_dictionaries(
        {
            node: st.dictionaries(st.sampled_from(["EU", "US", "ANY"]), st.integers(0, 3))
            for node in HOMES
        }
    )
)
def test_rows_abroad_are_found_wherever_they_are(counts: dict[str, dict[str, int]]) -> None:
    abroad = sum(
        count
        for node, found in counts.items()
        for residency, count in found.items()
        if residency not in (HOMES[node], "ANY")
    )
    verdict = rows(counts)
    assert verdict.numbers["rows_abroad"] == abroad
    assert verdict.validity is (Validity.VIOLATION if abroad else Validity.VALID)


def test_a_node_that_was_not_read_shows_nothing() -> None:
    verdict = rows({"eu-db1": {"EU": 1}, "us-db1": {"US": 1}})
    assert verdict.validity is Validity.UNKNOWN
    assert "eu-db2" in verdict.reason
