"""What the variables of the inventories make of the cluster.

That ``replication=asynchronous`` loses writes, and ``fencing=none`` leaves two primaries, is seen
where both are judged: test_failover.py of the experiments, and test_every_alert.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from testbed.provision.ansible import provision
from testbed.provision.programs import fetch
from testbed.topology.inventory import find, load
from testbed.topology.model import Deployment
from tests.live.provision.conftest import empty_world, eventually, patroni, roles, sql

PRIMARY = "eu-west-db1"


@pytest.mark.parametrize(
    ("variables", "sync_states"),
    [
        ({"replication": "synchronous", "consul_session_checks": "none"}, ["async", "sync"]),
        ({"replication": "quorum"}, ["quorum", "quorum"]),
    ],
)
def test_replication_modes(
    variables: dict[str, object],
    sync_states: list[str],
    programs: Mapping[str, str],
    tmp_path: Path,
) -> None:
    deployment = load(find("active-passive"), variables)
    world = empty_world(deployment, tmp_path, str(variables["replication"]))
    try:
        provision(world, deployment, programs)

        def states() -> list[str]:
            return sorted(one["sync_state"] for one in patroni(world, PRIMARY)["replication"])

        eventually(lambda: states() == sync_states, f"standbys are {sync_states}")
        checks = fetch(world, PRIMARY, "http://127.0.0.1:8500/v1/session/list").body
        lease_only = variables.get("consul_session_checks") == "none"
        assert ("serfHealth" in checks) is not lease_only
        entry = deployment.topology.members("haproxy")[0].address
        sql(world, programs["postgres_bin_dir"], entry, "CREATE TABLE t (a int)")
    finally:
        world.down()


def rendered(deployment: Deployment, programs: Mapping[str, str], folder: Path) -> str:
    """Every file that provisioning would write, as Ansible's diff."""
    world = empty_world(deployment, folder, "rendered")
    try:
        told = provision(world, deployment, programs, check=True)
        return (told.log / "stdout").read_text()
    finally:
        world.down()


def test_synchronous_standbys_may_be_kept_to_some_regions(
    programs: Mapping[str, str], tmp_path: Path
) -> None:
    deployment = load(find("active-passive"), {"synchronous_regions": "eu-west,eu-central"})
    text = rendered(deployment, programs, tmp_path)
    assert text.count("nosync: false") == 2
    assert text.count("nosync: true") == 1


def test_a_standby_cluster_follows_until_it_is_promoted_by_hand(
    programs: Mapping[str, str], tmp_path: Path
) -> None:
    deployment = load(find("active-passive-standby-cluster"))
    world = empty_world(deployment, tmp_path, "standby")
    bin_dir = programs["postgres_bin_dir"]
    try:
        provision(world, deployment, programs)
        assert roles(world)["us-east-db1"] == ("standby_leader", "streaming")
        entry = deployment.topology.members("haproxy", "us-east")[0].address
        where = "CREATE TABLE t (a int); INSERT INTO t VALUES (1) RETURNING inet_server_addr()"
        assert sql(world, bin_dir, entry, where) == "10.77.1.10"
        eventually(
            lambda: sql(world, bin_dir, entry, "SELECT count(*) FROM t", 5001) == "1",
            "us-east has received the row",
        )
        patronictl = str(Path(programs["patroni_python"]).parent / "patronictl")
        command = [patronictl, "-c", "/srv/patroni/patroni.yml", "promote-cluster", "--force"]
        done = world.execute("us-east-db1", command)
        assert done.returncode == 0, done.stderr.decode()
        eventually(lambda: roles(world)["us-east-db1"] == ("primary", None), "promoted")
        insert = "INSERT INTO t VALUES (2) RETURNING inet_server_addr()"
        assert sql(world, bin_dir, "10.77.2.10", insert, 5432) == "10.77.2.10"
        # Provisioning again does not demote what people have promoted.
        assert dict(provision(world, deployment, programs).changes) == {}
    finally:
        world.down()
