"""Provisioning of active-passive, from nothing and again."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from testbed.provision.ansible import provision
from testbed.provision.error import ProvisionError
from testbed.provision.programs import fetch, restart, running, start, stop
from testbed.topology.inventory import load
from testbed.topology.model import Deployment
from testbed.world.namespaces import NamespaceWorld
from tests.live.provision.conftest import eventually, patroni, roles, sql

FIRST = "eu-west-db1"


def test_it_is_writable_from_every_region_with_both_standbys_streaming(
    cluster: NamespaceWorld, programs: Mapping[str, str]
) -> None:
    assert roles(cluster) == {
        FIRST: ("primary", None),
        "eu-central-db1": ("replica", "streaming"),
        "us-east-db1": ("replica", "streaming"),
    }
    bin_dir = programs["postgres_bin_dir"]
    entries = [node.address for node in cluster.topology.members("haproxy")]
    sql(cluster, bin_dir, entries[0], "CREATE TABLE visits (region text)")
    for entry in entries:
        sql(cluster, bin_dir, entry, f"INSERT INTO visits VALUES ('{entry}')")
    for entry in entries:
        eventually(
            partial(shows, cluster, bin_dir, entry, len(entries)),
            f"the reader port at {entry} shows every row",
        )
    states = patroni(cluster, FIRST)["replication"]
    assert sorted(one["sync_state"] for one in states) == ["async", "sync"]


def shows(world: NamespaceWorld, bin_dir: str, entry: str, rows: int) -> bool:
    """Whether a region's reader port shows as many rows."""
    return sql(world, bin_dir, entry, "SELECT count(*) FROM visits", 5001) == str(rows)


def test_a_second_run_changes_nothing_and_so_says_check(
    cluster: NamespaceWorld, deployment: Deployment, programs: Mapping[str, str]
) -> None:
    assert dict(provision(cluster, deployment, programs).changes) == {}
    assert dict(provision(cluster, deployment, programs, check=True).changes) == {}


def test_killed_programs_are_started_again_by_the_next_run(
    cluster: NamespaceWorld, deployment: Deployment, programs: Mapping[str, str]
) -> None:
    victims = {"us-east-db1": "consul", "eu-central-lb1": "haproxy"}
    for node, program in victims.items():
        stop(cluster, node, program, signal="KILL")
    told = provision(cluster, deployment, programs, check=True)
    done = provision(cluster, deployment, programs)
    for changes in (told.changes, done.changes):
        assert {node: sentences[0] for node, sentences in changes.items()} == {
            node: f"start {program}" for node, program in victims.items()
        }
    assert provision(cluster, deployment, programs).changed == 0


def test_a_toxiproxy_that_was_killed_gets_its_listeners_and_latencies_again(
    cluster: NamespaceWorld,
) -> None:
    before = fetch(cluster, "wan", "http://127.0.0.1:8474/proxies").body
    stop(cluster, "wan", "toxiproxy", signal="KILL")
    assert start(cluster, "wan", "toxiproxy").changed
    after = fetch(cluster, "wan", "http://127.0.0.1:8474/proxies").body
    assert by_name(after) == by_name(before)
    standbys(cluster)


def standbys(world: NamespaceWorld) -> tuple[str, ...]:
    """The two standbys, once both stream; which nodes they are is left to the cluster."""
    streaming = {("primary", None), ("replica", "streaming")}
    eventually(lambda: set(roles(world).values()) == streaming, "both standbys stream again")
    return tuple(name for name, (role, _) in roles(world).items() if role == "replica")


def by_name(proxies: str) -> dict[str, object]:
    """Toxiproxy's listeners, the toxics of each in a fixed order."""
    listed = json.loads(proxies)
    for proxy in listed.values():
        proxy["toxics"].sort(key=lambda toxic: toxic["name"])
    return dict(listed)


def test_a_variable_reaches_what_it_concerns_and_nothing_else(
    cluster: NamespaceWorld, deployment: Deployment, programs: Mapping[str, str]
) -> None:
    variables = {"haproxy_check_fall": "4", "patroni_ttl_s": "25"}
    changed = load(deployment.folder, variables)
    pids = {program.name: program.pid for program in running(cluster, FIRST)}
    told = provision(cluster, changed, programs, check=True)
    done = provision(cluster, changed, programs)
    for changes in (told.changes, done.changes):
        assert changes["us-east-lb1"] == (
            "write /srv/haproxy/haproxy.cfg",
            "restart haproxy: its files or command line changed",
        )
        assert set(changes) == {FIRST, "us-east-lb1", "eu-west-lb1", "eu-central-lb1"} | {
            node.name for node in cluster.topology.members("postgres")
        }
        assert "set http://127.0.0.1:8008/config" in changes[FIRST]
    config = fetch(cluster, FIRST, "http://127.0.0.1:8008/config").body
    assert '"ttl": 25' in config
    assert {program.name: program.pid for program in running(cluster, FIRST)} != pids
    provision(cluster, deployment, programs)


def test_programs_are_stopped_and_started_one_by_one(cluster: NamespaceWorld) -> None:
    before = {program.name: program.pid for program in running(cluster, FIRST)}
    assert list(before) == ["observer", "consul", "patroni"]
    assert not start(cluster, FIRST, "observer").changed
    assert restart(cluster, FIRST, "observer").pid != before["observer"]
    assert stop(cluster, FIRST, "observer").changed
    assert {program.name: program.pid for program in running(cluster, FIRST)}["observer"] is None
    assert start(cluster, FIRST, "observer").changed
    with pytest.raises(ProvisionError, match=r"haproxy was never provisioned on this node"):
        start(cluster, FIRST, "haproxy")


def test_a_killed_patroni_comes_back_beside_its_postgres(cluster: NamespaceWorld) -> None:
    """PostgreSQL outlives its Patroni, as on a real host; a start takes it over."""
    # Killed and restarted programs before this may have moved the primary.
    node = standbys(cluster)[0]
    patroni_pid = next(one.pid for one in cluster.processes(node) if "patroni.yml" in one.argv[-1])
    server = {one.pid: one for one in cluster.processes(node) if one.command == "postgres"}
    # A backend may be Patroni's own, and ends with it.
    (postmaster,) = (pid for pid, one in server.items() if one.parent not in server)
    os.kill(patroni_pid, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{patroni_pid}").exists(), "killed")
    assert start(cluster, node, "patroni").changed
    assert postmaster in {process.pid for process in cluster.processes(node)}
    eventually(lambda: roles(cluster)[node] == ("replica", "streaming"), "streams again")


def test_one_that_cannot_be_rewound_is_copied_anew(
    cluster: NamespaceWorld, programs: Mapping[str, str]
) -> None:
    """A pg_rewind that lost its source has removed WAL of its target, and cannot be repeated.

    Brought about without one: a node writes what nobody else has, and WAL of that is removed.
    """
    bin_dir = programs["postgres_bin_dir"]
    node, successor = standbys(cluster)
    (primary,) = (name for name, (role, _) in roles(cluster).items() if role == "primary")
    stop(cluster, node, "patroni")
    remove_wal_of_its_own(cluster, node, bin_dir)
    wanted = json.dumps({"leader": primary, "candidate": successor})

    def switched_over() -> bool:
        # Refused until the successor is synchronous, in place of the node that was stopped.
        fetch(cluster, primary, "http://127.0.0.1:8008/switchover", "POST", wanted)
        return bool(patroni(cluster, successor)["role"] == "primary")

    eventually(switched_over, "switched over")
    assert start(cluster, node, "patroni").changed
    # A node that cannot follow calls itself streaming now and then, but shows nothing new.
    sql(cluster, bin_dir, address(cluster, successor), "CREATE TABLE copied ()", 5432)
    log = cluster.logs / node / "patroni.log"
    failed = f"Failed to rewind from healthy primary: {successor}"
    eventually(lambda: failed in log.read_text(), "pg_rewind has failed")
    eventually(lambda: roles(cluster)[node] == ("replica", "streaming"), "streams again")
    shown = partial(sql, cluster, bin_dir, address(cluster, node))
    eventually(lambda: shown("SELECT to_regclass('copied')", 5432) == "copied", "shows new writes")


def address(world: NamespaceWorld, node: str) -> str:
    """A node's own, with no HAProxy between."""
    return world.topology.node(node).address


def remove_wal_of_its_own(world: NamespaceWorld, node: str, bin_dir: str) -> None:
    """Let a standby that was stopped write alone, and remove some of what it wrote."""
    single = f"{bin_dir}/postgres --single -D /srv/patroni/data template1"
    script = f"""
        rm /srv/patroni/data/standby.signal
        unshare --user --map-user=1000 --map-group=1000 {single}
        cd /srv/patroni/data/pg_wal
        checkpoint=$({bin_dir}/pg_controldata .. | sed -n 's/.*REDO WAL file: *//p')
        before=$(ls | grep -E '^[0-9A-F]{{24}}$' | grep -B 2 "^$checkpoint$" | head -n 1)
        rm "$before"
    """
    written = "".join(f"CREATE TABLE alone{n} ()\nSELECT pg_switch_wal()\n" for n in range(4))
    done = world.execute(node, ["sh", "-ec", script], stdin=written.encode())
    assert done.returncode == 0, done.stderr.decode()
