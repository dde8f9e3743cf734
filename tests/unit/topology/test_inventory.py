from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from testbed.topology.inventory import deployments, find, inspect, load, settings
from testbed.topology.problem import InventoryError, Problem
from testbed.topology.shipped import inventories

HOSTS = "hosts.yml"
ALL = "group_vars/all.yml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of active-passive, to be spoilt."""
    shutil.copytree(inventories(), tmp_path / "inventory")
    return tmp_path / "inventory" / "active-passive"


def edit(folder: Path, file: str, old: str, new: str) -> str:
    path = folder / file
    text = path.read_text()
    assert text.count(old) >= 1, old
    path.write_text(text.replace(old, new, 1))
    return path.read_text()


def line_of(text: str, marker: str) -> int:
    assert marker in text, marker
    return text[: text.index(marker)].count("\n") + 1


def test_all_problems_are_listed_at_once_in_order(folder: Path) -> None:
    edit(folder, ALL, "delay_ms: 45", "delay_ms: 45ms")
    edit(folder, ALL, "replication: synchronous_strict", "replication: sync")
    edit(folder, HOSTS, "            jurisdiction: US\n", "")
    edit(folder, HOSTS, "address: 10.77.3.11", "wan_ports: [70000]")
    with pytest.raises(InventoryError) as caught:
        load(folder, {"fencing": "off", "patroni_ttl_s": "1"})
    problems = caught.value.problems
    assert [f"{Path(p.place.file).name} {p.message}" for p in problems] == [
        "--set fencing is off, which is none of its values",
        "--set patroni_ttl_s is 1, below its minimum 20",
        "all.yml delay_ms is 45ms, but it counts milliseconds without a unit",
        "all.yml replication is sync, which is none of its values",
        "hosts.yml us-east has no jurisdiction",
        "hosts.yml us-east-lb1 opens 70000, which is no port",
    ]
    assert str(caught.value).count("\n") == len(problems) - 1


@pytest.mark.parametrize("file", [HOSTS, ALL])
@pytest.mark.parametrize("content", [b"", b"# only a comment\n", b"---\n"])
def test_an_empty_file(folder: Path, file: str, content: bytes) -> None:
    (folder / file).write_bytes(content)
    (problem,) = inspect(folder).problems
    assert problem.place.file == str(folder / file)
    assert problem.place.line == 1
    assert problem.message == "the file is empty"


@pytest.mark.parametrize("file", [HOSTS, ALL])
def test_a_missing_file(folder: Path, file: str) -> None:
    (folder / file).unlink()
    (problem,) = inspect(folder).problems
    assert problem == Problem(
        type(problem.place)(str(folder / file)),
        "cannot be read (No such file or directory)",
        "create it",
    )


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="no such folder"):
        load(tmp_path / "nowhere")


def test_a_file_that_is_no_text(folder: Path) -> None:
    (folder / HOSTS).write_bytes(b"all:\n  children: \xff\xfe\n")
    (problem,) = inspect(folder).problems
    assert problem.place.line == 2
    assert "0xff is no UTF-8" in problem.message


def test_a_file_that_is_too_long(folder: Path) -> None:
    (folder / ALL).write_bytes(b"# " + b"x" * 1_000_000)
    (problem,) = inspect(folder).problems
    assert "more than 1000000" in problem.message


def test_a_bomb_of_aliases(folder: Path) -> None:
    lines = ["a0: &a0 [1, 1]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    (folder / ALL).write_text("\n".join(lines) + "\n")
    assert any("far too long" in problem.message for problem in inspect(folder).problems)


def test_a_tower_of_brackets(folder: Path) -> None:
    (folder / ALL).write_text("links: " + "[" * 600 + "]" * 600)
    (problem,) = inspect(folder).problems
    assert "nested too deep" in problem.message


@pytest.mark.parametrize("name", ["extra.yml", "host_vars", "group_vars/postgres.yml"])
def test_what_only_ansible_would_read(folder: Path, name: str) -> None:
    (folder / name).write_text("a: 1\n")
    (problem,) = inspect(folder).problems
    assert problem.place.file == str(folder / name)
    assert "the testbed does not" in problem.message


def test_sixteen_regions(folder: Path) -> None:
    regions = "".join(
        f"        r{n}:\n          vars: {{region: r{n}, jurisdiction: EU}}\n"
        f"          hosts: {{r{n}-x: }}\n"
        for n in range(13)
    )
    edit(folder, HOSTS, "    # 5432", f"{regions}    # 5432")
    problems = [each for each in inspect(folder).problems if "of 15" in each.message]
    assert [each.message for each in problems] == ["r12 is region 16 of 15"]
    assert problems[0].remedy == "keep at most 15 regions"


def test_five_regions_need_no_code(folder: Path) -> None:
    ports = "[5432, 8008, 8300, 8301, 7400]"
    names = ("ap-south", "sa-east")
    regions = "".join(
        f"        {name.replace('-', '_')}:\n          vars: {{region: {name}, jurisdiction: X}}\n"
        f"          hosts: {{{name}-db1: {{wan_ports: {ports}}}, {name}-lb1: }}\n"
        for name in names
    )
    edit(folder, HOSTS, "    # 5432", f"{regions}    # 5432")
    for name in names:
        for group, host in (("postgres", "db1"), ("consul", "db1"), ("haproxy", "lb1")):
            head = f"    {group}:\n      hosts:\n"
            edit(folder, HOSTS, head, f"{head}        {name}-{host}:\n")
    everywhere = ("eu-west", "eu-central", "us-east", *names)
    links = "".join(
        f"  {a}:\n" + "".join(f"    {b}: {{delay_ms: 90}}\n" for b in everywhere if a != b)
        for a in everywhere
    )
    text = (folder / ALL).read_text()
    head, _, rest = text.partition("links:\n")
    (folder / ALL).write_text(f"{head}links:\n{links}{rest[rest.index('#') :]}")
    deployment = load(folder)
    assert [region.number for region in deployment.topology.regions] == [1, 2, 3, 4, 5]
    assert len(deployment.topology.links) == 20
    assert deployment.topology.node("sa-east-lb1").address == "10.77.5.11"
    assert len(deployment.topology.members("consul")) == 5


def test_a_copied_region_whose_name_was_forgotten(folder: Path) -> None:
    copy = (
        "        us_west:\n          vars: {region: us-east, jurisdiction: US}\n"
        "          hosts: {x: }\n"
    )
    text = edit(folder, HOSTS, "    # 5432", f"{copy}    # 5432")
    text = edit(
        folder, HOSTS, "        us-east-lb1:\n    #", "        us-east-lb1:\n        x:\n    #"
    )
    problems = inspect(folder).problems
    assert {problem.place.line for problem in problems} == {
        line_of(text, "us_west:"),
        line_of(text, "vars: {region: us-east"),
    }
    assert sorted(problem.message for problem in problems) == [
        "the group us_west is called otherwise than its region us-east",
        "the region us-east stands twice, first in line 35",
    ]


def test_no_standby_can_be_synchronous_where_there_is_no_database(folder: Path) -> None:
    region = (
        "        sa:\n          vars: {region: sa, jurisdiction: BR}\n          hosts: {sa-lb1: }\n"
    )
    edit(folder, HOSTS, "    # 5432", f"{region}    # 5432")
    edit(
        folder, HOSTS, "        us-east-lb1:\n    #", "        us-east-lb1:\n        sa-lb1:\n    #"
    )
    regions = ("eu-west", "eu-central", "us-east")
    links = "".join(f"    {name}: {{delay_ms: 90}}\n" for name in regions)
    edit(folder, ALL, "links:\n", f"links:\n  sa:\n{links}")
    for name in regions:
        edit(folder, ALL, f"  {name}:\n    ", f"  {name}:\n    sa: {{delay_ms: 90}}\n    ")
    assert inspect(folder).problems == ()
    (problem,) = inspect(folder, {"synchronous_regions": "eu-west,sa"}).problems
    assert str(problem) == (
        "--set: synchronous_regions names sa, which has no host in postgres; "
        "use some of: eu-central, eu-west, us-east"
    )


def test_hosts_without_an_address_get_the_lowest_free_one(folder: Path) -> None:
    edit(folder, HOSTS, "              address: 10.77.1.10\n", "")
    edit(folder, HOSTS, "address: 10.77.1.11", "address: 10.77.1.10")
    assert load(folder).topology.node("eu-west-db1").address == "10.77.1.11"


def test_ansibles_own_variables_are_let_through(folder: Path) -> None:
    edit(
        folder, HOSTS, "address: 10.77.3.11", "address: 10.77.3.11\n              ansible_port: 22"
    )
    edit(folder, HOSTS, "jurisdiction: US", "jurisdiction: US\n            ansible_user: root")
    assert load(folder).topology.node("us-east-lb1").address == "10.77.3.11"


@pytest.mark.parametrize(
    ("old", "message"),
    [
        ("standby_cluster_of: us-east", "us-east follows us-east, which is no primary cluster"),
        ("standby_cluster_of: eu-wst", "standby_cluster_of names an unknown region, eu-wst"),
    ],
)
def test_a_standby_cluster_follows_another_region(tmp_path: Path, old: str, message: str) -> None:
    shutil.copytree(inventories(), tmp_path / "inventory")
    folder = tmp_path / "inventory" / "active-passive-standby-cluster"
    text = edit(folder, HOSTS, "standby_cluster_of: eu-west", old)
    (problem,) = inspect(folder).problems
    assert message in problem.message
    assert problem.place.line == line_of(text, old)


def test_a_standby_cluster_shares_nothing(tmp_path: Path) -> None:
    shutil.copytree(inventories(), tmp_path / "inventory")
    folder = tmp_path / "inventory" / "active-passive-standby-cluster"
    edit(folder, HOSTS, "patroni_scope: us-east", "patroni_scope: eu-west")
    messages = [problem.message for problem in inspect(folder).problems]
    assert messages == [
        "us-east follows eu-west and shares its patroni_scope",
        "us-east-db1 and eu-west-db1 share patroni_scope eu-west but no consul_datacenter",
    ]


def test_clusters_cannot_follow_each_other(tmp_path: Path) -> None:
    shutil.copytree(inventories(), tmp_path / "inventory")
    folder = tmp_path / "inventory" / "active-passive-standby-cluster"
    scope = "patroni_scope: eu-west"
    edit(folder, HOSTS, scope, f"{scope}\n            standby_cluster_of: us-east")
    assert len(inspect(folder).problems) == 2


def test_doubts_are_told_and_not_refused(folder: Path) -> None:
    edit(
        folder,
        HOSTS,
        "    consul:\n      hosts:\n",
        "    consul:\n      hosts:\n        eu-west-lb1:\n",
    )
    edit(folder, HOSTS, "address: 10.77.1.11", "wan_ports: [8300, 8301]")
    edit(folder, ALL, "haproxy_check_timeout_ms: 1000", "haproxy_check_timeout_ms: 150")
    inspection = inspect(folder, {"synchronous_regions": "eu-west"})
    assert inspection.deployment is not None
    told = [str(doubt) for doubt in inspection.doubts]
    assert len(told) == 3
    assert "4 Consul servers in the datacenter world; use an odd number" in told[2]
    assert "with eu-west-db1 as the primary no standby may be synchronous" in told[0]
    assert "haproxy_check_timeout_ms 150 is too short" in told[1]


def test_find() -> None:
    assert find("active-passive") == inventories() / "active-passive"
    assert find(str(inventories() / "active-passive")) == inventories() / "active-passive"
    with pytest.raises(InventoryError, match="did you mean active-passive"):
        find("active-pasive")
    with pytest.raises(InventoryError, match="no such deployment; give the path of a folder"):
        find("/nowhere/at/all")


def test_settings_name_what_can_be_set() -> None:
    for name in deployments():
        found = {each.variable.name: each for each in settings(inventories() / name)}
        assert found["patroni_ttl_s"].value == 20
        assert "standby_cluster_of" not in found
        assert all(each.variable.values and each.variable.description for each in found.values())
