"""The checker of list-append on a history of many transactions.

Run it with ``.venv/bin/python -m benchmarks.list_append``. It generates on arrays a history that is
strict-serializable, of transactions with four micro-operations, half of them appends, over keys
that retire after a number of appends, run by ten clients at a time; then one in which a share of
the reads is a version too old. Each is judged in a process of its own; prints transactions a second
of CPU time and the peak of memory, the history included.

With ``--adya PROGRAM`` (``cargo install adya --no-default-features``), both programs also read and
judge a file of ``--lines`` transactions, one after the other, and the ratio of their times is
printed: the whole process, parsing included.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from testbed.checkers.kernel import kernel
from testbed.checkers.request import Request
from testbed.checkers.transactions.explain import micro_operation
from testbed.checkers.transactions.list_append import check
from testbed.history.transaction_table import Access, Outcome, TransactionTable

OPERATIONS = 4
CLIENTS = 10
ACTIVE_KEYS = 20
PER_KEY = 16

REFERENCES = (
    "for comparison: adya 0.1 (Elle in Rust) 17,000/s at 1M; Elle (Clojure), after its README,\n"
    "100,000 to 160,000/s on many cores, 60 GB at 22M"
)


@kernel
def plan(access: Any, slot: Any, stale: Any, per_key: int) -> Any:
    """Run the micro-operations one after the other: what each writes, how much each sees."""
    current = np.arange(np.max(slot) + 1)
    used = np.zeros(len(current), np.int64)
    key = np.empty(len(access), np.int32)
    value = np.empty(len(access), np.int32)
    sizes = np.zeros(len(access), np.int64)
    newest = len(current)
    reads = 0
    for at in range(len(access)):
        place = slot[at]
        if used[place] == per_key:
            current[place], used[place] = newest, 0
            newest += 1
        key[at] = current[place]
        if access[at]:
            value[at] = current[place] * per_key + used[place]
            used[place] += 1
        else:
            value[at] = reads
            sizes[reads] = max(used[place] - (1 if stale[at] else 0), 0)
            reads += 1
    return key, value, sizes[:reads], newest


@kernel
def fill(access: Any, key: Any, value: Any, starts: Any, items: Any, per_key: int) -> None:  # noqa: PLR0917
    """What each read saw: the first values of its key."""
    for at in range(len(access)):
        if not access[at]:
            begin = starts[value[at]]
            for number in range(starts[value[at] + 1] - begin):
                items[begin + number] = key[at] * per_key + number


def history(transactions: int, stale: float) -> TransactionTable:
    """A history whose transactions take effect one by one while their clients overlap."""
    random = np.random.default_rng(1)
    size = transactions * OPERATIONS
    access = random.integers(0, 2, size).astype(np.int8) * np.int8(Access.APPEND)
    slot = random.integers(0, ACTIVE_KEYS, size)
    old = random.random(size) < stale
    key, value, sizes, keys = plan.compiled(access, slot, old, PER_KEY)
    starts = np.zeros(len(sizes) + 1, np.int32)
    np.cumsum(sizes, out=starts[1:])
    items = np.empty(int(starts[-1]), np.int32)
    fill.compiled(access, key, value, starts, items, PER_KEY)
    number = np.arange(transactions, dtype=np.int64)
    return TransactionTable(
        process=(number % CLIENTS).astype(np.int32),
        outcome=np.full(transactions, Outcome.OK, np.int8),
        start=np.where(number < CLIENTS, number, CLIENTS + 2 * (number - CLIENTS) + 1),
        end=CLIENTS + 2 * number,
        first=np.arange(0, size + 1, OPERATIONS),
        access=access,
        key=key,
        value=value,
        list_starts=starts,
        list_items=items,
        keys=range(keys),
        values=range(keys * PER_KEY),
        process_names=range(CLIENTS),
        timed=True,
        line=number + 1,
    )


def judge(transactions: int, stale: float) -> None:
    """Generate and judge one history in this process, and print a line."""
    check(history(30_000, stale), Request())  # what is compiled is compiled now
    table = history(transactions, stale)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    verdict = check(table, Request())
    took = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    levels = verdict.levels
    print(
        f"{transactions:>10,} transactions, {stale:g} of reads stale: {verdict.validity.name}, "
        f"{took:.2f} s, {transactions / took:,.0f}/s, peak {peak / 1024:,.0f} MB "
        f"({before / 1024:,.0f} MB before)\n"
        f"           {verdict.reason[:200]}; violated: {levels.violated if levels else None}",
        flush=True,
    )


def write(table: TransactionTable, path: Path) -> None:
    """The history as lines of JSON, invocations and completions in order."""
    events = [(int(row), number, "invoke") for number, row in enumerate(table.start)]
    events += [(int(row), number, "ok") for number, row in enumerate(table.end)]
    with path.open("w") as file:
        for index, (_, number, kind) in enumerate(sorted(events)):
            operations = []
            for at in range(int(table.first[number]), int(table.first[number + 1])):
                shown = micro_operation(table, at)
                operations.append(
                    [*shown[:2], None] if kind == "invoke" and shown[0] == "r" else shown
                )
            line = {"index": index, "type": kind, "process": int(table.process[number])}
            file.write(json.dumps({**line, "f": "txn", "value": operations}) + "\n")


def against(program: str, transactions: int) -> None:
    """Our program and another one on the same files: a valid one, and one with stale reads."""
    ours = [sys.executable, "-m", "testbed.cli.main", "check", "--format", "jsonl"]
    for stale in (0.0, 0.01):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "history.jsonl"
            write(history(transactions, stale), path)
            took = {}
            for name, command in (
                ("adya", [program, "check", "-m", "list-append", str(path)]),
                ("testbed", [*ours, "--model", "list-append", str(path)]),
            ):
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                done = subprocess.run(command, check=False, capture_output=True)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                took[name] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                print(
                    f"{name:>8}: {transactions:,} transactions, {stale:.0%} stale, exit "
                    f"{done.returncode}, {took[name]:.2f} s, {transactions / took[name]:,.0f}/s"
                )
            print(f"   ratio: {took['adya'] / took['testbed']:.1f}", flush=True)


def main() -> None:
    """Judge the histories, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=1_000_000)
    parser.add_argument("--stale", type=float, help="one history with this share of stale reads")
    parser.add_argument("--adya", help="the program of that crate")
    parser.add_argument("--lines", type=int, default=100_000, help="transactions in its files")
    options = parser.parse_args()
    if options.adya:
        against(options.adya, options.lines)
        return
    if options.stale is not None:
        judge(options.transactions, options.stale)
        return
    for stale in (0.0, 1e-6, 0.01):
        command = [sys.executable, "-m", "benchmarks.list_append", "--stale", str(stale)]
        subprocess.run([*command, "--transactions", str(options.transactions)], check=True)
    print(REFERENCES)


if __name__ == "__main__":
    main()
