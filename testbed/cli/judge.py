"""``testbed judge``: the verdicts of a recorded run again, from its journal alone."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "judge",
        help="judge a recorded run again, with no cluster",
        description="Judges a run folder from its journal alone, writes verdict.json again (and "
        "the auditor's report where personal data was searched for) and prints the verdicts. "
        "Exit code as for run: 0, 1, 2 or 3.",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="the folder of a run")
    parser.add_argument("--json", action="store_true", help="print verdict.json instead")


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code of the verdict."""
    from experiments.judging import judge
    from testbed.history.residency_record import RecordError
    from testbed.metrics.textfile import write_textfile
    from testbed.report.audit_file import write_audit
    from testbed.report.folder import read_run
    from testbed.report.story import outcome_of
    from testbed.report.terminal import console_for, print_run
    from testbed.runner.folder import RunFolder

    folder = RunFolder(arguments.run_folder)
    judge(folder)
    write_textfile(folder)
    recorded = read_run(folder.path, operations=False)
    try:
        write_audit(recorded)
    except RecordError as error:
        print(f"testbed judge: {error}: the auditor's report is left out", file=sys.stderr)
    if arguments.json:
        print(folder.verdict.read_text(encoding="utf-8"), end="")
    else:
        print_run(console_for(sys.stdout, os.environ), recorded)
    return outcome_of(recorded).exit_code
