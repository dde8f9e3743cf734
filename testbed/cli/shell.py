"""``testbed shell``: an interactive shell in a node."""

from __future__ import annotations

import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "shell",
        help="open a shell in a node",
        description="Opens a shell in a node, whose prompt names it. psql, patronictl and consul "
        "are on its PATH and know where to connect.",
        epilog="Exit code: the shell's own; 3 when the node cannot be entered, 64 bad usage.",
    )
    parser.add_argument("node", metavar="NODE", help="a node's name, or `wan`")
    parser.add_argument("--world", metavar="NAME", help="may be left out if there is one")


def run(arguments: argparse.Namespace) -> int:
    """Returns the shell's exit code."""
    from testbed.provision.visit import visit

    return visit(arguments.world, arguments.node, None)
