"""``testbed replay``: the plan of a recorded run once more, in a new world."""

from __future__ import annotations

import argparse
from pathlib import Path

from testbed.cli._metrics_port import add_metrics_port


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "replay",
        help="run the plan of a recorded run again",
        description="Runs the plan of a run folder, or a plan file, once more in a new world. "
        "The schedule and every draw are the same; what real programs do in it is their own.",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="a run folder or a plan.json")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="default: runs/TIME")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="default: FOLDER/junit.xml")
    parser.add_argument(
        "--fresh", action="store_true", help="provision by Ansible, not from a golden snapshot"
    )
    add_metrics_port(parser)


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code of the run."""
    from testbed.cli import _suite
    from testbed.runner.plan_document import load_plan

    given: Path = arguments.run_folder
    path = (given / "plan.json" if given.is_dir() else given).absolute()
    plan = load_plan(path)
    return _suite.run(
        _suite.Request(
            experiment=plan.experiment,
            deployment=plan.deployment,
            settings=tuple(f"{name}={_text(value)}" for name, value in plan.variables.items()),
            lanes=1,
            budget_s=1.0,
            examples=1,
            seed=plan.seed,
            out=arguments.out,
            junit=arguments.junit,
            json=arguments.json,
            fresh=arguments.fresh,
            metrics_port=arguments.metrics_port,
            plan=path,
        )
    )


def _text(value: object) -> str:
    """A variable as ``--set`` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(str(item) for item in value)
    return str(value)
