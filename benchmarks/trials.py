"""Region-cut trials an hour with worlds in parallel, and what parallelism does to the RTO.

Run it with ``.venv/bin/python -m benchmarks.trials``. First one world alone, then several at
once, each cutting the primary's region again and again; every trial is judged like any run.
Prints trials an hour, the median RTO of both, and their ratio.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from experiments.arena import Arena
from experiments.options import Options
from testbed.runner.plan import Load, Plan, Step
from testbed.topology.inventory import find, load

CUT = (Step("region-cut", "region-of:primary", 1.0, 13.0),)
SETTINGS = {"replication": "asynchronous", "consul_session_checks": "serf_health"}
RATE_OPS_S = 10.0


def plan(seed: int) -> Plan:
    """One trial: the same cut under another seed."""
    return Plan(
        deployment="active-passive",
        variables=SETTINGS,
        load=Load("set", rate_ops_s=RATE_OPS_S),
        schedule=CUT,
        seed=seed,
        duration_s=15.0,
    )


def work(out: Path, lane: int, seconds: float) -> None:
    """One lane: trials until the time is over."""
    deployment = load(find("active-passive"), SETTINGS)
    options = Options(None, (), out, seconds, 1000, lane, lane, out / "progress.jsonl")
    arena = Arena(deployment, options)
    until = time.monotonic() + seconds
    try:
        arena.ready_world()
        (out / f"ready{lane}").touch()
        seed = lane * 1000
        while time.monotonic() < until:
            seed += 1
            try:
                arena.examine(plan(seed))
            except AssertionError:
                # Asynchronous replication loses writes in every trial: that is no concern here.
                continue
    finally:
        arena.close()


def rtos_s(verdicts: list[Path]) -> list[float]:
    """The worst region's RTO of every trial whose outage ended."""
    found = []
    for path in verdicts:
        measured = [row["rto_s"] for row in json.loads(path.read_text())["measures"]["rto"]]
        if measured and None not in measured:
            found.append(max(measured))
    return found


def rate_h(out: Path, lanes: int) -> tuple[float, list[float]]:
    """Trials an hour of all lanes from when their worlds were ready, and the trials' RTOs."""
    rate, rtos = 0.0, list[float]()
    for lane in range(lanes):
        verdicts = list(out.glob(f"runs/lane{lane}-*/verdict.json"))
        began = (out / f"ready{lane}").stat().st_mtime
        judged = rtos_s(verdicts)
        if judged:
            ended = max(path.stat().st_mtime for path in verdicts)
            rate += len(judged) * 3600 / (ended - began)
            rtos += judged
    return rate, rtos


def run(lanes: int, seconds: float) -> tuple[float, list[float]]:
    """Run so many lanes; as :func:`rate_h`."""
    with tempfile.TemporaryDirectory(prefix="testbed-trials-") as folder:
        command = [sys.executable, "-m", "benchmarks.trials", "--out", folder]
        command += ["--seconds", str(seconds)]
        processes = [subprocess.Popen([*command, "--lane", str(lane)]) for lane in range(lanes)]
        for process in processes:
            process.wait()
        return rate_h(Path(folder), lanes)


def main() -> None:
    """One world alone, then several."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lanes", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--lane", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.lane is not None:
        work(arguments.out, arguments.lane, arguments.seconds)
        return
    lone_rate, lone = run(1, min(arguments.seconds, 150.0))
    print(f"1 world: {lone_rate:.0f} trials/h, median RTO {median(lone):.2f} s of {len(lone)}")
    rate, parallel = run(arguments.lanes, arguments.seconds)
    print(
        f"{arguments.lanes} worlds: {rate:.0f} trials/h (aim: 400), "
        f"median RTO {median(parallel):.2f} s of {len(parallel)}"
    )
    print(f"RTO in parallel / alone: {median(parallel) / median(lone):.2f} (aim: 0.9 to 1.1)")


if __name__ == "__main__":
    main()
