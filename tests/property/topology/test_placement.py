"""Policies of any shape: what is published is never pinned, and a spoilt file is refused."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from testbed.topology.catalogue import read_catalogue
from testbed.topology.inventory import inspect, load
from testbed.topology.placement import DataClass, Policy, policy_of
from testbed.topology.placement_plan import publications
from testbed.topology.shipped import inventories
from tests.property.topology.test_inventory import lines_of, odd_keys, odd_values, paths_in

SHIPPED = inventories() / "data-placement"
CATALOGUE = read_catalogue(inventories() / "variables", [])
HOMES = ("EU", "US")
COLUMNS = ("a", "b", "c", "d")


def dump(document: Any) -> str:
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def inspected(document: Any) -> Any:
    """The shipped inventory with another policy."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "drawn"
        shutil.copytree(SHIPPED, folder)
        (folder / "group_vars" / "policy.yml").write_text(dump(document))
        found = inspect(folder, catalogue=CATALOGUE)
        for problem in found.problems:
            path = Path(problem.place.file)
            assert path.is_file()
            assert problem.place.line is not None
            assert 1 <= problem.place.line <= lines_of(path)
            assert problem.message
            assert problem.remedy
            assert "\n" not in str(problem)
        return found


shares = st.lists(st.sampled_from(["personal", "shared", "unused"]), min_size=4, max_size=4)


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """Policies of tables in which each column is pinned, crosses, or is in no class."""
    document: dict[str, Any] = yaml.safe_load((SHIPPED / "group_vars" / "policy.yml").read_text())
    document["tables"], document["classes"] = {}, {}
    for number in range(draw(st.integers(1, 3))):
        table, kinds = f"t{number}", dict(zip(COLUMNS, draw(shares), strict=True))
        personal = [name for name, kind in kinds.items() if kind == "personal"]
        shared = [name for name, kind in kinds.items() if kind == "shared"]
        document["tables"][table] = {
            "columns": {"id": "bigint", "residency": "text", **dict.fromkeys(COLUMNS, "text")},
            "key": ["id", "residency"],
            "personal": personal,
        }
        for home in HOMES if personal else ():
            document["classes"][f"{table}_{home.lower()}"] = {
                "rule": "pinned", "jurisdiction": home, "table": table, "residency": home,
                "columns": personal,
            }  # fmt: skip
        rows = draw(st.sampled_from(["ANY", None, "nobody"]))
        if rows != "nobody":
            # Of rows that are at home nowhere, personal columns may cross as well.
            columns = [*shared, *personal] if rows == "ANY" else shared
            document["classes"][f"{table}_free"] = {
                "rule": "freely", "table": table, "columns": ["id", "residency", *columns],
                **({"residency": rows} if rows else {}),
            }  # fmt: skip
    return document


def is_of(one: DataClass, table: str, residency: str, column: str) -> bool:
    """Whether a column of a row with a residency is of a class: by the policy alone."""
    rows = one.residency in (None, residency)
    return one.table == table and rows and column in one.columns


@given(policies())
def test_what_is_published_is_what_may_cross_and_never_pinned(document: dict[str, Any]) -> None:
    found = inspected(document)
    assert found.problems == ()
    policy: Policy = found.deployment.policy
    published = {one.table: one for one in publications(policy)}
    for table in policy.tables.values():
        for residency in (*HOMES, "ANY"):
            one = published.get(table.name)
            rows = one is not None and (
                not one.row_filter or f"residency = '{residency}'" in one.row_filter.split(" OR ")
            )
            for column in set(table.columns) - set(table.key):
                sent = rows and (not one.columns or column in one.columns) if one else False
                classes = [
                    each
                    for each in policy.classes.values()
                    if is_of(each, table.name, residency, column)
                ]
                assert sent == any(each.crosses for each in classes)
                assert not (sent and any(not each.crosses for each in classes))
    assert policy_of(policy.document()) == policy


@given(policies(), st.data())
def test_a_personal_column_that_crosses_is_refused(
    document: dict[str, Any], data: st.DataObject
) -> None:
    crossing = [
        (one, column)
        for one in document["classes"].values()
        if one["rule"] == "freely" and "residency" not in one
        for column in document["tables"][one["table"]]["personal"]
    ]
    assume(crossing)
    one, column = data.draw(st.sampled_from(crossing))
    one["columns"].append(column)
    found = inspected(document)
    assert found.deployment is None
    assert any(f"lets {column} cross" in each.message for each in found.problems)


@given(st.data())
def test_a_spoilt_policy_is_read_or_refused(data: st.DataObject) -> None:
    document = yaml.safe_load((SHIPPED / "group_vars" / "policy.yml").read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        paths = list(paths_in(document))
        assume(paths)
        *way, key = data.draw(st.sampled_from(paths))
        place: Any = document
        for step in way:
            place = place[step]
        change = data.draw(st.sampled_from(["drop", "replace", "rename", "add"]))
        if change == "replace":
            place[key] = data.draw(odd_values)
        elif change == "add" and isinstance(place[key], dict):
            place[key][data.draw(odd_keys)] = data.draw(odd_values)
        elif change == "rename" and isinstance(place, dict):
            place[data.draw(odd_keys)] = place.pop(key)
        else:
            del place[key]
    found = inspected(document)
    assert (found.deployment is None) == bool(found.problems)


def test_the_shipped_policy_survives_json() -> None:
    policy = load(SHIPPED).policy
    assert policy is not None
    assert policy_of(policy.document()) == policy
    assert policy.allowed()["customers_eu"] == ("EU",)
    assert policy.allowed()["companies"] is None
