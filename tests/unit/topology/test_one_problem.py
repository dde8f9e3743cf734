"""One edit of a shipped inventory, one problem: with its file, line and remedy."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from testbed.topology.catalogue import read_catalogue
from testbed.topology.inventory import load
from testbed.topology.problem import InventoryError
from testbed.topology.shipped import inventories

HOSTS = "hosts.yml"
ALL = "group_vars/all.yml"
CATALOGUE = read_catalogue(inventories() / "variables", [])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of active-passive, to be spoilt."""
    shutil.copytree(inventories() / "active-passive", tmp_path / "active-passive")
    return tmp_path / "active-passive"


@dataclass(frozen=True)
class Case:
    """An edit and the problem that it must bring.

    `at` is a text on the problem's line; `more` says that other problems follow from the edit.
    """

    file: str
    old: str
    new: str
    at: str
    message: str
    remedy: str
    more: bool = False


ONE_PROBLEM = {
    "unknown field of a link": Case(
        ALL, "us-east: {delay_ms: 35,", "us-east: {delay_mss: 35, delay_ms: 35,", "delay_mss",
        "unknown field delay_mss in the link eu-west->us-east", "did you mean delay_ms?",
    ),
    "unit in a value": Case(
        ALL, "delay_ms: 45", "delay_ms: 45ms", "45ms",
        "delay_ms is 45ms, but it counts milliseconds without a unit", "write 45",
    ),
    "another unit in a value": Case(
        ALL, "delay_ms: 45", "delay_ms: 0.045 s", "0.045 s",
        "delay_ms is 0.045 s, but it counts milliseconds", "write 45",
    ),
    "a unit that gives no whole number": Case(
        ALL, "patroni_ttl_s: 20", "patroni_ttl_s: 20500ms", "20500ms",
        "patroni_ttl_s is 20500ms, but it counts seconds", "write a whole number of seconds",
    ),
    "negative latency": Case(
        ALL, "delay_ms: 45", "delay_ms: -45", "-45",
        "delay_ms is -45, below its minimum 0", "write a whole number of milliseconds from 0",
    ),
    "fraction of a millisecond": Case(
        ALL, "delay_ms: 45", "delay_ms: 45.5", "45.5", "no whole number", "write 45 or 46"
    ),
    "text for a number": Case(
        ALL, "delay_ms: 45", "delay_ms: slow", "slow", "delay_ms is slow, no number",
        "write a whole"
    ),
    "infinite latency": Case(
        ALL, "delay_ms: 45", "delay_ms: .inf", ".inf", "delay_ms is .inf, no number",
        "write a whole"
    ),
    "list for a number": Case(
        ALL, "delay_ms: 45", "delay_ms: [45]", "[45]", "delay_ms is no single value",
        "write a whole"
    ),
    "no delay": Case(
        ALL, "{delay_ms: 45, jitter_ms: 1}", "{jitter_ms: 1}", "us-east: {jitter_ms: 1}",
        "the link eu-central->us-east has no delay_ms", "add it",
    ),
    "more jitter than delay": Case(
        ALL, "{delay_ms: 45, jitter_ms: 1}", "{delay_ms: 45, jitter_ms: 46}", "jitter_ms: 46",
        "jitters by 46 ms around 45 ms", "no greater than delay_ms",
    ),
    "no bandwidth": Case(
        ALL, "{delay_ms: 45,", "{delay_ms: 45, bandwidth_kbytes_s: 0,", "bandwidth_kbytes_s: 0",
        "bandwidth_kbytes_s is 0, below its minimum 1", "write",
    ),
    "bandwidth with its unit": Case(
        ALL, "{delay_ms: 45,", "{delay_ms: 45, bandwidth_kbytes_s: 100Mbit/s,", "100Mbit/s",
        "it counts kilobytes a second without a unit", "write 12500",
    ),
    "missing direction": Case(
        ALL, "    us-east: {delay_ms: 45, jitter_ms: 1}\n", "",
        "    eu-central: {delay_ms: 44", "no link eu-central->us-east", "add `us-east: {delay_ms:",
    ),
    "link to an unknown region": Case(
        ALL, "  us-east:\n    eu-west:", "  us-east:\n    eu-wst: {delay_ms: 1}\n    eu-west:",
        "eu-wst", "us-east->eu-wst names an unknown region, eu-wst", "did you mean eu-west?",
    ),
    "link to itself": Case(
        ALL, "  us-east:\n    eu-west:", "  us-east:\n    us-east: {delay_ms: 1}\n    eu-west:",
        "us-east: {delay_ms: 1}", "us-east has a link to itself", "remove it",
    ),
    "duplicate key": Case(
        ALL, "fencing: lease\n", "fencing: lease\nfencing: none\n", "fencing: none",
        "fencing stands twice in one mapping, first in line", "keep one",
    ),
    "unknown variable": Case(
        ALL, "patroni_ttl_s: 20", "patroni_ttl_s: 20\npatroni_tll_s: 30", "patroni_tll_s",
        "unknown variable patroni_tll_s", "did you mean patroni_ttl_s?",
    ),
    "below Patroni's minimum": Case(
        ALL, "patroni_ttl_s: 20", "patroni_ttl_s: 19", "patroni_ttl_s: 19",
        "patroni_ttl_s is 19, below its minimum 20", "from 20 to 3600",
    ),
    "Patroni's rule": Case(
        ALL, "patroni_retry_timeout_s: 3", "patroni_retry_timeout_s: 10", "patroni_ttl_s: 20",
        "patroni_loop_wait_s 1 + 2 x patroni_retry_timeout_s 10 = 21 exceeds patroni_ttl_s 20",
        "raise patroni_ttl_s to 21",
    ),
    "no such choice": Case(
        ALL, "replication: synchronous_strict", "replication: sync", "replication: sync",
        "replication is sync, which is none of its values", "did you mean synchronous?",
    ),
    "text for a boolean": Case(
        ALL, "consul_cleanup_dead_servers: false", "consul_cleanup_dead_servers: never", "never",
        "neither true nor false", "write true or false",
    ),
    "synchronous in an unknown region": Case(
        ALL, "synchronous_regions: []", "synchronous_regions: [eu-wets]", "eu-wets",
        "synchronous_regions names an unknown region, eu-wets", "did you mean eu-west?",
    ),
    "synchronous twice": Case(
        ALL, "synchronous_regions: []", "synchronous_regions: [us-east, us-east]", "us-east, us",
        "names us-east twice", "once",
    ),
    "text for a list": Case(
        ALL, "synchronous_regions: []", "synchronous_regions: eu-west", "synchronous_regions: eu",
        "synchronous_regions is no list", "write [NAME, NAME]",
    ),
    "no name": Case(
        ALL, "consul_datacenter: world", "consul_datacenter: My World", "My World",
        "consul_datacenter is My World, which is no name", "lower-case letters",
    ),
    "no links": Case(
        ALL, "links:\n", "lniks:\n", "lniks", "unknown variable lniks", "use one of", more=True
    ),
    "empty links": Case(
        ALL, "  eu-west:\n    eu-central: {delay_ms: 13, jitter_ms: 1}\n"
        "    us-east: {delay_ms: 35, jitter_ms: 1}\n", "  eu-west:\n", "  eu-west:\n",
        "the links from eu-west: empty", "write `TARGET:", more=True,
    ),
    "tab": Case(
        ALL, "  eu-central:\n    eu-west", "  eu-central:\n\teu-west", "\teu-west",
        "a tab where YAML wants spaces", "indent with spaces",
    ),
    "syntax error": Case(
        ALL, "fencing: lease", "fencing: [lease", "patroni_scope:", "no valid YAML",
        "correct this line"
    ),
    "second document": Case(
        ALL, "fencing: lease", "---\nfencing: lease", "---\nfencing", "a second document begins",
        "keep"
    ),
    "tag": Case(
        ALL, "fencing: lease", "fencing: !vault lease", "!vault", "the tag !vault", "plain value"
    ),
    "merge key": Case(
        ALL, "fencing: lease", "fencing: lease\n<<: {a: 1}", "<<", "merge keys", "write the keys"
    ),
    "alias of itself": Case(
        ALL, "fencing: lease", "fencing: &a [*a]", "fencing: &a", "an alias (*NAME)",
        "write the value"
    ),
    "escape of no character": Case(
        ALL, "fencing: lease", 'fencing: "\\UFFFFFFFF"', "---", "an escape", "write it plainly"
    ),
    "control character": Case(
        ALL, "fencing: lease", "fencing: le\x07ase", "le\x07ase", "is not allowed", "remove it"
    ),
    "key that is no text": Case(
        ALL, "fencing: lease", "fencing: lease\n5: lease", "5: lease",
        "YAML reads the key 5 as int", 'write "5" in quotes',
    ),
    "no jurisdiction": Case(
        HOSTS, "            jurisdiction: US\n", "", "us_east:",
        "us-east has no jurisdiction", "`jurisdiction: EU`",
    ),
    "jurisdiction that YAML misreads": Case(
        HOSTS, "jurisdiction: US", "jurisdiction: NO", "jurisdiction: NO",
        "YAML reads the jurisdiction NO as bool", 'write "NO" in quotes',
    ),
    "region group without region": Case(
        HOSTS, "            region: us-east\n", "", "us_east:",
        "us_east has no region", "add `region: us-east`",
    ),
    "unknown field of a region": Case(
        HOSTS, "jurisdiction: US", "jurisdiction: US\n            jurisdicton: US", "jurisdicton",
        "unknown field jurisdicton in us_east", "did you mean jurisdiction?",
    ),
    "unknown field of a host": Case(
        HOSTS, "              address: 10.77.3.11", "              adress: 10.77.3.11", "adress",
        "unknown field adress in the host us-east-lb1", "did you mean address?",
    ),
    "variable in the wrong place": Case(
        HOSTS, "jurisdiction: US", "jurisdiction: US\n            fencing: none", "fencing",
        "unknown field fencing in us_east", "use one of",
    ),
    "address outside the region": Case(
        HOSTS, "10.77.3.11", "10.77.2.77", "10.77.2.77",
        "us-east-lb1's address 10.77.2.77 is not in us-east's network",
        "from 10.77.3.10 to 10.77.3.254",
    ),
    "the gateway's address": Case(
        HOSTS, "10.77.3.11", "10.77.3.1\n", "10.77.3.1\n", "is not in us-east's network",
        "10.77.3.10"
    ),
    "no address": Case(
        HOSTS, "10.77.3.11", "10.77.3.256", "10.77.3.256", "is no IPv4 address", "10.77.3.10"
    ),
    "duplicate address": Case(
        HOSTS, "address: 10.77.3.11", "address: 10.77.3.10 ", "address: 10.77.3.10 ",
        "us-east-lb1 has the address 10.77.3.10 of us-east-db1", "its own",
    ),
    "port out of range": Case(
        HOSTS, "address: 10.77.3.11", "wan_ports: [70000]", "70000",
        "us-east-lb1 opens 70000, which is no port", "from 1 to 65535",
    ),
    "duplicate port": Case(
        HOSTS, "address: 10.77.3.11", "wan_ports: [5000, 5000]", "5000, 5000",
        "us-east-lb1 opens port 5000 twice", "keep one",
    ),
    "text for a port": Case(
        HOSTS, "address: 10.77.3.11", "wan_ports: [http]", "http", "http is no port", "a number"
    ),
    "port in base 60": Case(
        HOSTS, "address: 10.77.3.11", "wan_ports: [50:01]", "50:01", "50:01 is no port", "a number"
    ),
    "one port and no list": Case(
        HOSTS, "address: 10.77.3.11", "wan_ports: 5000", "wan_ports: 5000", "are no list", "[PORT"
    ),
    "needed port closed": Case(
        HOSTS, "wan_ports: [5432, 8008, 8300, 8301, 7400]", "wan_ports: [5432, 8300, 8301, 7400]",
        "eu-west-db1:", "other regions cannot reach postgres on eu-west-db1",
        "add to its wan_ports: 8008",
    ),
    "host in two regions": Case(
        HOSTS, "            us-east-lb1:\n", "            eu-west-lb1:\n",
        "eu-west-lb1:\n              address: 10.77.3",
        "eu-west-lb1 stands in us-east and, line", "keep one", more=True,
    ),
    "host in no group": Case(
        HOSTS, "        us-east-lb1:\n    #", "    #", "            us-east-lb1:",
        "us-east-lb1 is in no group",
        "add it to one of: consul, everywhere, haproxy, mesh, observers, placement, postgres, "
        "stores",
    ),
    "group of an unknown host": Case(
        HOSTS, "        us-east-lb1:\n    #", "        us-east-lb1:\n        us-east-lb2:\n    #",
        "us-east-lb2", "haproxy names the host us-east-lb2, which stands in no region",
        "did you mean us-east-lb1?",
    ),
    "unknown group": Case(
        HOSTS, "    wan:\n", "    haproxies:\n      hosts:\n        us-east-lb1:\n    wan:\n",
        "haproxies", "the playbooks know no group haproxies", "did you mean haproxy?",
    ),
    "no group wan": Case(
        HOSTS, "    wan:\n      hosts:\n        wan:\n", "", "regions:\n", "no group wan",
        "add `wan:"
    ),
    "host in wan": Case(
        HOSTS, "        wan:\n", "        wan:\n        us-east-lb1: {}\n", "us-east-lb1: {}",
        "the group wan holds us-east-lb1", "keep only",
    ),
    "group with variables": Case(
        HOSTS, "    haproxy:\n", "    haproxy:\n      vars: {haproxy_check_rise: 2}\n", "vars: {ha",
        "unknown field vars in the group haproxy", "belong in group_vars/all.yml",
    ),
    "group that says something of a host": Case(
        HOSTS, "        us-east-lb1:\n    #", "        us-east-lb1: {address: 10.77.3.9}\n    #",
        "10.77.3.9", "haproxy says something about us-east-lb1", "below its region",
    ),
    "region without a host": Case(
        HOSTS, "    # 5432", "        ap-south:\n          vars: {region: ap-south, "
        "jurisdiction: IN}\n          hosts: {}\n    # 5432", "ap-south:",
        "ap-south has no host", "add one", more=True,
    ),
    "group called otherwise than its region": Case(
        HOSTS, "        us_east:", "        us_eats:", "region: us-east",
        "the group us_eats is called otherwise than its region us-east", "call the group us_east",
    ),
    "bad name": Case(
        HOSTS, "            us-east-lb1:", "            US_East_LB1:", "US_East_LB1",
        "US_East_LB1 is no name for a host", "lower-case", more=True,
    ),
    "name of a region and a host": Case(
        HOSTS, "            us-east-lb1:", "            us-east:", "            us-east:",
        "us-east is a region", "rename the host", more=True,
    ),
    "PostgreSQL without Consul": Case(
        HOSTS, "    consul:\n      hosts:\n        eu-west-db1:\n", "    consul:\n      hosts:\n",
        "            eu-west-db1:", "eu-west-db1 is in postgres but not in consul", "to the group",
    ),
    "no regions": Case(
        HOSTS, "    regions:\n", "    places:\n", "  children:\n    places", "no group regions",
        "add",
        more=True,
    ),
    "hosts below all": Case(
        HOSTS, "all:\n", "all:\n  hosts: {a: }\n", "hosts: {a",
        "unknown field hosts in the group all",
        "hosts stand below their region's group",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ONE_PROBLEM.values(), ids=ONE_PROBLEM.keys())
def test_a_problem_has_its_file_line_and_remedy(folder: Path, case: Case) -> None:
    path = folder / case.file
    before = path.read_text()
    assert case.old in before
    text = before.replace(case.old, case.new, 1)
    path.write_text(text)
    with pytest.raises(InventoryError) as caught:
        load(folder, catalogue=CATALOGUE)
    wanted = [each for each in caught.value.problems if case.message in each.message]
    assert len(wanted) == 1, str(caught.value)
    assert wanted[0].place.file == str(folder / case.file)
    assert case.at in text
    assert wanted[0].place.line == text[: text.index(case.at)].count("\n") + 1
    assert case.remedy in wanted[0].remedy
    assert (len(caught.value.problems) > 1) is case.more, str(caught.value)
