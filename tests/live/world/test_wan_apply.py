"""The wan agrees with its description, whatever it was before, and then nothing changes."""

from __future__ import annotations

import dataclasses
import json
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest
from toxiproxy import Toxiproxy

from testbed.world.addressing import listeners
from testbed.world.namespaces import NamespaceWorld
from testbed.world.toxics import Toxic
from testbed.world.wan import Wan

from .conftest import PORT, Stage, apply, python_path, run_toxiproxy

PAIR = ("eu-west", "us-east")
NOTHING = {"changed": False, "changes": []}


def nft(stage: Stage, text: str) -> None:
    done = stage.world.execute("wan", ["nft", "-f", "-"], stdin=text.encode())
    assert done.returncode == 0, done.stderr


def test_a_second_time_changes_nothing(stage: Stage) -> None:
    assert apply(stage.world) == NOTHING
    assert apply(stage.world, "--check") == NOTHING


def test_leftovers_of_a_run_are_removed(stage: Stage) -> None:
    stage.wan(lambda wan: wan.cut([PAIR]))
    stage.wan(lambda wan: wan.add_toxic(PAIR, Toxic("storm", "latency", {"delay_ms": 10})))
    wanted = apply(stage.world, "--check")
    assert "heal eu-west->us-east" in wanted["changes"]
    assert any("remove toxic storm" in change for change in wanted["changes"])
    assert stage.wan(lambda wan: wan.cuts()) == (PAIR,)
    assert apply(stage.world) == wanted
    assert apply(stage.world) == NOTHING
    assert stage.wan(lambda wan: wan.cuts()) == ()


def test_tampered_rules_are_noticed_and_repaired(stage: Stage) -> None:
    for text in (
        "flush chain ip wan depart",
        "delete element ip wan listeners { 20000 }",
        "delete table ip wan",
    ):
        nft(stage, text)
        assert apply(stage.world)["changes"] == ["load the packet rules"]
        assert apply(stage.world) == NOTHING


def test_listeners_that_are_missing_or_wrong_are_repaired(stage: Stage) -> None:
    first, second = listeners(stage.topology)[:2]

    def spoil(wan: object) -> None:
        server = Toxiproxy()
        server.get_proxy(first.name).destroy()
        server.get_proxy(second.name).disable()
        server.create(upstream="127.0.0.1:1", name="stranger")

    stage.wan(spoil)
    assert sorted(apply(stage.world)["changes"]) == [
        f"create listener {first.name}",
        f"create listener {second.name}",
        "remove listener stranger",
    ]
    assert apply(stage.world) == NOTHING
    with stage.pair("eu-west-db1", "eu-central-db1") as (client, server):
        client.sendall(b"x")
        assert server.recv(1) == b"x"


def test_connections_survive_an_apply_that_changes_a_links_delay(stage: Stage) -> None:
    links = tuple(
        dataclasses.replace(link, delay_ms=30.0) if (link.source, link.target) == PAIR else link
        for link in stage.topology.links
    )
    slower = dataclasses.replace(stage.topology, links=links)
    with stage.pair("eu-west-db1", "us-east-db1") as (client, server):
        changes = stage.wan(lambda _: Wan(slower).agree())
        assert changes
        assert all("add toxic link-latency" in change for change in changes)
        client.sendall(b"x")
        assert server.recv(1) == b"x"


def test_bad_input_is_one_error_and_exit_code_3(stage: Stage) -> None:
    for text in (b"", b"{}", b'{"version": 99}'):
        done = stage.world.execute(
            "wan",
            [sys.executable, "-m", "testbed.world.wan_apply"],
            stdin=text,
            env={"PYTHONPATH": python_path()},
        )
        assert done.returncode == 3
        assert json.loads(done.stdout)["error"]
        assert done.stderr == b""


def test_kernel_settings_keep_silent_connections(stage: Stage) -> None:
    name = "net.netfilter.nf_conntrack_tcp_timeout_max_retrans"
    done = subprocess.run(
        stage.world.network_argv("wan", ["cat", f"/proc/sys/{name.replace('.', '/')}"]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "86400"


def test_before_the_wan_has_its_rules_nothing_crosses(
    make_world: Callable[..., NamespaceWorld],
) -> None:
    stage = Stage(make_world("early"))
    neighbour, other = "eu-west-lb1", "eu-central-db1"
    with (
        stage.listen(neighbour),
        stage.listen(other),
        stage.endpoint(other, socket.SOCK_DGRAM) as receiver,
        stage.endpoint("eu-west-db1", socket.SOCK_DGRAM) as sender,
        stage.endpoint("eu-west-db1") as early,
    ):
        receiver.bind(("0.0.0.0", PORT))
        receiver.settimeout(0.3)
        early.settimeout(0.3)
        sender.sendto(b"early", (stage.topology.node(other).address, PORT))
        with pytest.raises(TimeoutError):
            receiver.recv(5)
        with pytest.raises(TimeoutError):
            early.connect((stage.topology.node(other).address, PORT))
        stage.connect("eu-west-db1", neighbour).close()
        toxiproxy = run_toxiproxy(stage.world)
        try:
            assert "set net.ipv4.ip_forward to 1" in apply(stage.world)["changes"]
            sender.sendto(b"late", (stage.topology.node(other).address, PORT))
            assert receiver.recv(5) == b"late"
            stage.connect("eu-west-db1", other).close()
        finally:
            stage.world.down()
            toxiproxy.wait(10)
