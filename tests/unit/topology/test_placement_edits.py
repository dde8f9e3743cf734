"""Edge cases of a policy: each is a valid policy, and says where what was written may be by it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.topology.inventory import find, inspect, load
from testbed.topology.placement import PINNED, Policy
from testbed.topology.placement_edits import EDITS, edited_class, reach
from testbed.topology.placement_plan import Published, publications
from testbed.topology.shipped import inventories

POLICY = load(find("data-placement")).policy
assert POLICY is not None
ALL = POLICY.tables["orders"].columns


def policy_file(policy: Policy) -> dict[str, Any]:
    """A policy as an operator writes it."""
    return {
        "residency": policy.residency,
        "free": policy.free,
        "jurisdictions": {
            name: {"failover": [*one.failover], "backups": [*one.backups],
                   "clients": [*one.clients]}
            for name, one in policy.jurisdictions.items()
        },
        "tables": {
            name: {"columns": dict(one.columns), "key": [*one.key], "personal": [*one.personal]}
            for name, one in policy.tables.items()
        },
        "classes": {
            name: {
                key: value
                for key, value in {
                    "rule": one.rule, "jurisdiction": one.jurisdiction, "table": one.table,
                    "residency": one.residency, "columns": [*one.columns],
                    "key_prefix": one.key_prefix, "mapping": one.mapping,
                }.items()
                if value
            }
            for name, one in policy.classes.items()
        },
    }  # fmt: skip


@pytest.mark.parametrize("home", ["EU", "US"])
@pytest.mark.parametrize("name", EDITS)
def test_each_is_a_policy_that_can_be_used(name: str, home: str, tmp_path: Path) -> None:
    assert POLICY is not None
    edited = EDITS[name](POLICY, home)
    folder = tmp_path / "edited"
    shutil.copytree(inventories() / "data-placement", folder)
    (folder / "group_vars" / "policy.yml").write_text(yaml.safe_dump(policy_file(edited)))
    found = inspect(folder)
    assert found.problems == ()
    assert found.deployment is not None
    read = found.deployment.policy
    assert read is not None
    assert publications(read) == publications(edited)
    assert publications(edited) != publications(POLICY)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("pin_rows", Published("orders", ("id", "residency", "pseudonym", "amount"),
                               "residency = 'EU'")),
        ("pin_columns", Published("orders", ("id", "residency"), "residency = 'EU'")),
        ("pin_table", None),
        ("free_columns", Published("orders")),
    ],
)  # fmt: skip
def test_what_each_publishes_of_the_table(name: str, published: Published | None) -> None:
    assert POLICY is not None
    found = [one for one in publications(EDITS[name](POLICY, "EU")) if one.table == "orders"]
    assert found == ([] if published is None else [published])


@pytest.mark.parametrize(
    ("name", "figures", "deliveries"),
    [
        ("pin_rows", {"EU": None, "US": ("US",)}, {"EU": ("EU",), "US": ("US",)}),
        ("pin_columns", {"EU": ("EU",), "US": ("US",)}, {"EU": ("EU",), "US": ("US",)}),
        ("pin_table", {"EU": ("EU",), "US": ("US",)}, {"EU": ("EU",), "US": ("US",)}),
        ("free_columns", {"EU": None, "US": None}, {"EU": None, "US": None}),
    ],
)
def test_where_orders_may_be_by_each(name: str, figures: Any, deliveries: Any) -> None:
    assert POLICY is not None
    found = reach(POLICY, EDITS[name](POLICY, "EU"))
    assert found["order_figures"] == figures
    for home, where in deliveries.items():
        assert found[f"deliveries_{home.lower()}"][home] == where


def test_by_the_policy_itself_everything_may_be_where_it_says() -> None:
    assert POLICY is not None
    allowed = POLICY.allowed()
    found = reach(POLICY, POLICY)
    assert set(found) == {name for name, one in POLICY.classes.items() if one.table}
    for name, homes in found.items():
        home = POLICY.classes[name].jurisdiction
        assert [homes[home]] if home else set(homes.values()) in ([allowed[name]], {None})


def test_every_other_class_is_left_alone() -> None:
    assert POLICY is not None
    for name, edit in EDITS.items():
        found = reach(POLICY, edit(POLICY, "US"))
        for each in ("customers_eu", "pseudonyms_us", "companies", "products"):
            assert found[each] == reach(POLICY, POLICY)[each], name


def test_a_policy_without_a_pseudonym_has_no_edge_case() -> None:
    assert POLICY is not None
    pinned = {name: one for name, one in POLICY.classes.items() if one.rule == PINNED}
    bare = Policy(POLICY.residency, POLICY.free, POLICY.tables, pinned, POLICY.jurisdictions)
    assert edited_class(bare) is None
    with pytest.raises(ValueError, match="nothing to edit"):
        EDITS["pin_rows"](bare, "EU")
