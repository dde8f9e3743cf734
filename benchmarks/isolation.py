"""The isolation levels of registers on histories of many transactions.

Run it with ``.venv/bin/python -m benchmarks.isolation``. It generates on arrays a serializable
history of transactions with eight micro-operations, half of them writes of values that are written
once, by fifty sessions over a thousand keys, and judges it under read committed, read atomic and
causal consistency; then one of ten clients whose every write follows a read of its key, under
snapshot isolation and serializability; then one of blind writes, for which an order of the versions
has to be found. Each is judged in a process of its own; prints transactions a second of CPU time
without the time to load or compile kernels, and the peak of memory, the history included.

With ``--file`` a history as text goes through the whole command as well, parsing included.
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

from testbed.checkers.budget import Budget
from testbed.checkers.kernel import COMPILED_FROM, kernel
from testbed.checkers.transactions.resolve import resolve
from testbed.checkers.transactions.unique_levels import LevelJudge
from testbed.history.transaction_table import Access, Outcome, TransactionTable

OPERATIONS = 8
REFERENCES = (
    "for comparison, as measured elsewhere on a machine of this class, parsing included:\n"
    "AWDIT 0.2 (Rust) 84,000 / 74,000 / 25,000 transactions/s at 100,000 of 8 under read\n"
    "committed / read atomic / causal; dbcop (Rust) no answer for serializability at 200"
)


@kernel
def execute(key: Any, access: Any, current: Any) -> Any:
    """Run the micro-operations one after the other: what each writes or sees."""
    value = np.empty(len(key), np.int32)
    written = 0
    for at in range(len(key)):
        if access[at] == 1:
            current[key[at]] = written
            written += 1
        value[at] = current[key[at]]
    return value


def history(
    transactions: int, *, clients: int, keys: int, update: bool = False, seed: int = 0
) -> TransactionTable:
    """A history that is strict-serializable.

    Args:
        transactions: How many.
        clients: How many run at a time.
        keys: How many keys.
        update: Whether every write follows a read of its key.
        seed: Of the random choices.
    """
    random = np.random.default_rng(seed)
    if update:
        pairs = random.integers(0, keys, (transactions, OPERATIONS // 2), np.int32)
        key = np.repeat(pairs, 2, axis=1)
        access = np.tile(np.array([0, 1], np.int8), (transactions, OPERATIONS // 2))
    else:
        key = random.integers(0, keys, (transactions, OPERATIONS), np.int32)
        access = random.integers(0, 2, (transactions, OPERATIONS)).astype(np.int8)
    key, access = key.ravel(), access.ravel()
    run = execute.for_rows(len(key))
    value = run(key, access, np.full(keys, -1, np.int32))
    # Client by client begins, commits and ends; a row's place is that of its commit.
    rows = np.arange(transactions)
    process = (rows % clients).astype(np.int32)
    start = np.maximum(3 * rows - 2 * clients, 0)
    return TransactionTable(
        process=process,
        outcome=np.full(transactions, Outcome.OK, np.int8),
        start=start,
        end=3 * rows + 1,
        first=np.arange(transactions + 1) * OPERATIONS,
        access=access,
        key=key,
        value=value,
        list_starts=np.zeros(1, np.int32),
        list_items=np.zeros(0, np.int32),
        keys=range(keys),
        values=range(int(value.max()) + 1),
        process_names=range(clients),
        timed=True,
        line=rows + 1,
    )


def sessions(table: TransactionTable) -> str:
    """A history as the format of sessions."""
    names = {int(Access.READ): "r", int(Access.WRITE): "w"}
    found: dict[int, list[dict[str, Any]]] = {}
    for row in range(len(table)):
        ops = range(int(table.first[row]), int(table.first[row + 1]))
        micro = [
            [names[int(table.access[at])], int(table.key[at]),
             None if table.value[at] < 0 else int(table.value[at])]
            for at in ops
        ]  # fmt: skip
        found.setdefault(int(table.process[row]), []).append({"committed": True, "ops": micro})
    return json.dumps({"sessions": list(found.values())})


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "read-committed": ("read-committed", {"clients": 50, "keys": 1000}),
    "read-atomic": ("read-atomic", {"clients": 50, "keys": 1000}),
    "causal": ("causal", {"clients": 50, "keys": 1000}),
    "snapshot-isolation, read-modify-write": (
        "snapshot-isolation",
        {"clients": 10, "keys": 200, "update": True},
    ),
    "serializable, read-modify-write": (
        "serializable",
        {"clients": 10, "keys": 200, "update": True},
    ),
    "strict-serializable, read-modify-write": (
        "strict-serializable",
        {"clients": 10, "keys": 200, "update": True},
    ),
    "serializable, blind writes": ("serializable", {"clients": 10, "keys": 200}),
}


def measure(case: str, transactions: int) -> None:
    """Judge one history in this process and print what it took as JSON."""
    level, shape = CASES[case]
    # Enough micro-operations that what is compiled for large histories is loaded.
    once(level, history(COMPILED_FROM // OPERATIONS + 1, **shape))
    table = history(transactions, **shape)
    seconds = once(level, table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


def once(level: str, table: TransactionTable) -> float:
    """CPU seconds of one judgement."""
    begun = time.process_time()
    found = LevelJudge(resolve(table), Budget()).decide(level)
    seconds = time.process_time() - begun
    assert found.holds, (level, found)
    return seconds


def whole(level: str, path: Path, transactions: int) -> None:
    """The whole command on a file, parsing included."""
    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "testbed.cli.main", "check", "--model", "rw-register-unique-writes",
         "--level", level, "--format", "sessions", str(path)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime
    print(f"{level:40} {transactions:>10,} {transactions / seconds:>12,.0f}/s  command and file")


def main() -> None:
    """Run every case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--transactions", type=int, default=100_000)
    parser.add_argument("--ordered", type=int, default=10_000, help="for levels with an order")
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--file", action="store_true", help="the whole command as well")
    arguments = parser.parse_args()
    if arguments.case:
        measure(arguments.case, arguments.transactions)
        return
    print(f"{'level':40} {'count':>10} {'CPU':>14} {'peak':>10}")
    for case in CASES:
        count = arguments.ordered if "," in case else arguments.transactions
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.isolation", "--case", case,
             "--transactions", str(count)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        found = json.loads(done.stdout)
        rate = count / found["seconds"]
        print(f"{case:40} {count:>10,} {rate:>12,.0f}/s {found['peak_mb']:>7,.0f} MB")
    if arguments.file:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "history.json"
            path.write_text(sessions(history(arguments.transactions, clients=50, keys=1000)))
            for level in ("read-committed", "read-atomic", "causal"):
                whole(level, path, arguments.transactions)
    print(REFERENCES)


if __name__ == "__main__":
    main()
