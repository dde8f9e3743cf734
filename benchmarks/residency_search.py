"""The residency search: its speed against ``grep -F``, and what the tap costs the wan.

Run it with ``.venv/bin/python -m benchmarks.residency_search``. Both searches look for the same
patterns in the same file, in turn, in one run; the file is warm and lies on the disk's cache. The
wan's throughput is measured in turn without and with a tap, by one stream without a toxic.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.wan import running_world, throughput
from testbed.probes.at_rest import search_at_rest
from testbed.probes.capture import read_capture
from testbed.probes.node_files import Folder
from testbed.probes.patterns import Pattern, patterns_of
from testbed.probes.scanner import Scanner
from testbed.probes.tap import Tap
from testbed.workloads.canary import Canaries

GREP_MAX_S = 60.0


def patterns(canaries: int) -> tuple[Pattern, ...]:
    """Every encoding of so many canaries."""
    source = Canaries(1)
    return patterns_of(
        source.make("customers", f"s{number}", "r", jurisdiction="EU") for number in range(canaries)
    )


def write_haystack(path: Path, megabytes: int, wanted: Sequence[Pattern]) -> None:
    """Random bytes and text by turns, with each of some patterns once."""
    numbers = random.Random(1)  # noqa: S311 - reproducible
    text = b"2026-01-01 00:00:00 UTC [42] LOG:  statement: SELECT * FROM orders WHERE id = 17\n"
    with path.open("wb") as file:
        for _ in range(megabytes // 2):
            block = bytearray(os.urandom(1 << 20) + text * (1 + (1 << 20) // len(text)))[: 2 << 20]
            if wanted:
                data = wanted[numbers.randrange(len(wanted))].data
                place = numbers.randrange(len(block) - 100)
                block[place : place + len(data)] = data
            file.write(block)


def printable(wanted: Sequence[Pattern]) -> list[Pattern]:
    """Patterns that grep can be given: one a line."""
    return [
        pattern for pattern in wanted if b"\n" not in pattern.data and b"\0" not in pattern.data
    ]


def grep_s(path: Path, wanted: Sequence[Pattern], folder: Path) -> float | None:
    """Seconds that grep takes; None when it does not end in time."""
    listed = folder / "patterns"
    listed.write_bytes(b"\n".join(pattern.data for pattern in wanted) + b"\n")
    began = time.monotonic()
    try:
        # Into a file: grep stops at its first match when its output goes to /dev/null.
        with (folder / "matches").open("wb") as output:
            subprocess.run(
                ["grep", "-aobF", "-f", str(listed), str(path)],
                env={**os.environ, "LC_ALL": "C"},
                stdout=output,
                timeout=GREP_MAX_S,
                check=False,
            )
    except subprocess.TimeoutExpired:
        return None
    return time.monotonic() - began


def scan_s(path: Path, scanner: Scanner) -> float:
    """Seconds of the plain search, reading the file included."""
    began = time.monotonic()
    data = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in scanner.scan(data):
        pass
    return time.monotonic() - began


def print_search(folder: Path, megabytes: int, rounds: int) -> None:
    """The plain search against grep, then the whole one with everything unpacked."""
    path = folder / "haystack" / "file"
    path.parent.mkdir()
    for canaries in (1, 50, 1000):
        wanted = printable(patterns(canaries))
        write_haystack(path, megabytes, wanted)
        size_gb = path.stat().st_size / 1e9
        began = time.monotonic()
        scanner = Scanner(wanted)
        compiled_s = time.monotonic() - began
        ours = median(scan_s(path, scanner) for _ in range(rounds))
        took = grep_s(path, wanted, folder)
        theirs = size_gb / took if took else 0.0
        said = f"{theirs:6.3f}" if took else f"< {size_gb / GREP_MAX_S:.3f}"
        print(
            f"{canaries:5} canaries, {len(wanted):6} patterns: {size_gb / ours:6.2f} GB/s, "
            f"grep -F {said} GB/s   (patterns compiled in {compiled_s:.2f} s)",
            flush=True,
        )
    began = time.monotonic()
    search_at_rest({"node": [Folder(path.parent, "/srv")]}, patterns(1000))
    print(f"with everything unpacked:  {size_gb / (time.monotonic() - began):6.2f} GB/s")


def print_tap(folder: Path, rounds: int, seconds: float) -> None:
    """Throughput of the wan without and with the tap, and what the kernel dropped."""
    without, tapped = [], []
    problems: list[str] = []
    with running_world(folder) as world:
        address = world.topology.node("central-0").address
        for number in range(1, rounds + 1):
            without.append(throughput(world, address, seconds))
            tap = Tap.start(world, folder / f"tap{number}")
            try:
                tapped.append(throughput(world, address, seconds))
            finally:
                tap.stop()
            problems += read_capture(tap.folder, "west").problems
            (tap.folder / "west.blocks").unlink()
            print(f"round {number}: {without[-1]:6.2f} Gbit/s, with tap {tapped[-1]:6.2f} Gbit/s")
    print(f"throughput with tap / without: {median(tapped) / median(without):.2f}")
    print(f"recordings that are not complete: {len(problems)} {'; '.join(problems)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=1024, help="of the file (1024)")
    parser.add_argument("--rounds", type=int, default=3, help="(3)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each stream (2)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print_search(Path(name), options.megabytes, options.rounds)
        print_tap(Path(name), options.rounds, options.seconds)


if __name__ == "__main__":
    main()
