"""``testbed gate``: thresholds over runs, turned into an exit code and a CI report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from testbed.gates.gate import Gate, GateSuite
    from testbed.report.recorded import RecordedRun


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "gate",
        help="stop a release when a promise is broken",
        description="Judges the thresholds of a gate file over runs. Exit code: 0 all promises "
        "held, 1 one was broken, 2 inconclusive, 3 the environment failed, 64 bad usage.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="gate file (TOML)")
    parser.add_argument(
        "--runs",
        type=Path,
        metavar="FOLDER",
        help="judge what was run before, with no cluster: FOLDER/SUITE/runs, or FOLDER/runs "
        "for a gate of one suite",
    )
    parser.add_argument(
        "--baseline",
        type=Path,
        metavar="FOLDER",
        help="as --runs: times to recover and lag must not have grown since",
    )
    parser.add_argument("-n", "--lanes", type=int, default=1, metavar="N", help="worlds at once")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn (default 0)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="default: runs/gate-TIME")


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code of the gate."""
    import time

    from testbed.gates.compare import compare
    from testbed.gates.decide import decide
    from testbed.gates.gate import GateResult
    from testbed.gates.gate_document import load_gate
    from testbed.gates.render import render_json, render_junit, render_markdown
    from testbed.report.report_file import write_index
    from testbed.report.suite_folder import is_suite, read_suites
    from testbed.runner.folder import FolderError

    gate = load_gate(arguments.file)
    _there("--runs", arguments.runs)
    _there("--baseline", arguments.baseline)
    out = (arguments.out or Path("runs") / f"gate-{time.strftime('%Y%m%d-%H%M%S')}").absolute()
    problems: Mapping[str, str] = {}
    if arguments.runs is None:
        problems = _play(gate, arguments, out)
    runs = {
        suite.name: _recorded(_folder(gate, suite, arguments.runs or out) / "runs")
        for suite in gate.suites
    }
    result = decide(gate, runs, problems)
    if arguments.baseline is not None:
        against = [
            finding
            for suite in gate.suites
            for finding in compare(
                suite.name,
                _recorded(_folder(gate, suite, arguments.baseline) / "runs"),
                runs[suite.name],
            )
        ]
        result = GateResult(result.gate, (*result.findings, *against))
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "gate.json").write_text(render_json(result), encoding="utf-8")
        (out / "gate.xml").write_text(render_junit(result), encoding="utf-8")
        (out / "gate.md").write_text(render_markdown(result), encoding="utf-8")
        if arguments.runs is None and is_suite(out):
            write_index(out, read_suites(out))
    except OSError as error:
        raise FolderError(f"{out} cannot be written: {error.strerror}") from error
    sys.stdout.write(render_markdown(result))
    return result.outcome.exit_code


def _play(gate: Gate, arguments: argparse.Namespace, out: Path) -> Mapping[str, str]:
    """Progress goes to standard error: standard output is the summary alone."""
    import os

    from testbed.gates.play import play
    from testbed.report.watch import view_for

    return play(
        gate,
        out,
        lanes=max(1, arguments.lanes),
        seed=arguments.seed,
        view=lambda: view_for(sys.stderr, os.environ),
        say=lambda text: print(text, file=sys.stderr, flush=True),
    )


def _there(option: str, folder: Path | None) -> None:
    """Before anything is played: a name that is mistyped is not a folder with too few runs."""
    from testbed.report.folder import RunFolderError

    if folder is not None and not folder.is_dir():
        raise RunFolderError(f"{option} {folder}: no such folder; give the folder of a gate's runs")


def _folder(gate: Gate, suite: GateSuite, given: Path) -> Path:
    """Where a suite was run: in the folder itself where the gate has no other."""
    alone = len(gate.suites) == 1 and (given / "runs").is_dir()
    return given if alone else given / suite.name


def _recorded(folder: Path) -> list[RecordedRun]:
    """Every run of a suite, first tries of what was tried again included."""
    return [_read(one) for one in sorted(folder.glob("*")) if one.is_dir()]


def _read(folder: Path) -> RecordedRun:
    """A run; one that died before it wrote anything is a run that says nothing."""
    from testbed.report.folder import RunFolderError, read_run
    from testbed.report.reading import Problem
    from testbed.report.recorded import RecordedRun

    try:
        return read_run(folder, operations=False)
    except RunFolderError as error:
        return RecordedRun(folder, problems=(Problem("verdict.json", str(error)),))
