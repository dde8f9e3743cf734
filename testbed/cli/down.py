"""``testbed down``: ends worlds."""

from __future__ import annotations

import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "down",
        help="end a world",
        description="Ends a world: every process, namespace, interface and mount of it. "
        "Its logs stay. One that has died already is forgotten.",
        epilog="Exit code: 0 it is gone, 3 there is no such world, 64 bad usage.",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("name", nargs="?", metavar="NAME", help="may be left out if there is one")
    which.add_argument(
        "--all",
        action="store_true",
        help="every world but those of runs that go on, which die with their run",
    )


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; raises WorldError when there is no such world."""
    from testbed.world.ending import end, end_all

    for departure in end_all() if arguments.all else [end(arguments.name)]:
        print(departure)
    return 0
