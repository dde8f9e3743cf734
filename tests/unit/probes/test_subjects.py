"""Who can be erased: somebody of whom everything that was written was acknowledged and stored."""

from __future__ import annotations

import random
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.history.history import History
from testbed.history.operation import Operation
from testbed.history.residency import Canary
from testbed.probes.subjects import subject_of
from testbed.topology.model import Region
from testbed.workloads.canary import Canaries
from testbed.workloads.personal_data import PersonalDataWorkload

KEYS = {"customers": ("id", "residency"), "orders": ("id", "residency")}
SOURCE = Canaries(5)


def canary(number: int, purpose: str = "register") -> Canary:
    made = SOURCE.make("customers_eu", f"s{number}", "customers", jurisdiction="EU")
    return replace(made, purpose=purpose)


def row(number: int, residency: str = "EU", table: str = "customers") -> dict[str, Any]:
    return {"table": table, "columns": {"id": number, "residency": residency}}


def write(
    rows: list[dict[str, Any]], canaries: list[Canary], outcome: Any = "ok"
) -> tuple[dict[str, Any], Any]:
    return {"rows": rows, "canaries": [asdict(one) for one in canaries]}, outcome


def history(*writes: tuple[dict[str, Any], Any]) -> History:
    lines = []
    for process, (value, outcome) in enumerate(writes):
        lines.append(Operation(2 * process, process, "invoke", "register", value))
        lines.append(Operation(2 * process + 1, process, outcome, "register", None))
    return History(tuple(lines))


def chosen(*writes: tuple[dict[str, Any], Any]) -> str | None:
    subject = subject_of(history(*writes), KEYS, "residency", "ANY")
    return None if subject is None else subject.name


GOOD = write([row(1), row(1, table="orders")], [canary(1)])


def test_the_one_of_whom_most_is_known_is_chosen() -> None:
    more = write([row(2)], [canary(2), canary(2)])
    subject = subject_of(history(GOOD, more), KEYS, "residency", "ANY")
    assert subject is not None
    assert (subject.name, len(subject.canaries), len(subject.rows)) == ("s2", 2, 1)


def test_what_was_lost_cannot_be_shown_to_be_erased() -> None:
    more = write([row(2)], [canary(2), canary(2)])
    (written,) = more[0]["canaries"][:1]
    seen = {GOOD[0]["canaries"][0]["token"], written["token"]}
    subject = subject_of(history(GOOD, more), KEYS, "residency", "ANY", seen)
    assert subject is not None
    assert subject.name == "s1"
    assert subject_of(history(GOOD, more), KEYS, "residency", "ANY", ()) is None


@pytest.mark.parametrize(
    "bad",
    [
        write([row(2)], [canary(2), canary(2)], "info"),
        write([row(2)], [canary(2), canary(2)], "fail"),
        write([row(2)], [canary(2), canary(2, "error")]),
        write([row(2)], [canary(2), canary(2, "misplace")]),
        write([row(2, "ANY")], [canary(2), canary(2)]),
        write([row(2), row(3)], [canary(2), canary(2), canary(3)]),
        write([{"table": "products", "columns": {"id": 2}}], [canary(2), canary(2)]),
    ],
)
def test_one_whose_data_may_lie_elsewhere_is_not(bad: tuple[dict[str, Any], Any]) -> None:
    assert chosen(bad) is None
    assert chosen(GOOD, bad) == "s1"


@given(st.integers(0, 1000), st.integers(20, 80))
def test_somebody_is_found_in_what_the_workload_writes(seed: int, count: int) -> None:
    workload = PersonalDataWorkload({}, [Region("eu-west", "EU", 1), Region("us-east", "US", 2)])
    stream = workload.stream("eu-west", random.Random(seed))
    lines = []
    for process in range(count):
        what = next(stream)
        outcome: Any = "fail" if what.f == "misplace" else "ok"
        lines.append(Operation(2 * process, process, "invoke", what.f, what.value))
        lines.append(Operation(2 * process + 1, process, outcome, what.f, None))
    keys = {**KEYS, "pseudonyms": ("pseudonym", "residency")}
    subject = subject_of(History(tuple(lines)), keys, "residency", "ANY")
    assert subject is not None
    assert all(one.subject == subject.name for one in subject.canaries)
    assert {stored.residency for stored in subject.rows} <= {"EU", "US"}
    assert all(set(stored.key) == set(keys[stored.table]) for stored in subject.rows)
