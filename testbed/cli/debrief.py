"""``testbed debrief``: a drill judged and told again, with no cluster."""

from __future__ import annotations

import argparse
from pathlib import Path


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "debrief",
        help="judge a drill again and write its debrief",
        description="Judges a drill that was played from what it recorded, with no cluster, and "
        "writes its debrief and scorecard again. Exit code: as of the drill.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a drill's folder")


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code of the drill."""
    from testbed.drill.channel import RUN
    from testbed.drill.debrief_file import HTML, write_debrief
    from testbed.drill.outcome import outcome_of
    from testbed.drill.session_file import drill_of
    from testbed.runner.folder import RunFolder

    folder: Path = arguments.folder
    drill, _ = drill_of(folder)
    outcome = outcome_of(RunFolder(folder / RUN), drill)
    write_debrief(folder, drill, outcome)
    print(f"The objective was {outcome.word}: {outcome.reason}\nDebrief: {folder / HTML}")
    return outcome.exit_code
