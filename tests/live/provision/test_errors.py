"""What goes wrong is told in one message: the task, the node, the end of the log."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from testbed.provision.ansible import MARKER, provision
from testbed.provision.error import ProvisionError
from testbed.provision.programs import running
from testbed.topology.model import Deployment
from testbed.topology.shipped import playbooks
from testbed.world.namespaces import NamespaceWorld
from testbed.world.protocol import WorldError
from tests.live.provision.conftest import eventually


def test_check_mode_starts_nothing_in_a_bare_world(
    bare: NamespaceWorld, deployment: Deployment, programs: Mapping[str, str]
) -> None:
    told = provision(bare, deployment, programs, check=True)
    assert told.changed == 13
    assert "start patroni" in told.changes["us-east-db1"]
    assert all(bare.processes(node.name) == () for node in bare.topology.nodes)
    assert running(bare, "wan") == ()


def test_a_wrong_path_names_program_task_and_nodes(
    bare: NamespaceWorld, deployment: Deployment, programs: Mapping[str, str]
) -> None:
    with pytest.raises(ProvisionError) as failure:
        provision(bare, deployment, {**programs, "consul_program": "/no/such/consul"})
    nodes = {one.node for one in failure.value.failures}
    assert nodes == {node.name for node in deployment.topology.members("consul")}
    assert "task 'Run Consul': consul: cannot run /no/such/consul" in str(failure.value)
    assert "Traceback" not in str(failure.value)


def test_a_program_that_refuses_its_configuration_shows_its_log(
    bare: NamespaceWorld, deployment: Deployment, programs: Mapping[str, str], tmp_path: Path
) -> None:
    broken = tmp_path / "consul"
    broken.write_text("#!/bin/sh\necho 'data_dir: permission denied'\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(ProvisionError) as failure:
        provision(bare, deployment, {**programs, "consul_program": str(broken)})
    assert "consul exited with status 1 after its start" in str(failure.value)
    assert "| data_dir: permission denied" in str(failure.value)


def test_an_error_in_a_playbook_is_shown_with_its_place(
    bare: NamespaceWorld, deployment: Deployment, programs: Mapping[str, str], tmp_path: Path
) -> None:
    copy = tmp_path / "playbooks"
    shutil.copytree(playbooks(), copy)
    with (copy / "site.yml").open("a") as file:
        file.write("- hosts: [\n")
    with pytest.raises(ProvisionError) as failure:
        provision(bare, deployment, programs, playbook=copy / "site.yml")
    assert str(copy / "site.yml") in str(failure.value)
    assert "ansible-playbook ended with status 4" in str(failure.value)


def test_an_undefined_variable_is_named(
    bare: NamespaceWorld, deployment: Deployment, programs: Mapping[str, str]
) -> None:
    fewer = {name: path for name, path in programs.items() if name != "toxiproxy_program"}
    with pytest.raises(ProvisionError, match=r"wan: task 'Run Toxiproxy'.*'toxiproxy_program'"):
        provision(bare, deployment, fewer)


def test_a_node_that_is_gone_is_unreachable(
    bare: NamespaceWorld, deployment: Deployment, programs: Mapping[str, str], tmp_path: Path
) -> None:
    copy = tmp_path / "playbooks"
    shutil.copytree(playbooks(), copy)
    plays = yaml.safe_load((copy / "site.yml").read_text())
    quick = [play for play in plays if play["hosts"] in ("wan", "observers")]
    (copy / "site.yml").write_text(yaml.safe_dump(quick))
    killed: list[bool] = []

    def kill_a_node(_: object) -> None:
        if not killed:
            os.kill(bare.pid("us-east-db1"), signal.SIGKILL)
            killed.append(True)

    with pytest.raises(ProvisionError, match="us-east-db1: task 'Run the observer': unreachable"):
        provision(bare, deployment, programs, playbook=copy / "site.yml", listener=kill_a_node)
    with pytest.raises(WorldError, match="us-east-db1"):
        provision(bare, deployment, programs)


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    script = """if True:
        import sys
        from pathlib import Path
        from testbed.provision.ansible import provision
        from testbed.provision.program_paths import program_variables
        from testbed.topology.inventory import find, load
        from testbed.world.namespaces import create
        folder = Path(sys.argv[1])
        deployment = load(find("active-passive"))
        world = create("interrupted", deployment.topology, logs=folder, folder=folder / "worlds")
        try:
            tell = lambda progress: print(progress.task, flush=True)
            provision(world, deployment, program_variables(deployment.topology), listener=tell)
        finally:
            world.down()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    while process.stdout.readline() != b"Run PostgreSQL under Patroni\n":
        assert process.poll() is None
    time.sleep(0.3)  # into the middle of the task
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert errors.rstrip().endswith(b"KeyboardInterrupt")
    eventually(lambda: left_by(tmp_path) == [], "nothing is left", 10)


def left_by(folder: Path) -> list[str]:
    """Processes that have to do with a folder, or with any provisioning of it."""
    found = []
    idents = [path.name for path in folder.glob("ansible/artifacts/*")]
    assert idents
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = (entry / "environ").read_bytes()
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if any(f"{MARKER}={ident}".encode() in environment for ident in idents):
            found.append(command.decode())
        if os.fsencode(folder) in command and int(entry.name) != os.getpid():
            found.append(command.decode())
    return found
