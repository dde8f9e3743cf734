"""``testbed up``: a world of a deployment that lives until ``testbed down``."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from testbed.cli._metrics_port import add_metrics_port

if TYPE_CHECKING:
    from testbed.world.namespaces import NamespaceWorld


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "up",
        help="bring a world up that lives until `testbed down`",
        description="Makes a world of a deployment: nodes and links, with every program running. "
        "The first time Ansible provisions it (about half a minute) and a snapshot is kept; "
        "further worlds of the same deployment start from that in seconds.",
        epilog="Exit code: 0 it is up, 3 it could not be made, 64 bad usage.",
    )
    parser.add_argument("--name", type=_name, help="of the world; by default the deployment's")
    parser.add_argument(
        "--deployment",
        default="active-passive",
        metavar="DEPLOYMENT",
        help="a shipped deployment, or the path of an inventory folder (default: %(default)s)",
    )
    parser.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change one of the deployment's variables; repeatable",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="provision by Ansible instead of from the snapshot"
    )
    parser.add_argument(
        "--empty",
        action="store_true",
        help="make nodes and links only; `testbed provision` brings the programs",
    )
    add_metrics_port(parser)


def _name(text: str) -> str:
    from testbed.world.namespaces import name_problems

    problems = name_problems(text)
    if problems:
        raise argparse.ArgumentTypeError("; ".join(problems))
    return text


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; raises what keeps the world from being made."""
    if arguments.metrics_port is not None:
        return _served(arguments)
    _bring_up(arguments)
    return 0


def _served(arguments: argparse.Namespace) -> int:
    """Bring it up and serve its metrics until Ctrl-C, or until it ends; the world lives on."""
    from testbed.metrics.exporter import served

    # The port first: one that is taken is said before anything is started.
    with served(arguments.metrics_port) as exporter:
        observation = exporter.observe(_bring_up(arguments))
        print(f"\nMetrics: {exporter.url} until Ctrl-C; the world lives on after it.", flush=True)
        try:
            observation.wait()
        except KeyboardInterrupt:
            return 0
    return 0


def _bring_up(arguments: argparse.Namespace) -> NamespaceWorld:
    from testbed.cli._bring_up_view import bring_up_view
    from testbed.provision.bring_up import bring_up
    from testbed.topology.inventory import find, load
    from testbed.topology.settings import assignments

    began = time.monotonic()
    deployment = load(find(arguments.deployment), assignments(arguments.settings))
    name = arguments.name or deployment.name
    with bring_up_view(sys.stderr, f"Bringing up {name}") as listener:
        world = bring_up(
            deployment, name, fresh=arguments.fresh, empty=arguments.empty, listener=listener
        )
    print(f"World {name} is up after {time.monotonic() - began:.1f} s.\n")
    if arguments.empty:
        print(f"It is empty. To bring its programs: testbed provision {name}")
        return world
    print("\n".join(directions(world)))
    return world


def directions(world: NamespaceWorld) -> list[str]:
    """How to reach a world, line by line."""
    from testbed.probes.status import entrances

    lines = [f"  {'region':12} {'writer':17} reader"]
    for region, addresses in entrances(world.topology).items():
        writer, reader = addresses.get("writer", "-"), addresses.get("reader", "-")
        lines.append(f"  {region:12} {writer:17} {reader}")
    return [*lines, "", "These addresses are inside the world. To go on:", "", *_commands(world)]


def _commands(world: NamespaceWorld) -> list[str]:
    """Commands to go on with; they name the world only where there are several."""
    from testbed.world.finding import default_name

    only = default_name() == world.name
    option, argument = ("", "") if only else (f" --world {world.name}", f" {world.name}")
    lines = []
    for node in world.topology.members("haproxy")[:1]:
        query = "psql -c 'SELECT inet_server_addr()'"
        lines.append(f"  testbed exec {node.name}{option} -- {query}")
    for node in world.topology.members("postgres")[:1]:
        lines.append(f"  testbed exec {node.name}{option} -- patronictl list")
        lines.append(f"  testbed shell {node.name}{option}")
    return [
        *lines,
        f"  testbed status{argument}",
        f"  testbed logs{option} --follow",
        f"  testbed down{argument}",
    ]
