"""Conflict trials in ten minutes, and how soon the controls' failures are found.

Run it with ``.venv/bin/python -m benchmarks.conflicts trials``, ``... controls``, ``... promises``
or ``... known``.

``trials`` runs the experiment in several worlds for a time, and prints how many schedules were
played, healed and judged, what became of them, and where the time of one went.

``controls`` runs the experiment under each strategy that is known to fail, again and again under
another seed, until its first broken promise, and prints after how many schedules and seconds that
was. As in a budget, which is 180 s by default, seconds count from when the first world is ready.

``promises`` runs it under each strategy that promises something else, for the default budget, and
prints what became of its schedules.

``known`` plays the schedule that every run tries second, under the controls whose streams go on,
again and again in one world under another seed, and prints how often it broke a promise.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.conflict_phases import events, table, trials_of
from experiments.arena import Arena
from experiments.conflict_resolution import APART_KEYS, apart, plan
from experiments.judging import judge
from experiments.options import Options
from testbed.runner.drivers import Drivers
from testbed.runner.execute import execute, prepare
from testbed.runner.folder import RunFolder
from testbed.topology.inventory import find, load

CONTROLS = ("none", "last_write_wins_triggers", "last_write_wins_wall_clock")
PROMISING = ("last_write_wins", "home_region", "crdt")
BUDGET_S = 180.0
POLL_S = 0.2


def command(out: Path, *words: str) -> list[str]:
    """A run of the experiment, in a process of its own."""
    run = [sys.executable, "-m", "testbed.cli.main", "run", "conflict_resolution"]
    return [*run, "--out", str(out), *words]


def idle_s() -> float:
    """Seconds that the machine's processors have had nothing to do since it was started."""
    return float(Path("/proc/uptime").read_text(encoding="ascii").split()[1])


def trials(lanes: int, seconds: float, words: list[str], keep: Path | None) -> None:
    """Run it for a time; print trials in ten minutes and where their time went.

    A run with another verdict than valid is kept in a folder, where one is given, to be looked at.
    """
    with tempfile.TemporaryDirectory(prefix="testbed-conflicts-") as folder:
        out = Path(folder) / "out"
        busy, idle = os.getloadavg()[0], idle_s()
        budget = ["--budget", str(seconds), "-n", str(lanes), *words]
        began, began_at = time.monotonic(), time.time()
        done = subprocess.run(command(out, *budget), capture_output=True, text=True, check=False)
        lasted_s = time.monotonic() - began
        idle_share = (idle_s() - idle) / lasted_s / (os.cpu_count() or 1)
        judged = [one for one in events(out) if one["event"] == "verdict"]
        steady = [one["time"] for one in events(out) if one.get("name") == "steady"]
        spent = list(table(trials_of(out)))
        verdicts = Counter(one["validity"] for one in judged)
        if keep is not None and set(verdicts) - {"valid"}:
            shutil.copytree(folder, keep, dirs_exist_ok=True)
    if not judged:
        raise SystemExit(done.stdout + done.stderr)
    total, start_s = len(judged), min(steady) - began_at
    started_s = lasted_s - start_s
    print(
        f"{total} trials in {lasted_s:.0f} s with {lanes} worlds, {dict(verdicts)}: "
        f"{total * 600 / lasted_s:.0f} in ten minutes (aim: 200),\n"
        f"{total * 600 / started_s:.0f} without the first world's start ({start_s:.0f} s); load "
        f"{busy:.1f} before and {os.getloadavg()[0]:.1f} after, processors idle for "
        f"{idle_share:.0%} of it"
    )
    print("\n".join(spent))


def found(folder: Path, strategy: str, seed: int) -> tuple[int, float] | None:
    """After how many schedules, and seconds from the first world on; None if it was not found."""
    out = folder / f"{strategy}-{seed}"
    words = ["--set", f"conflict_resolution={strategy}", "--seed", str(seed)]
    ready_s = None
    with (folder / "log").open("ab") as log:
        run = subprocess.Popen(command(out, *words), stdout=log, stderr=log)
        try:
            while run.poll() is None:
                told = list(events(out))
                verdicts = [one for one in told if one["event"] == "verdict"]
                if ready_s is None and any(one.get("name") == "steady" for one in told):
                    ready_s = time.monotonic()
                if any(one["validity"] == "violation" for one in verdicts):
                    return len(verdicts), time.monotonic() - (ready_s or 0.0)
                time.sleep(POLL_S)
        finally:
            if run.poll() is None:
                run.send_signal(signal.SIGINT)
            run.wait()
    return None


def controls(
    repetitions: int, first_seed: int, strategies: list[str], keep: Path | None = None
) -> None:
    """Each control some times; prints a line for each repetition and one for each control.

    Runs that found nothing are kept in a folder, where one is given, to be looked at.
    """
    for strategy in strategies:
        results = []
        for seed in range(first_seed, first_seed + repetitions):
            with tempfile.TemporaryDirectory(prefix="testbed-controls-") as folder:
                result = found(Path(folder), strategy, seed)
                if result is None and keep is not None:
                    shutil.copytree(folder, keep, dirs_exist_ok=True)
            results.append(result)
            said = "not found" if result is None else f"schedule {result[0]}, {result[1]:.0f} s"
            print(f"  {strategy} seed {seed}: {said} (load {os.getloadavg()[0]:.1f})", flush=True)
        hits = [one for one in results if one is not None and one[1] <= BUDGET_S]
        schedules = median(one[0] for one in hits) if hits else float("nan")
        print(
            f"{strategy}: {len(hits)} of {repetitions} within {BUDGET_S:.0f} s, "
            f"median schedule {schedules:g}",
            flush=True,
        )


def promises(seed: int, strategies: list[str]) -> None:
    """Each strategy for the default budget; prints a line for each."""
    for strategy in strategies:
        words = ["--set", f"conflict_resolution={strategy}", "--seed", str(seed)]
        with tempfile.TemporaryDirectory(prefix="testbed-promises-") as folder:
            out = Path(folder) / "out"
            run = subprocess.run(command(out, *words), capture_output=True, text=True, check=False)
            told = [one for one in events(out) if one["event"] == "verdict"]
        judged = Counter(one["validity"] for one in told)
        print(
            f"{strategy} seed {seed}: exit code {run.returncode}, {dict(judged)} "
            f"(load {os.getloadavg()[0]:.1f})",
            flush=True,
        )
        for one in told:
            if one["validity"] != "valid":
                print(f"  {one['reason']}", flush=True)


def known(repetitions: int, strategies: list[str]) -> None:
    """The same schedule some times in one world; prints a line for each control."""
    for strategy in strategies:
        setting = f"conflict_resolution={strategy}"
        deployment = load(find("active-active"), {"conflict_resolution": strategy})
        schedule = apart(deployment.topology)
        with tempfile.TemporaryDirectory(prefix="testbed-known-") as text:
            out = Path(text) / "out"
            options = Options(None, (setting,), out, BUDGET_S, repetitions, 0, 0, None)
            arena = Arena(deployment, options)
            said: Counter[str] = Counter()
            began = time.monotonic()
            try:
                world = arena.ready_world()
                ready = time.monotonic()
                with Drivers(world) as drivers:
                    for seed in range(repetitions):
                        made = plan(deployment, options, schedule, "items", APART_KEYS)
                        folder = RunFolder(out / "runs" / str(seed))
                        prepare(folder, replace(made, seed=seed), deployment, world.name, {})
                        execute(drivers, folder)
                        said[judge(folder).validity.name.lower()] += 1
            finally:
                arena.close()
            each_s = (time.monotonic() - ready) / repetitions
        print(
            f"{strategy}: {dict(said)} of {repetitions}, {each_s:.1f} s each, after "
            f"{ready - began:.0f} s for the world (load {os.getloadavg()[0]:.1f})",
            flush=True,
        )


def main() -> None:
    """Measure one of the four."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["trials", "controls", "promises", "known"])
    parser.add_argument("--lanes", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--repetitions", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--control", action="append", choices=CONTROLS, default=[])
    parser.add_argument("--keep", type=Path, help="folder for runs that have to be looked at")
    parser.add_argument("--strategy", action="append", choices=PROMISING, default=[])
    parser.add_argument("--set", action="append", default=[], help="of the trials' deployment")
    arguments = parser.parse_args()
    if arguments.what == "trials":
        words = [word for one in arguments.set for word in ("--set", one)]
        words += ["--seed", str(arguments.first_seed)]
        trials(arguments.lanes, arguments.seconds, words, arguments.keep)
        return
    if arguments.what == "promises":
        promises(arguments.first_seed, arguments.strategy or list(PROMISING))
        return
    if arguments.what == "known":
        known(arguments.repetitions, arguments.control or list(CONTROLS[1:]))
        return
    chosen = arguments.control or list(CONTROLS)
    controls(arguments.repetitions, arguments.first_seed, chosen, arguments.keep)


if __name__ == "__main__":
    main()
