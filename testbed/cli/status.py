"""``testbed status``: how the worlds of this user are."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "status",
        help="show a world: its nodes, programs, replication and links",
        description="Shows a world: each node with its programs, role, replication and lag; each "
        "link with the delay that was asked for and the one that is measured; cuts in force. "
        "Without NAME the only world, or one line for each of several.",
        epilog="Exit code: 0 every world shown runs, 3 one has died or there is none of that "
        "name, 64 bad usage. Whether a running world is well is what it says, not its exit code.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="of the world; default: all")
    parser.add_argument(
        "--json", action="store_true", help="print every world asked for as one JSON document"
    )


def run(arguments: argparse.Namespace) -> int:
    """Returns 0, or 3 when a world has died; raises WorldError when there is none of that name."""
    from rich.console import Console

    from testbed.cli import _status_view as view
    from testbed.probes.status import status
    from testbed.world.finding import Condition, find, survey

    found = survey()
    problems = () if arguments.name else found.problems
    sightings = (find(arguments.name),) if arguments.name else found.sightings
    dead = bool(problems) or any(each.condition is Condition.ENDED for each in sightings)
    console = Console(width=None if sys.stdout.isatty() else 80, highlight=False, soft_wrap=True)
    if arguments.json:
        worlds = [dataclasses.asdict(status(each)) for each in sightings]
        print(json.dumps({"worlds": worlds, "problems": problems}, indent=1, default=str))
    elif len(sightings) == 1:
        view.show_world(console, status(sightings[0]))
    elif sightings:
        view.show_list(console, sightings)
    elif not problems:
        print("There is no world. `testbed up` makes one.")
    if not arguments.json:
        view.show_problems(console, problems)
    return 3 if dead else 0
