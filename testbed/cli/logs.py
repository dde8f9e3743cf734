"""``testbed logs``: what the programs of a world wrote."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from testbed.world.logs import Line, LogFile


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "logs",
        help="show what the programs of a world wrote",
        description="Shows the last lines of the logs of a world, of a node or of one program, "
        "also of a world that has died.",
        epilog="Exit code: 0, also when Ctrl-C ends --follow; 3 there is no such log, "
        "64 bad usage. Example: testbed logs eu-west-db1/patroni --follow",
    )
    parser.add_argument(
        "which", nargs="?", default="", metavar="NODE[/PROGRAM]", help="by default every node"
    )
    parser.add_argument("--world", metavar="NAME", help="may be left out if there is one")
    parser.add_argument(
        "--follow", "-f", action="store_true", help="go on with what is added, until Ctrl-C"
    )
    parser.add_argument(
        "--lines", "-n", type=_count, default=10, metavar="N", help="of each log (default: 10)"
    )


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines: write 0 or more")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; raises WorldError when there is no such log."""
    from testbed.world.finding import find
    from testbed.world.logs import follow, last_lines, log_files

    world = find(arguments.world).world
    node, _, program = arguments.which.partition("/")
    files = log_files(world.logs, node or None, program or None)
    if not arguments.follow:
        _print(
            (each for file in files for each in last_lines(file, arguments.lines)[0]), len(files)
        )
        return 0

    def listed() -> list[LogFile]:
        return log_files(world.logs, node or None, program or None)

    try:
        _print(follow(listed, arguments.lines, world.alive), len(files))
    except KeyboardInterrupt as interrupt:
        if str(interrupt):
            raise  # Another signal than Ctrl-C: not what a person means by the end.
        return 0
    print(f"-- world {world.name} has ended --")
    return 0


def _print(lines: Iterator[Line], files: int) -> None:
    """Print lines; of several files each with the name of its own."""
    for each in lines:
        prefix = f"{each.file.label}: " if files > 1 else ""
        print(prefix + each.text, flush=True)
