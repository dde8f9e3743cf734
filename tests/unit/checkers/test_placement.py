"""A recorded search judged as a whole: controls, doubts, and the causes of leaks by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from testbed.checkers.placement import causes_of, check, check_heirs, controls
from testbed.checkers.residency_causes import CAUSES
from testbed.checkers.territory import place_of
from testbed.checkers.verdict import Validity
from testbed.history.residency import LEAK, AtRest, Canary, Finding, Found, OnWire, Searched
from testbed.history.residency_record import (
    ARCHIVE,
    BASE,
    DUMP,
    SEEDED,
    Deed,
    RecordError,
    ResidencyRecord,
    read_record,
    unsought,
    write_record,
)
from testbed.workloads.canary import Canaries

MADE = Canaries(1)
PERSON = MADE.make("customers_eu", "s1", "customers/1", jurisdiction="EU")
DELIVERY = MADE.make("deliveries_eu", "s1", "orders/1", jurisdiction="EU")
COMPANY = MADE.make("companies", "s2", "customers/2", jurisdiction="EU")
AMERICAN = MADE.make("companies", "s3", "customers/3", jurisdiction="US")
CONTROL = MADE.make("customers_eu", "control", "file", jurisdiction="EU", purpose=LEAK)
HOME, ABROAD = "eu-west-db1", "us-east-db1"
OUT, BACK = "eu-west->us-east", "us-east->eu-west"
POLICY: dict[str, Any] = {
    "tables": {
        "customers": {"columns": {"id": "bigint", "full_name": "text"}, "key": ["id"],
                      "personal": ["full_name"]},
        "orders": {"columns": {"id": "bigint", "address": "text", "amount": "text"}, "key": ["id"],
                   "personal": ["address"]},
    },
    "classes": {
        "customers_eu": {"name": "customers_eu", "rule": "pinned", "table": "customers",
                         "columns": ["id", "full_name"]},
        "companies": {"name": "companies", "rule": "freely", "table": "customers",
                      "columns": ["id", "full_name"]},
        "deliveries_eu": {"name": "deliveries_eu", "rule": "pinned", "table": "orders",
                          "columns": ["address"]},
        "order_figures": {"name": "order_figures", "rule": "pseudonymised", "table": "orders",
                          "columns": ["amount"]},
    },
}  # fmt: skip


def at(canary: Canary, node: str, how: str, file: str = "/srv/f") -> Finding:
    return Finding(canary.token, "utf-8", AtRest(node, file, 0), how=how)


def wire(canary: Canary, link: str, how: str) -> Finding:
    return Finding(canary.token, "utf-8", OnWire(link, "tcp a->b", "server to client", 0), how=how)


HEALTHY = (
    at(PERSON, HOME, "table"),
    at(DELIVERY, HOME, "table"),
    at(COMPANY, HOME, "table"),
    at(AMERICAN, ABROAD, "table"),
    at(COMPANY, ABROAD, "table"),
    at(AMERICAN, HOME, "table"),
    wire(COMPANY, OUT, "PostgreSQL logical replication, insert"),
    wire(AMERICAN, BACK, "PostgreSQL logical replication, insert"),
    at(CONTROL, ABROAD, "file"),
    wire(CONTROL, OUT, "PostgreSQL statement"),
    at(PERSON, HOME, "dump", "/srv/backup/eu.dump"),
    at(PERSON, HOME, "backup: table or index file", "/srv/backup/base/eu-1/base/5/16384"),
    at(PERSON, HOME, "backup: archived write-ahead log", "/srv/backup/wal/eu/" + "0" * 24),
)


def record(*more: Finding, without: Finding | None = None) -> ResidencyRecord:
    return ResidencyRecord(
        policy=POLICY,
        allowed={"customers_eu": ("EU",), "deliveries_eu": ("EU",), "companies": None},
        nodes={HOME: "EU", ABROAD: "US"},
        links={OUT: ("EU", "US"), BACK: ("US", "EU")},
        canaries=(PERSON, DELIVERY, COMPANY, AMERICAN, CONTROL),
        stored=tuple((HOME, "EU", kind) for kind in (DUMP, BASE, ARCHIVE)),
        deeds=(Deed(HOME, "dump", "EU", 5, "/srv/backup/eu.dump"),),
        found=Found(
            tuple(each for each in (*HEALTHY, *more) if each is not without),
            (
                Searched(HOME, "at rest", files=3, bytes=9),
                Searched(ABROAD, "at rest", files=3, bytes=9),
                Searched(OUT, "in motion", files=1, bytes=9, packets=2),
                Searched(BACK, "in motion", files=1, bytes=9, packets=2),
            ),
        ),
    )


WRITTEN = (PERSON, DELIVERY, COMPANY, AMERICAN)


def test_a_healthy_run_is_clean() -> None:
    verdict = check(record(), WRITTEN)
    assert verdict.validity is Validity.VALID, verdict.reason
    assert causes_of(record()) == verdict.causes == ()


@pytest.mark.parametrize("number", [1, 4, 6, 7, 8, 9, 10, 11, 12])
def test_every_control_is_needed(number: int) -> None:
    verdict = check(record(without=HEALTHY[number]), WRITTEN)
    assert verdict.validity is Validity.UNKNOWN
    assert "control" in verdict.reason


@pytest.mark.parametrize(
    ("trace", "shown"),
    [
        (("row", "archived write-ahead log"), True),
        (("row", "spill file"), False),
        (("row", "TOAST pglz value"), False),
        # What nobody wrote leaves no trace.
        (("query", "texts of pg_stat_statements"), True),
    ],
)
def test_a_trace_that_is_not_found_makes_it_inconclusive(
    trace: tuple[str, str], shown: bool
) -> None:
    verdict = check(replace(record(), traces=(trace,)), WRITTEN)
    assert verdict.validity is (Validity.VALID if shown else Validity.UNKNOWN), verdict.reason


def test_a_trace_may_be_told_by_what_it_was_inside_of() -> None:
    inside = AtRest(HOME, "/srv/patroni/data/base/5/1", 3, ("TOAST pglz value",))
    large = Finding(PERSON.token, "utf-8", inside, how="table or index file")
    found = replace(record(large), traces=(("row", "TOAST pglz value"),))
    assert check(found, WRITTEN).validity is Validity.VALID


COPIED = "PostgreSQL COPY from the server (initial copy of a table, or a base backup)"


@pytest.mark.parametrize(
    ("findings", "clean"),
    [
        ((), False),
        ((wire(COMPANY, OUT, COPIED),), True),
        # Inside a jurisdiction a base backup is copied, which shows nothing of a seeding.
        ((wire(PERSON, "eu-west->eu-central", COPIED),), False),
    ],
)
def test_what_a_seeding_copied_must_be_seen_between_jurisdictions(
    findings: tuple[Finding, ...], clean: bool
) -> None:
    found = record(*findings)
    inside = {"eu-west->eu-central": ("EU", "EU")}
    seeded = Deed(ABROAD, SEEDED, "", 7, "from_eu: its slot placement_us is gone; 9 rows were read")
    found = replace(found, links={**found.links, **inside}, deeds=(*found.deeds, seeded))
    verdict = check(found, WRITTEN)
    assert (verdict.validity is Validity.VALID) is clean, verdict.reason
    assert clean or "copied between jurisdictions" in verdict.reason


def test_what_was_not_looked_for_makes_it_inconclusive() -> None:
    late = MADE.make("customers_eu", "s9", "customers/9", jurisdiction="EU")
    verdict = check(record(), (*WRITTEN, late))
    assert verdict.validity is Validity.UNKNOWN
    assert "completeness" in verdict.reason
    assert unsought(record(), (late,)) == (late,)


@pytest.mark.parametrize(
    ("cause", "findings"),
    [
        ("row filter", [wire(PERSON, OUT, "PostgreSQL logical replication, insert"),
                        at(PERSON, ABROAD, "table or index file")]),
        ("row filter", [wire(PERSON, OUT, "PostgreSQL logical replication, insert"),
                        at(PERSON, ABROAD, "dump")]),
        ("column list", [wire(DELIVERY, OUT, "PostgreSQL logical replication, insert"),
                         at(DELIVERY, ABROAD, "write-ahead log")]),
        ("standby", [wire(PERSON, OUT, "PostgreSQL physical replication"),
                     at(PERSON, ABROAD, "write-ahead log")]),
        ("backup", [wire(PERSON, OUT, "PostgreSQL COPY from the server (...)"),
                    at(PERSON, ABROAD, "dump")]),
        ("backup", [wire(PERSON, OUT, "PostgreSQL COPY from the server to pg_dump (...)")]),
        ("backup", [wire(PERSON, OUT, "PostgreSQL COPY from the server to pg_basebackup (...)"),
                    at(PERSON, ABROAD, "backup: table or index file")]),
        ("standby", [wire(PERSON, OUT, "PostgreSQL COPY from the server to pg_basebackup (...)"),
                     at(PERSON, ABROAD, "table or index file")]),
        # What was copied into a database there is dumped with the rest of it.
        ("copy", [wire(PERSON, OUT, "PostgreSQL COPY from the server (...)"),
                  at(PERSON, ABROAD, "table or index file"), at(PERSON, ABROAD, "dump"),
                  at(PERSON, ABROAD, "backup: archived write-ahead log")]),
        ("backup", [at(PERSON, ABROAD, "backup: table or index file")]),
        ("backup", [wire(PERSON, OUT, "PostgreSQL physical replication"),
                    at(PERSON, ABROAD, "backup: archived write-ahead log")]),
        ("statement log", [wire(PERSON, OUT, "port 7411"), at(PERSON, ABROAD, "log file")]),
        ("cache", [wire(PERSON, OUT, "PostgreSQL row returned by a query"),
                   at(PERSON, ABROAD, "cache's own file")]),
        ("Consul", [wire(PERSON, OUT, "PostgreSQL row returned by a query"),
                    at(PERSON, ABROAD, "Consul's raft log")]),
        ("routing", [wire(PERSON, OUT, "PostgreSQL bound values of a prepared statement")]),
        ("routing", [wire(PERSON, OUT, "PostgreSQL statement: insert"),
                     at(PERSON, ABROAD, "log file")]),
        # What is seeded again is read through the publication, and dumped with the rest there.
        ("row filter", [wire(PERSON, OUT, "PostgreSQL COPY from the server to placement_seed (.)"),
                        at(PERSON, ABROAD, "write-ahead log"), at(PERSON, ABROAD, "dump")]),
        ("column list", [wire(DELIVERY, OUT, "PostgreSQL COPY from the server to placement_seed"),
                         at(DELIVERY, ABROAD, "backup: table or index file")]),
        ("row filter", [wire(PERSON, OUT, "PostgreSQL COPY from the server to pg_16390_sync_1_7")]),
        ("copy", [wire(PERSON, OUT, "PostgreSQL COPY from the server to psql (...)"),
                  at(PERSON, ABROAD, "write-ahead log")]),
        ("copy", [wire(PERSON, OUT, "PostgreSQL COPY from the server (...)"),
                  at(PERSON, ABROAD, "write-ahead log")]),
        ("read", [wire(PERSON, OUT, "PostgreSQL row returned by a query")]),
        ("unexplained", [at(PERSON, ABROAD, "table or index file")]),
    ],
)  # fmt: skip
def test_the_cause_is_named(cause: str, findings: list[Finding]) -> None:
    found = record(*findings)
    named = causes_of(found)
    assert [one.name for one in named] == [cause]
    verdict = check(found, WRITTEN)
    assert verdict.validity is Validity.VIOLATION
    assert verdict.reason.startswith(CAUSES[cause])
    assert verdict.causes == named
    assert named[0].findings == len(findings)
    assert named[0].places == tuple(dict.fromkeys(place_of(one) for one in findings))


def test_a_standby_abroad_that_may_take_over_is_a_failover_target() -> None:
    findings = (
        wire(PERSON, OUT, "PostgreSQL physical replication"),
        at(PERSON, ABROAD, "write-ahead log"),
    )
    found = replace(record(*findings), heirs=((HOME, "EU"), (ABROAD, "EU")))
    (named,) = causes_of(found)
    assert (named.name, named.what) == ("failover", CAUSES["failover"])
    verdict = check_heirs(found)
    assert verdict.validity is Validity.VIOLATION
    assert ABROAD in verdict.reason


def test_who_may_be_primary_must_be_known_for_each_jurisdiction() -> None:
    assert check_heirs(record()).validity is Validity.UNKNOWN
    known = replace(record(), heirs=((HOME, "EU"), (ABROAD, "US")))
    assert check_heirs(known).validity is Validity.VALID


def test_a_leak_on_purpose_has_no_cause() -> None:
    assert causes_of(record(wire(CONTROL, OUT, "port 7400"))) == ()


def test_home_must_show_each_type_of_column() -> None:
    details = [one.detail for one in controls(record()) if one.name == "home"]
    assert details[0] == "customers_eu at home as utf-8"


def wanted(data_class: dict[str, Any], **table: Any) -> set[str]:
    """In which forms a class of some table has to be found at home."""
    columns = {"id": "bigint", "mail": "uuid", "age": "numeric", "at": "timestamptz"}
    policy = {
        "tables": {"people": {"columns": columns, "key": ["id"], **table}},
        "classes": {
            "customers_eu": {"name": "customers_eu", "table": "people", **data_class},
            "topics": {"name": "topics", "rule": "pinned", "columns": ["mail"]},
        },
    }
    own = replace(record(), policy=policy)
    [detail] = [
        one.detail for one in controls(own) if one.name == "home" and "customers_eu" in one.detail
    ]
    return set(detail.removeprefix("customers_eu at home as ").split(";")[0].split(", "))


def test_home_must_show_each_type_of_what_is_personal_and_no_key() -> None:
    every = ["id", "mail", "age", "at"]
    pinned = {"rule": "pinned", "columns": every}
    assert wanted(pinned, personal=["mail", "at"]) == {"uuid raw"}
    assert wanted(pinned) == {"uuid raw", "numeric little-endian"}
    assert wanted({**pinned, "rule": "freely"}, personal=["mail"]) == {
        "uuid raw",
        "numeric little-endian",
    }
    assert wanted({"rule": "pinned", "columns": ["id", "at"]}) == {"utf-8"}
    seen = [one for one in controls(record()) if one.name == "home"]
    assert all(one.shown for one in seen)


def test_a_type_that_was_not_found_at_home_leaves_a_doubt() -> None:
    policy = {
        **POLICY,
        "tables": {
            **POLICY["tables"],
            "customers": {
                "columns": {"id": "bigint", "full_name": "bytea"},
                "key": ["id"],
                "personal": ["full_name"],
            },
        },
    }
    verdict = check(replace(record(), policy=policy), WRITTEN)
    assert verdict.validity is Validity.UNKNOWN
    assert "not found as bytea raw" in verdict.reason


def test_what_was_read_by_a_query_and_lies_in_a_table_was_copied() -> None:
    named = causes_of(
        record(
            wire(PERSON, OUT, "PostgreSQL row returned by a query"),
            at(PERSON, ABROAD, "table or index file"),
        )
    )
    assert [(one.name, one.findings) for one in named] == [("copy", 1), ("read", 1)]
    assert named[0].places == (ABROAD,)


def test_causes_are_named_only_where_there_is_a_leak() -> None:
    assert check(record(), WRITTEN).reason.startswith("none of 5 canaries")


def test_columns_are_the_cause_only_where_a_class_of_the_table_crosses_without_them() -> None:
    """Another pinned class of the same table, however narrow, crosses nothing."""
    classes = {name: {**one, "rule": "pinned"} for name, one in POLICY["classes"].items()}
    leaked = record(wire(DELIVERY, OUT, "PostgreSQL logical replication, insert"))
    assert [one.name for one in causes_of(leaked)] == ["column list"]
    pinned = replace(leaked, policy={**POLICY, "classes": classes})
    assert [one.name for one in causes_of(pinned)] == ["row filter"]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "residency.json"
    write_record(record(), path)
    assert read_record(path) == record()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}', '{"version": 2}', "null"])
def test_a_damaged_record_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "residency.json"
    path.write_text(text)
    with pytest.raises(RecordError, match=r"residency\.json"):
        read_record(path)


def test_a_missing_record_says_what_it_means(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="did not end"):
        read_record(tmp_path / "residency.json")


def test_a_class_unknown_to_the_policy_is_a_doubt() -> None:
    odd = replace(record(), allowed={"companies": None})
    assert check(odd, WRITTEN).validity is Validity.UNKNOWN
