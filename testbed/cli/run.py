"""``testbed run``: an experiment, from nothing to a verdict."""

from __future__ import annotations

import argparse
from pathlib import Path

from testbed.cli._metrics_port import add_metrics_port


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "run",
        help="run an experiment: build, break, judge, report",
        description="Runs an experiment on real clusters and judges every promise from what "
        "clients saw. Exit code: 0 all promises held, 1 one was broken, 2 inconclusive, "
        "3 the environment failed, 64 bad usage.",
        epilog="The variables that --set knows: testbed run EXPERIMENT --list-variables",
    )
    from experiments.catalogue import EXPERIMENTS

    parser.add_argument("experiment", metavar="EXPERIMENT", help=", ".join(EXPERIMENTS))
    parser.add_argument("--deployment", help="folder below inventory/, or a path to another one")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="a variable of the deployment; may be given again",
    )
    parser.add_argument(
        "--each",
        metavar="VARIABLE",
        help="run it under each value of a variable that is a choice, with the same schedules, "
        "and print one table; the budget is that of each",
    )
    parser.add_argument(
        "-n", "--lanes", type=_count, default=1, metavar="N", help="worlds in parallel (default 1)"
    )
    parser.add_argument(
        "--budget",
        type=_duration,
        default=180.0,
        metavar="TIME",
        help="no example is begun after it, from the first world on: 90s, 5m, 1h (default 3m)",
    )
    parser.add_argument(
        "--examples", type=_count, default=1000, metavar="N", help="at most so many in each lane"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn (default 0)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="default: runs/TIME")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="default: FOLDER/junit.xml")
    parser.add_argument(
        "--fresh", action="store_true", help="provision by Ansible, not from a golden snapshot"
    )
    parser.add_argument(
        "--list-variables", action="store_true", help="list what --set can change, and end"
    )
    add_metrics_port(parser)


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code of the suite."""
    from testbed.cli import _suite

    if arguments.list_variables:
        return _suite.list_variables(arguments.experiment, arguments.deployment)
    return _suite.run(
        _suite.Request(
            experiment=arguments.experiment,
            deployment=arguments.deployment,
            settings=tuple(arguments.settings),
            lanes=arguments.lanes,
            budget_s=arguments.budget,
            examples=arguments.examples,
            seed=arguments.seed,
            out=arguments.out,
            junit=arguments.junit,
            json=arguments.json,
            fresh=arguments.fresh,
            metrics_port=arguments.metrics_port,
            plan=None,
            each=arguments.each,
        )
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"'{text}' must be a whole number from 1")
    return int(text)


def _duration(text: str) -> float:
    from experiments.duration import parse_duration_s

    try:
        return parse_duration_s(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
