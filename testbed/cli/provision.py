"""``testbed provision``: play the playbooks on a world that runs."""

from __future__ import annotations

import argparse
import sys


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "provision",
        help="play the playbooks on a world that runs",
        description="Plays `site.yml` on a running world. What is as it should be stays untouched; "
        "what is missing is made: the programs of a world that is empty, a region that joins, the "
        "rows of a region whose slot was lost.",
        epilog="Exit code: 0 it is as the inventory says (with `--check`: it was looked at), 3 it "
        "could not be made so, 64 bad usage.",
    )
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="of the world; default: the only one"
    )
    parser.add_argument(
        "--deployment",
        metavar="DEPLOYMENT",
        help="a shipped deployment, or the path of an inventory folder, whose nodes the world has; "
        "default: what the world was made of",
    )
    parser.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="give a variable another value than the world has; repeatable",
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing, and say what would be changed"
    )


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; raises what keeps the world from being as the inventory says."""
    from testbed.cli._bring_up_view import bring_up_view
    from testbed.provision.again import deployment_for, play_again
    from testbed.topology.settings import assignments
    from testbed.world.finding import find_running

    world = find_running(arguments.name)
    deployment = deployment_for(world, arguments.deployment, assignments(arguments.settings))
    with bring_up_view(sys.stderr, f"Provisioning {world.name}") as listener:
        done = play_again(world, deployment, check=arguments.check, listener=listener)
    for node, sentences in done.changes.items():
        for sentence in sentences:
            print(f"{node}: {sentence}")
    count = sum(map(len, done.changes.values()))
    would = "would be " if arguments.check else ""
    print(f"{count or 'Nothing'} {would}changed in {done.seconds:.1f} s.")
    return 0
