"""``testbed report``: the report of a recorded run again."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "report",
        help="write the HTML report of a recorded run or suite again",
        description="Writes report.html of a run folder from its files, and prints the summary. "
        "Of a suite's folder it writes the report of every run, and index.html. Needs no cluster.",
    )
    parser.add_argument(
        "run_folder", metavar="RUN", type=Path, help="the folder of a run, or of a suite"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="another file than RUN/report.html, or than the suite's index.html",
    )


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 when the report was written, whatever the verdict."""
    from testbed.report.report_file import write_report, write_suite_reports
    from testbed.report.suite_folder import is_suite
    from testbed.report.terminal import console_for, print_run, print_suite

    if is_suite(arguments.run_folder):
        suites, index = write_suite_reports(arguments.run_folder, arguments.output)
        for one in suites:
            print_suite(console_for(sys.stdout, os.environ), one.suite)
        print(f"All runs: {index}")
        return 0
    recorded = write_report(arguments.run_folder, arguments.output)
    print_run(console_for(sys.stdout, os.environ), recorded)
    return 0
