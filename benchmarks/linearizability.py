"""Linearizability on long histories, beside Porcupine.

Run it with ``.venv/bin/python -m benchmarks.linearizability``. Each case is judged in a process of
its own: CPU seconds on arrays without the time to load or compile kernels, operations a second, and
the peak of memory with the history in it. Where Go is at hand, Porcupine 1.3 judges the same
histories in the same run, with a limit on time and memory, and the ratio is printed.

With ``--file`` the first case goes through the whole command as well, parsing included.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.linearizability_histories import (
    CasRun,
    container,
    peer_lines,
    register,
    write_lines,
)
from testbed.checkers.request import Request
from testbed.history.operation_table import OperationTable

PEER = Path(__file__).parent / "porcupine"
PEER_BYTES = 6 * 2**30
REFERENCES = (
    "for comparison, Porcupine 1.3 as measured before on a machine of this class: register of\n"
    "unique values 10k operations/s at 10k of 10 clients, no answer at 100k in 60 s and 10 GB;\n"
    "compare-and-set 0.36 s at 10k, 41 s and 9.6 GB at 100k; invalid with 1 % indeterminate 8.3 s\n"
    "at 1k, no answer at 10k; no answer for 30 clients at 1k"
)


def cas(
    operations: int, clients: int = 10, crashes: float = 0, damage: float | None = None
) -> tuple[str, Callable[[], OperationTable]]:
    """A case of a register with compare-and-set."""
    return "cas-register", lambda: CasRun(clients, crashes).go(operations, damage=damage)


CASES: dict[str, tuple[str, Callable[[], OperationTable]]] = {
    "register, 10 clients, 1M": ("register", lambda: register(1_000_000, 10)),
    "register, 50 clients, 1M": ("register", lambda: register(1_000_000, 50)),
    "register, 10 clients, 10k": ("register", lambda: register(10_000, 10)),
    "register, 100 keys x 10k": ("register", lambda: register(1_000_000, 10, keys=100)),
    "cas, 10k": cas(10_000),
    "cas, 100k": cas(100_000),
    "cas, invalid, 1k": cas(1000, damage=0.5),
    "cas, invalid, 10k": cas(10_000, damage=0.5),
    "cas, invalid, 1 % unknown, 1k": cas(1000, crashes=0.01, damage=0.5),
    "cas, invalid, 1 % unknown, 10k": cas(10_000, crashes=0.01, damage=0.5),
    "cas, 1 % unknown, 10k": cas(10_000, crashes=0.01),
    "cas, 1 % unknown, 100k": cas(100_000, crashes=0.01),
    "cas, 20 clients, 1k": cas(1000, clients=20),
    "cas, 30 clients, 1k": cas(1000, clients=30),
    "queue, 1M": ("queue", lambda: container(1_000_000, 10, lifo=False)),
    "stack, 1M": ("stack", lambda: container(1_000_000, 10, lifo=True)),
}
PEERED = ("register, 10 clients, 10k", *(name for name in CASES if name.startswith("cas")))


def measure(case: str) -> None:
    """Judge one history in this process and print what it took as JSON."""
    model, made = CASES[case]
    check = importlib.import_module(f"testbed.checkers.linearizability.{model.replace('-', '_')}")
    request = Request(init=0 if "register" in model else None)
    warm = {
        "register": lambda: register(20_000, 10),
        "cas-register": lambda: CasRun(10, 0.01).go(3000),
        "queue": lambda: container(20_000, 10, lifo=False),
        "stack": lambda: container(20_000, 10, lifo=True),
    }[model]()
    check.check(warm, request)
    table = made()
    if model != "register":
        len(table.partner)  # which the reader of a file has found already
    begun = time.process_time()
    verdict = check.check(table, request)
    seconds = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"seconds": seconds, "peak_mb": peak, "verdict": verdict.validity.name}
    print(json.dumps({**found, "operations": len(table) // 2}))


def peer_program(folder: Path) -> Path | None:
    """Porcupine's program, if Go can build it."""
    go = shutil.which("go") or "/usr/local/go/bin/go"
    shutil.copytree(PEER, folder / "source")
    program = folder / "porcupine"
    command = [go, "build", "-o", str(program), "."]
    try:
        subprocess.run(command, cwd=folder / "source", check=True, timeout=180)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"Porcupine could not be built: {error}", file=sys.stderr)
        return None
    return program


def peer(program: Path, case: str, limit_s: float) -> tuple[str, float]:
    """Porcupine's answer and seconds."""
    done = subprocess.run(
        [str(program), str(limit_s)],
        input=peer_lines(CASES[case][1]()),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (PEER_BYTES, PEER_BYTES)),
    )
    if done.returncode:
        return "out of memory", float("nan")
    answer, seconds = done.stdout.split()
    return answer, float(seconds)


def whole(case: str, folder: Path) -> None:
    """The whole command on a file, parsing included."""
    path = folder / "history.jsonl"
    table = CASES[case][1]()
    write_lines(table, path)
    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "testbed.cli.main", "check", "--model", CASES[case][0],
         "--format", "jsonl", str(path)],
        check=False, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime
    operations = len(table) // 2
    print(f"{case:32} {seconds:>9.2f} s {operations / seconds:>12,.0f}/s  command and file")


def main() -> None:
    """Run every case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--only", default="", help="cases that begin with this")
    parser.add_argument("--peer-seconds", type=float, default=20, help="0 for no peer")
    parser.add_argument("--file", action="store_true", help="the whole command as well")
    arguments = parser.parse_args()
    if arguments.case:
        measure(arguments.case)
        return
    print(f"load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = peer_program(folder) if arguments.peer_seconds else None
        for case in CASES:
            if not case.startswith(arguments.only):
                continue
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.linearizability", "--case", case],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            found = json.loads(done.stdout)
            text = (
                f"{case:32} {found['seconds']:>9.3f} s "
                f"{found['operations'] / found['seconds']:>12,.0f}/s "
                f"{found['peak_mb']:>6,.0f} MB {found['verdict']:10}"
            )
            if program is not None and case in PEERED:
                answer, seconds = peer(program, case, arguments.peer_seconds)
                least = "at least " if answer == "Unknown" else ""
                text += f" Porcupine: {answer} {seconds:.2f} s"
                text += f", {least}{seconds / found['seconds']:,.1f} times ours"
            print(text, flush=True)
        if arguments.file:
            whole("register, 10 clients, 1M", folder)
    print(REFERENCES)


if __name__ == "__main__":
    main()
