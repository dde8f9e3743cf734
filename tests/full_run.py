"""Runs properties with 10,000 examples each, one process a property, one after the other.

    nice -n 19 .venv/bin/python -m tests.full_run --kept RESULTS [PATH...]

RESULTS gets a JSON line for each property: how it ended, its seconds, its processor seconds. What
it holds already is not run again, so that a run that was ended goes on where it was. Ends with 1 if
a property failed or was not done in time; what it printed is beside RESULTS.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

PROPERTIES = "tests/property"


@dataclass(frozen=True)
class Done:
    """One property that was run.

    Args:
        test: Its name.
        ended: The exit code of pytest; 124 if it took too long.
        seconds: How long it took.
        processor_seconds: What it cost.
    """

    test: str
    ended: int
    seconds: float
    processor_seconds: float


def properties(paths: list[str]) -> list[str]:
    """The names of all tests that draw their inputs, below some paths."""
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", *paths],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [line for line in listed.stdout.splitlines() if "::" in line]


def run(test: str, limit_s: float, log: Path) -> Done:
    """Run one property."""
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "--hypothesis-show-statistics", test],
            env=os.environ | {"HYPOTHESIS_PROFILE": "full"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        before = os.times()
        try:
            ended = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            ended = 124
    after = os.times()
    cost = after.children_user + after.children_system
    cost -= before.children_user + before.children_system
    return Done(test, ended, round(time.monotonic() - began, 1), round(cost, 1))


def main() -> int:
    """Run what was not run yet."""
    parser = argparse.ArgumentParser(
        prog="tests.full_run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="*", default=[PROPERTIES])
    parser.add_argument("--kept", type=Path, required=True, help="the file of results")
    parser.add_argument("--limit", type=float, default=1500, help="seconds for one property")
    arguments = parser.parse_args()
    kept: Path = arguments.kept
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    done = [Done(**json.loads(line)) for line in lines]
    known = {each.test for each in done}
    for test in properties(arguments.paths):
        if test in known:
            continue
        name = re.sub(r"[^\w.-]+", "_", test.removeprefix(PROPERTIES))
        found = run(test, arguments.limit, kept.with_name(f"{name[-150:]}.log"))
        done.append(found)
        with kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(found)) + "\n")
        sys.stdout.write(f"{found.ended} {found.processor_seconds:7.1f} s {test}\n")
        sys.stdout.flush()
    failed = [each.test for each in done if each.ended]
    sys.stdout.write(f"{len(done)} properties, {len(failed)} not passed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
