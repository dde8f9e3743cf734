"""``testbed attach``: join a drill from another terminal, or show it in a browser."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "attach",
        help="join a drill that is being played",
        description="Joins a drill: as a responder, who sees what an operator would see, has a "
        "shell on the nodes and declares what is found; as an observer, who sees everything; or as "
        "a second facilitator. With --web a read-only page for the people in the room.",
        epilog="Exit code: 0 the drill ended or was left, 3 there is none, 64 bad usage.",
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, metavar="FOLDER", help="default: the one being played"
    )
    parser.add_argument(
        "--as",
        dest="role",
        choices=("responder", "observer", "facilitator"),
        default="responder",
        help="default: responder",
    )
    parser.add_argument("--name", default="", help="default: the user's")
    parser.add_argument(
        "--web", type=int, metavar="PORT", help="serve a page on 127.0.0.1:PORT instead"
    )
    parser.add_argument(
        "--abort", action="store_true", help="abort the drill now, whoever drives it"
    )


def run(arguments: argparse.Namespace) -> int:
    """Returns 0."""
    import asyncio
    import getpass

    from testbed.drill.attach import abort, find_drill, watch
    from testbed.drill.channel import Person

    folder = find_drill(arguments.folder)
    name = arguments.name or getpass.getuser()
    if arguments.abort:
        print(asyncio.run(abort(folder, name)))
        return 0
    person = Person(name, arguments.role)
    if arguments.web is not None:
        # Only who needs it waits for it: an abort is wanted at once.
        from testbed.drill.web import serve

        print(f"http://127.0.0.1:{arguments.web}/ shows it until the drill ends.", flush=True)
        asyncio.run(serve(folder, person, arguments.web))
        return 0
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        print("testbed attach: a console needs a terminal; --web PORT needs none", file=sys.stderr)
        return 64
    asyncio.run(watch(folder, person))
    return 0
