"""``testbed drill``: a game day, with people or without."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from testbed.cli._metrics_port import add_metrics_port

if TYPE_CHECKING:
    import subprocess


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "drill",
        help="rehearse a failure with people",
        description="Plays a drill file: preflight, hidden injects on a timeline, stop conditions, "
        "and a debrief with the times that people took. Exit code: 0 the objective held, 1 it was "
        "missed, 2 inconclusive, 3 the environment failed, 64 bad usage.",
        epilog="Others join from their terminals: testbed attach FOLDER --as responder",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="drill file (YAML)")
    parser.add_argument("--auto", action="store_true", help="play it without people")
    parser.add_argument(
        "--control",
        action="store_true",
        help="play its negative control, which must miss the objective",
    )
    parser.add_argument(
        "--check", action="store_true", help="say what is wrong with the file, and end"
    )
    parser.add_argument(
        "--world", default="", metavar="NAME", help="a world that is up; default: one of its own"
    )
    parser.add_argument(
        "--alerts",
        action="store_true",
        help="let Prometheus watch, and ask that the objective's alerts fire",
    )
    add_metrics_port(parser)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="default: runs/drill-TIME")


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code of the drill."""
    import time

    from testbed.drill.drill_file import load_drill
    from testbed.drill.session_file import Setup
    from testbed.drill.start import make_folder, start_host
    from testbed.metrics.prometheus import found_program
    from testbed.toolchain.display import progress
    from testbed.toolchain.preparation import prepare

    if arguments.check:
        drill, _ = load_drill(arguments.file, control=arguments.control)
        print(f"{arguments.file}: good: {drill.title}, {len(drill.injects)} injects")
        return 0
    if not arguments.auto and not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("testbed drill: a console needs a terminal; --auto needs none", file=sys.stderr)
        return 64
    out = arguments.out or Path("runs") / f"drill-{time.strftime('%Y%m%d-%H%M%S')}"
    path = out.absolute()
    setup = Setup(
        arguments.file.stem,
        auto=arguments.auto,
        control=arguments.control,
        world=arguments.world,
        source=str(arguments.file),
        alerts=arguments.alerts,
        metrics_port=arguments.metrics_port,
    )
    if arguments.alerts:
        found_program()
    make_folder(path, arguments.file, setup)
    prepare(progress())
    host = start_host(path)
    try:
        _drive(path, host, auto=arguments.auto)
    except KeyboardInterrupt as interrupt:
        if str(interrupt) == signal.SIGHUP.name:
            # The terminal is gone, and nobody is left to tell: the drill heals and ends without it.
            return 2
        # Its player sees that the driver is gone: it heals, verifies and writes the debrief.
        print("\nThe drill heals and ends ...", file=sys.stderr, flush=True)
    if host.stdin is not None:
        host.stdin.close()
    return _result(path, host.wait())


def _drive(path: Path, host: subprocess.Popen[bytes], *, auto: bool) -> None:
    """Drive a drill from this terminal until it has ended."""
    import asyncio
    import getpass

    from testbed.drill.channel import Person
    from testbed.drill.follow import drive, follow

    person = Person(getpass.getuser(), "facilitator", driver=True)
    driving = follow if auto else drive
    asyncio.run(driving(path, host, person, lambda line: print(line, flush=True)))


def _result(path: Path, code: int) -> int:
    """Tell what it came to; only what was judged is an outcome."""
    from testbed.runner.folder import FolderError, read_json

    try:
        found = read_json(path / "scorecard.json")
    except FolderError:
        print(f"The drill was not played; see {path / 'host.log'}", file=sys.stderr)
        return code if code in (3, 64) else 3
    print(f"\nThe objective was {found['outcome']}: {found['reason']}")
    for one in found["times"]:
        when = "-" if one["seconds"] is None else f"{one['seconds']:.1f} s"
        wrong = "  (it was not so yet)" if one["good"] is False else ""
        print(f"  {one['name']:9} {when:>8}  {one['who'] or 'nobody'}: {one['said']}{wrong}")
    if found["rto_s"] is not None:
        print(f"  RTO       {found['rto_s']:6.1f} s  bound {found['rto_bound_s']:.1f} s")
    if found["lost_writes"] is not None:
        print(f"  RPO       {found['lost_writes']} acknowledged writes lost")
    print(f"Debrief: {path / 'debrief.html'}")
    return int(found["exit_code"])
