"""What every host does under the shipped policy, and what each mistake changes in that."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from testbed.topology.catalogue import read_catalogue
from testbed.topology.inventory import find, load
from testbed.topology.placement_hosts import placement_plan, placement_variables
from testbed.topology.placement_mutants import MUTANTS
from testbed.topology.placement_plan import PlacementPlan, Published
from testbed.topology.problem import InventoryError
from testbed.topology.shipped import inventories

CATALOGUE = read_catalogue(inventories() / "variables", [])

EU, US = ("10.77.1.10", "10.77.2.10"), ("10.77.3.10", "10.77.3.13")
STORE = "us-east-store1"


def plan(mutant: str = "none") -> PlacementPlan:
    found = placement_plan(load(find("data-placement"), {"placement_mutant": mutant}))
    assert found is not None
    return found


def test_the_policy_drives_what_is_published() -> None:
    for server in plan().servers.values():
        assert server.publishes == (
            Published("customers", (), "residency = 'ANY'"),
            Published("orders", ("id", "residency", "pseudonym", "amount"), ""),
            Published("products", (), ""),
        )


def test_clusters_and_stores_stay_in_their_jurisdiction() -> None:
    found = plan()
    assert {one.node: one.scope for one in found.servers.values()} == {
        "eu-west-db1": "eu",
        "eu-central-db1": "eu",
        "us-east-db1": "us",
        "us-east-db2": "us",
    }
    assert all(one.takes_over for one in found.servers.values())
    assert found.servers["eu-west-db1"].peers == {"US": US}
    assert found.stores["eu-central-store1"].backs_up == {"EU": EU}
    assert found.stores[STORE].backs_up == {"US": US}


def test_every_mistake_is_a_choice_of_the_variable_and_changes_the_plan() -> None:
    deployment = load(find("data-placement"))
    plans = [plan(name) for name in ("none", *MUTANTS)]
    assert len(MUTANTS) == 9
    assert all(one != other for i, one in enumerate(plans) for other in plans[:i])
    assert placement_variables(deployment)["us-east-db2"]["patroni_scope"] == "us"
    for name in MUTANTS:
        changed = load(find("data-placement"), {"placement_mutant": name})
        assert placement_variables(changed) != placement_variables(deployment)


def test_publications_with_a_mistake() -> None:
    unfiltered = plan("unfiltered_publication")
    assert unfiltered.servers["eu-west-db1"].publishes[0] == Published("customers")
    assert unfiltered.servers["us-east-db1"] == plan().servers["us-east-db1"]
    forgotten = plan("forgotten_column").servers["eu-west-db1"].publishes[1]
    assert forgotten.columns == ("id", "residency", "pseudonym", "amount", "delivery_address")


@pytest.mark.parametrize(("mutant", "may"), [("standby_abroad", False), ("failover_abroad", True)])
def test_a_server_abroad_in_the_cluster_at_home(mutant: str, may: bool) -> None:
    found = plan(mutant)
    moved = found.servers["us-east-db2"]
    assert (moved.jurisdiction, moved.scope, moved.takes_over) == ("EU", "eu", may)
    assert found.servers["us-east-db1"].peers == {"EU": (*EU, US[1])}
    assert found.servers["eu-west-db1"].peers == {"US": US[:1]}


def test_stores_with_a_mistake() -> None:
    assert plan("backup_abroad").stores[STORE].backs_up == {"US": US, "EU": EU}
    assert plan("cache_abroad").stores[STORE].caches == EU
    assert plan("stray_replica").stores[STORE].copies == (EU, US)
    logging = plan("central_statement_log")
    assert logging.stores[STORE].collects_logs
    assert logging.servers["eu-central-db1"].ships_log_to == "10.77.3.12"
    assert not logging.servers["us-east-db1"].logs_statements


def test_a_deployment_without_a_policy_has_no_plan() -> None:
    assert placement_plan(load(find("active-passive"))) is None
    assert placement_variables(load(find("active-passive"))) == {}


HOSTS = """
        asia:
          vars: {region: asia, jurisdiction: AP-1, patroni_scope: asia}
          hosts:
            asia-db1: {address: 10.77.4.10, wan_ports: [5432, 8008, 8300, 8301, 7400]}
            asia-db2: {address: 10.77.4.11, wan_ports: [5432, 8008, 8300, 8301]}
            asia-lb1: {address: 10.77.4.12}
"""
BACK = "  asia:\n" + "".join(
    f"    {name}: {{delay_ms: 90}}\n" for name in ("eu-west", "eu-central", "us-east")
)
PLACE = "  AP-1: {failover: [asia], backups: [], clients: [asia]}\n"
CLASSES = """
  customers_ap:
    {rule: pinned, jurisdiction: AP-1, table: customers, residency: AP-1}
  pseudonyms_ap:
    {rule: pinned, jurisdiction: AP-1, table: pseudonyms, residency: AP-1}
  deliveries_ap:
    {rule: pinned, jurisdiction: AP-1, table: orders, residency: AP-1, columns: [delivery_address]}
"""


def with_asia(folder: Path) -> None:
    """A fourth region, in a third jurisdiction, by an edit of the inventory."""
    hosts = (folder / "hosts.yml").read_text()
    hosts = hosts.replace("\n    # 5432 PostgreSQL", f"{HOSTS}\n    # 5432 PostgreSQL", 1)
    for group in ("postgres", "placement", "consul"):
        members = "        asia-db1:\n        asia-db2:\n"
        hosts = hosts.replace(
            f"    {group}:\n      hosts:\n", f"    {group}:\n      hosts:\n{members}"
        )
    hosts = hosts.replace(
        "    haproxy:\n      hosts:\n", "    haproxy:\n      hosts:\n        asia-lb1:\n"
    )
    (folder / "hosts.yml").write_text(hosts)
    every = (folder / "group_vars/all.yml").read_text()
    for name in ("eu-west", "eu-central", "us-east"):
        every = every.replace(f"\n  {name}:\n", f"\n  {name}:\n    asia: {{delay_ms: 90}}\n", 1)
    every = every.replace("links:\n", f"links:\n{BACK}", 1)
    (folder / "group_vars/all.yml").write_text(every)
    policy = (folder / "group_vars/policy.yml").read_text()
    policy = policy.replace("jurisdictions:\n", f"jurisdictions:\n{PLACE}", 1)
    (folder / "group_vars/policy.yml").write_text(policy + CLASSES)


def test_a_region_and_a_jurisdiction_more_are_an_edit_of_the_inventory(tmp_path: Path) -> None:
    folder = tmp_path / "data-placement"
    shutil.copytree(find("data-placement"), folder)
    with_asia(folder)
    found = placement_plan(load(folder, catalogue=CATALOGUE))
    assert found is not None
    assert found.servers["asia-db1"].peers == {"EU": EU, "US": US}
    assert found.servers["us-east-db1"].peers == {"AP-1": ("10.77.4.10", "10.77.4.11"), "EU": EU}
    assert found.servers["asia-db1"].publishes == found.servers["eu-west-db1"].publishes
    policy = load(folder, catalogue=CATALOGUE).policy
    assert policy is not None
    assert policy.allowed()["customers_ap"] == ("AP-1",)


def test_what_may_be_everywhere_has_a_cluster_of_its_own() -> None:
    deployment = load(find("data-placement-active-passive"))
    assert deployment.policy == load(find("data-placement")).policy
    found = placement_plan(deployment)
    assert found is not None
    everywhere = found.cluster("everywhere")
    assert [one.node for one in everywhere] == ["eu-west-db2", "eu-central-db2", "us-east-db3"]
    for one in everywhere:
        assert (one.scope, one.publishes, one.peers) == ("everywhere", (), {"EU": EU, "US": US})
    assert found.servers["eu-west-db1"].peers == {"US": US}
    assert found.stores["eu-central-store1"].backs_up == {"EU": EU}
    # Its members are no failover targets of what is pinned.
    assert [one.node for one in found.cluster("EU")] == ["eu-west-db1", "eu-central-db1"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    everywhere:\n      hosts:\n", "    everywhere:\n      hosts:\n        eu-west-db1:\n",
         "eu-west-db1 is in placement and in everywhere"),
        ("    everywhere:\n      hosts:\n", "    everywhere:\n      hosts:\n        us-east-lb1:\n",
         "us-east-lb1 is in everywhere but not in postgres"),
        ("        eu-central-db2:\n        us-east-db3:\n    # 7411",
         "        us-east-db3:\n    # 7411",
         "eu-central-db2 is in postgres but not in placement"),
    ],
)  # fmt: skip
def test_a_server_is_of_one_kind(tmp_path: Path, old: str, new: str, said: str) -> None:
    folder = tmp_path / "drawn"
    shutil.copytree(find("data-placement-active-passive"), folder)
    hosts = (folder / "hosts.yml").read_text()
    assert old in hosts
    (folder / "hosts.yml").write_text(hosts.replace(old, new, 1))
    with pytest.raises(InventoryError, match=said):
        load(folder, catalogue=CATALOGUE)
