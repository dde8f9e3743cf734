"""One edit of the shipped policy, one problem: with its file, line and remedy."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from testbed.topology.catalogue import read_catalogue
from testbed.topology.inventory import load
from testbed.topology.problem import InventoryError, Problem
from testbed.topology.shipped import inventories

HOSTS = "hosts.yml"
ALL = "group_vars/all.yml"
POLICY = "group_vars/policy.yml"
CATALOGUE = read_catalogue(inventories() / "variables", [])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of data-placement, to be spoilt."""
    shutil.copytree(inventories() / "data-placement", tmp_path / "data-placement")
    return tmp_path / "data-placement"


def problems_of(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(InventoryError) as caught:
        load(folder, catalogue=CATALOGUE)
    return caught.value.problems


@dataclass(frozen=True)
class Case:
    """An edit and the problem that it must bring.

    `at` is a text on the problem's line; `more` says that other problems follow from the edit.
    """

    old: str
    new: str
    at: str
    message: str
    remedy: str
    file: str = POLICY
    more: bool = False


ONE_PROBLEM = {
    "unknown table": Case(
        "{rule: freely, table: products}", "{rule: freely, table: product}", "table: product}",
        "products names an unknown table, product", "did you mean products?",
    ),
    "unknown column of a class": Case(
        "columns: [id, residency, pseudonym, amount]",
        "columns: [id, residency, pseudonym, amounts]", "amounts]",
        "order_figures names a column that orders has not, amounts", "did you mean amount?",
    ),
    "unknown rule": Case(
        "{rule: freely, table: products}", "{rule: free, table: products}", "rule: free,",
        "products has the unknown rule free", "did you mean freely?",
    ),
    "unknown field of a class": Case(
        "    mapping: pseudonyms", "    mappings: pseudonyms", "    mappings",
        "unknown field mappings in the class order_figures", "did you mean mapping?", more=True,
    ),
    "a class of messages": Case(
        "key_prefix: personal/eu/", "topic: personal_eu", "topic: personal_eu",
        "unknown field topic in the class sessions_eu", "Consul's events reach every server",
        more=True,
    ),
    "unknown type": Case(
        "      phone: bigint", "      phone: bigin", "      phone: bigin\n",
        "customers.phone is of the unknown type bigin", "did you mean bigint?",
    ),
    "key without such a column": Case(
        "    key: [id]", "    key: [ident]", "    key: [ident]",
        "products has no column ident", "did you mean id?", more=True,
    ),
    "a region without a jurisdiction in the policy": Case(
        "            jurisdiction: US", "            jurisdiction: CA", "        us_east:",
        "us-east is in CA, which the policy does not know", "add CA", file=HOSTS, more=True,
    ),
    "a jurisdiction without a region": Case(
        "  US:\n    failover", "  APAC:\n    failover: []\n    backups: []\n    clients: []\n"
        "  US:\n    failover", "  APAC:", "no region is in the jurisdiction APAC", "use one of",
        more=True,
    ),
    "no failover target inside": Case(
        "failover: [eu-west, eu-central]", "failover: [eu-west]", "  EU:\n",
        "no failover target inside EU, where 1 of its servers may be primary", "add a host of EU",
    ),
    "failover abroad": Case(
        "failover: [eu-west, eu-central]", "failover: [eu-west, eu-central, us-east]",
        "failover: [eu-west, eu-central, us-east]",
        "EU fails over to us-east, which is in US", "use some of: eu-west, eu-central",
    ),
    "backups abroad": Case(
        "backups: [eu-central]", "backups: [eu-central, us-east]", "backups: [eu-central, us",
        "EU stores backups in us-east, which is in US", "use some of",
    ),
    "backups where nothing stores them": Case(
        "backups: [eu-central]", "backups: [eu-central, eu-west]", "backups: [eu-central, eu-w",
        "EU stores backups in eu-west, which has no store", "add a host of it to the group stores",
    ),
    "an unknown region": Case(
        "clients: [us-east]", "clients: [us-eats]", "clients: [us-eats]",
        "US serves clients of us-eats, which is no region", "did you mean us-east?", more=True,
    ),
    "clients routed abroad": Case(
        "haproxy_writers: own_jurisdiction", "haproxy_writers: anywhere", "haproxy_writers: any",
        "haproxy_writers is anywhere: clients would be routed over a border",
        "write own_jurisdiction", file=ALL,
    ),
    "a cluster over a border": Case(
        "patroni_scope: us", "patroni_scope: eu", "            us-east-db1:",
        "us-east-db1 in US is in one cluster (eu) with eu-west-db1 in EU",
        "a patroni_scope of their own", file=HOSTS, more=True,
    ),
    "a server that keeps no policy": Case(
        "    placement:\n      hosts:\n        eu-west-db1:\n", "    placement:\n      hosts:\n",
        "            eu-west-db1:", "eu-west-db1 is in postgres but not in placement", "add it",
        file=HOSTS,
    ),
    "a personal column that crosses": Case(
        "columns: [id, residency, pseudonym, amount]",
        "columns: [id, residency, pseudonym, amount, delivery_address]", "  order_figures:",
        "order_figures lets delivery_address cross, which deliveries_eu pins", "out of one",
        more=True,
    ),
    "a personal column that nobody pins": Case(
        "    columns: [delivery_address]\n    because: GDPR",
        "    columns: [amount]\n    because: GDPR", "    personal: [delivery_address]",
        "no class pins orders.delivery_address to EU", "add a pinned class of EU", more=True,
    ),
    "what crosses lacks its key": Case(
        "columns: [id, residency, pseudonym, amount]", "columns: [id, pseudonym, amount]",
        "  order_figures:", "order_figures crosses without orders's key residency", "add",
    ),
    "two lists of one table": Case(
        "  products:\n    {rule: freely, table: products}",
        "  prices:\n    {rule: freely, table: products, columns: [id, price]}\n"
        "  products:\n    {rule: freely, table: products}", "  products:\n    {rule",
        "products and prices cross with different columns of one table", "the same columns",
    ),
    "two classes of one column": Case(
        "  products:\n    {rule", "  more:\n    {rule: pinned, jurisdiction: EU, table: pseudonyms,"
        " residency: EU}\n  products:\n    {rule", "  more:",
        "more and pseudonyms_eu both pin customer_id, secret", "keep each column in one of them",
    ),
    "pinned to a place that is not the row's": Case(
        "{rule: pinned, jurisdiction: US, table: customers, residency: US, because: contracts}",
        "{rule: pinned, jurisdiction: EU, table: customers, residency: US, because: contracts}",
        "EU, table: customers, residency: US", "customers_us pins rows of US to EU",
        "write `residency: EU`", more=True,
    ),
    "pinned to nothing": Case(
        "{rule: pinned, jurisdiction: EU, key_prefix: personal/eu/, because: GDPR}",
        "{rule: pinned, key_prefix: personal/eu/, because: GDPR}", "  sessions_eu:",
        "sessions_eu is pinned to nothing", "add `jurisdiction:`",
    ),
    "neither rows nor keys": Case(
        "{rule: freely, table: products}", "{rule: freely}", "  products:\n    {rule",
        "products is neither rows nor keys", "state either",
    ),
    "prefixes of one another": Case(
        "key_prefix: personal/us/", "key_prefix: personal/", "key_prefix: personal/,",
        "keys of sessions_us (personal/) are keys of sessions_eu (personal/eu/) as well", "neither",
    ),
    "rows of a table whose key does not tell them": Case(
        "    key: [pseudonym, residency]", "    key: [pseudonym]",
        "table: pseudonyms, residency: EU",
        "pseudonyms_eu picks rows of pseudonyms, whose key lacks residency", "add residency",
        more=True,
    ),
    "a pseudonym without its mapping": Case(
        "    mapping: pseudonyms\n", "", "  order_figures:",
        "order_figures does not say what leads from the pseudonym to the person", "add `mapping",
    ),
    "a mapping that crosses": Case(
        "  products:\n    {rule", "  keys:\n    {rule: freely, table: pseudonyms, residency: ANY}\n"
        "  products:\n    {rule", "  keys:", "keys lets the mapping of order_figures cross",
        "pin pseudonyms in each jurisdiction",
    ),
    "a personal key": Case(
        "personal: [customer_id, secret]", "personal: [customer_id, secret, pseudonym]",
        "personal: [customer_id, secret, pseudonym]", "pseudonyms.pseudonym is personal and in the",
        "keep it out of the key",
    ),
    "nothing says what is at home nowhere": Case(
        "free: ANY\n", "", "residency: residency", "the policy has no free", "add `free:`",
        more=True,
    ),
    "a list that is none": Case(
        "    key: [id]", "    key: id", "    key: id", "products's key: no list", "write [NAME",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ONE_PROBLEM.values(), ids=ONE_PROBLEM.keys())
def test_a_problem_has_its_file_line_and_remedy(folder: Path, case: Case) -> None:
    path = folder / case.file
    before = path.read_text()
    assert case.old in before
    text = before.replace(case.old, case.new, 1)
    path.write_text(text)
    problems = problems_of(folder)
    said = "\n".join(map(str, problems))
    wanted = [each for each in problems if case.message in each.message]
    assert len(wanted) == 1, said
    assert wanted[0].place.file == str(folder / case.file)
    assert case.at in text
    assert wanted[0].place.line == text[: text.index(case.at)].count("\n") + 1, said
    assert case.remedy in wanted[0].remedy
    assert (len(problems) > 1) is case.more, said


def test_all_problems_are_listed_together_in_order(folder: Path) -> None:
    text = (folder / POLICY).read_text()
    text = text.replace("table: products}", "table: product}").replace("[us-east]", "[us-eats]")
    (folder / POLICY).write_text(text)
    problems = problems_of(folder)
    assert {
        "products names an unknown table, product",
        "US fails over to us-eats, which is no region",
    } <= {each.message for each in problems}
    lines = [each.place.line or 0 for each in problems if each.place.file.endswith("policy.yml")]
    assert lines == sorted(lines)


def test_a_group_that_keeps_a_policy_needs_one(folder: Path) -> None:
    (folder / POLICY).unlink()
    (problem,) = problems_of(folder)
    assert problem.message == "there is a group placement, and no policy for it to keep"


@pytest.mark.parametrize(
    "text", ["", "- a\n", "classes: [\n", "residency: NO\n", "tables: {a: b}\n"]
)
def test_what_is_no_policy_is_refused(folder: Path, text: str) -> None:
    (folder / POLICY).write_text(text)
    for problem in problems_of(folder):
        assert problem.place.file.endswith(("policy.yml", "hosts.yml")), problem


def without_store(folder: Path) -> None:
    """No store in the US any more."""
    hosts = (folder / HOSTS).read_text()
    text = re.sub(r" +us-east-store1:\n( {14}.*\n)*", "", hosts)
    assert "us-east-store1" not in text
    (folder / HOSTS).write_text(text)


def test_backups_need_a_store_and_a_store_needs_permission(folder: Path) -> None:
    policy = (folder / POLICY).read_text()
    (folder / POLICY).write_text(policy.replace("backups: [us-east]", "backups: []"))
    (problem,) = problems_of(folder)
    wanted = "us-east-store1 stores backups in us-east, where no jurisdiction lets it"
    assert problem.message == wanted
    without_store(folder)
    load(folder, catalogue=CATALOGUE)
    (folder / POLICY).write_text(policy)
    (problem,) = problems_of(folder)
    assert problem.message == "US stores backups in us-east, which has no store"


def test_a_mistake_that_cannot_be_made_there_is_refused(folder: Path) -> None:
    without_store(folder)
    policy = (folder / POLICY).read_text().replace("backups: [us-east]", "backups: []")
    (folder / POLICY).write_text(policy)
    load(folder, {"placement_mutant": "forgotten_column"}, catalogue=CATALOGUE)
    with pytest.raises(InventoryError, match="needs a host in US in the group stores"):
        load(folder, {"placement_mutant": "backup_abroad"}, catalogue=CATALOGUE)
