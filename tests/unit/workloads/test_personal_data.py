"""Personal data: what each region writes, and canaries that say where it belongs."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from typing import Any

import pytest

from testbed.clients.personal_data_operations import PERSONAL_DATA, key_of, typed
from testbed.clients.protocol import Invocation
from testbed.topology.model import Region
from testbed.workloads.parameter import WorkloadError
from testbed.workloads.personal_data import WRITES, PersonalDataWorkload
from testbed.workloads.personal_data_writer import FREE

JURISDICTIONS = {"eu-west": "EU", "eu-central": "EU", "us-east": "US"}
REGIONS = [Region(name, where, n) for n, (name, where) in enumerate(JURISDICTIONS.items(), 1)]


def operations(region: str, count: int = 400, space: int = 5, **given: int) -> list[Invocation]:
    workload = PersonalDataWorkload(given, REGIONS, space)
    return list(itertools.islice(workload.stream(region, random.Random(region)), count))


def canaries(made: list[Invocation]) -> list[dict[str, Any]]:
    return [canary for one in made for canary in one.value["canaries"]]


def test_every_kind_of_write_comes_first_once() -> None:
    first = [one.f for one in operations("eu-west", 12)]
    assert Counter(first)["register"] == 1
    assert {*first} == {*WRITES, "sort"} - {"depart"}


def test_every_function_is_one_that_the_client_knows() -> None:
    made = {one.f for region in JURISDICTIONS for one in operations(region)}
    assert made == {*WRITES, "sort"}
    assert made <= PERSONAL_DATA.keys()


def test_a_kind_with_no_share_never_comes() -> None:
    made = operations("us-east", misplaced_percent=0, imports_percent=0)
    assert not {"misplace", "import"} & {one.f for one in made}


def test_the_same_run_writes_the_same_and_another_nothing_of_it() -> None:
    assert operations("eu-west") == operations("eu-west")
    tokens = {canary["token"] for canary in canaries(operations("eu-west"))}
    others = canaries(operations("eu-west", space=6)) + canaries(operations("eu-central"))
    assert tokens.isdisjoint(canary["token"] for canary in others)


@pytest.mark.parametrize("region", JURISDICTIONS)
def test_a_region_writes_what_is_at_home(region: str) -> None:
    home = JURISDICTIONS[region]
    for one in operations(region):
        residencies = {
            row.get("columns", {}).get("residency") or row.get("key", {}).get("residency")
            for row in one.value["rows"]
        } - {None}
        if one.f == "misplace":
            assert residencies == {"US" if home == "EU" else "EU"}
        else:
            assert residencies <= {home, FREE}
        for canary in one.value["canaries"]:
            assert canary["jurisdiction"] in (residencies - {FREE} or {home})


def test_no_two_regions_insert_a_row_with_one_key() -> None:
    keys: Counter[tuple[str, object, object]] = Counter()
    for region in JURISDICTIONS:
        for one in operations(region):
            for row in one.value["rows"]:
                columns = row["columns"]
                if "key" not in row and "id" in columns and one.f not in ("undo", "misplace"):
                    keys[row["table"], columns["id"], columns.get("residency")] += 1
                elif one.f in ("depart", "forget") and "id" in row["key"]:
                    keys[row["table"], row["key"]["id"], row["key"]["residency"]] -= 1
    assert max(keys.values()) == 1


def test_pinned_canaries_are_in_no_column_that_crosses() -> None:
    for one in operations("eu-west"):
        pinned = [
            c for c in one.value["canaries"] if c["data_class"].startswith(("cust", "ps", "de"))
        ]
        for row in one.value["rows"]:
            crossing = {k: v for k, v in row["columns"].items() if k in ("pseudonym", "amount")}
            for canary in pinned:
                assert canary["uuid"] not in crossing.values()
                assert canary["numeric"] not in crossing.values()


def test_a_company_that_becomes_a_person_keeps_no_old_value() -> None:
    written = {one.key: one for one in operations("eu-west") if one.f == "publish"}
    changed = [one for one in operations("eu-west") if one.f == "reclassify"]
    assert changed
    for one in changed:
        (before, _), (after,) = written[one.key].value["rows"], one.value["rows"]
        personal = before["columns"].keys() - {"id", "residency"}
        assert personal <= after["columns"].keys()
        assert all(before["columns"][name] != after["columns"][name] for name in personal)


def test_subjects_of_another_jurisdiction_arrive_with_new_canaries() -> None:
    own = {
        one.key for one in operations("eu-west") + operations("eu-central") if one.f == "register"
    }
    arrived = [one for one in operations("us-east", moves_percent=20) if one.f == "arrive"]
    assert any(one.key in own for one in arrived)
    assert {c["jurisdiction"] for one in arrived for c in one.value["canaries"]} == {"US"}


def test_shares_that_leave_nothing_are_refused() -> None:
    with pytest.raises(WorkloadError):
        PersonalDataWorkload({"changes_percent": 60}, REGIONS)


def test_the_region_must_be_known() -> None:
    with pytest.raises(KeyError):
        next(PersonalDataWorkload({}, REGIONS).stream("b", random.Random(1)))


def test_columns_are_typed_and_keys_belong_to_the_run() -> None:
    found = typed({"id": 7, "photo": "00ff", "credit": "1.5", "notes": "x"}, 3)
    assert found["id"] == key_of(3, 7) == 3_000_007
    assert found["photo"] == b"\x00\xff"
    assert str(found["credit"]) == "1.5"
    assert found["notes"] == "x"
