"""``testbed exec``: one command in a node."""

from __future__ import annotations

import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "exec",
        help="run a command in a node",
        description="Runs a command in a node, with this terminal. psql, patronictl and consul "
        "are on its PATH and know where to connect. Options of this verb come before the command.",
        epilog="Exit code: the command's own; 128 and the signal's number when a signal ended it; "
        "127 when there is no such command; 3 when the node cannot be entered, 64 bad usage. "
        "Example: testbed exec eu-west-db1 -- psql -c 'SELECT now()'",
    )
    parser.add_argument("node", metavar="NODE", help="a node's name, or `wan`")
    parser.add_argument("--world", metavar="NAME", help="may be left out if there is one")
    # This kind of positional takes all that follows, whatever it looks like.
    parser.add_argument(
        "command", metavar="-- COMMAND", nargs=argparse.PARSER, help="program and its arguments"
    )


def run(arguments: argparse.Namespace) -> int:
    """Returns the command's exit code."""
    from testbed.provision.visit import visit

    command = list(arguments.command)
    if command[0] == "--":
        del command[0]
    return visit(arguments.world, arguments.node, command)
