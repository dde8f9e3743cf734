"""The models of collections and the session guarantees: operations a second.

Run it with ``.venv/bin/python -m benchmarks.collection_models``. Histories are built as arrays, so
that only the checker is measured; then one of each kind is written as JSONL and read again, for
the ratio of checking to parsing. Times are CPU seconds of one process after a first run that
compiles.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from testbed.checkers.collections import (
    bank,
    causal_reverse,
    counter,
    set_full,
    simple_set,
    total_queue,
    unique_ids,
)
from testbed.checkers.request import Request
from testbed.checkers.session_order import regressions
from testbed.history.operation_table import Kind, OperationTable, Tag
from testbed.history.reading import read_operations
from testbed.history.source import open_source

PROCESSES = 10
EMPTY = np.zeros(0, dtype=np.int64)


def table(
    functions: tuple[str, ...],
    f: Any,
    asked: tuple[Any, Any],
    said: tuple[Any, Any],
    *,
    lists: Sequence[Any] = (),
    others: Sequence[Any] = (),
) -> OperationTable:
    """Operations of ten processes one after the other, all acknowledged.

    Args:
        functions: Their names.
        f: The function of each operation.
        asked: Tag and payload of each invocation.
        said: Tag and payload of each completion.
        lists: The lists that payloads number.
        others: The other values that payloads number.
    """
    count = len(f)
    rows = 2 * count
    starts = np.concatenate([[0], np.cumsum([len(one) for one in lists], dtype=np.int64)])
    return OperationTable(
        process=np.repeat(np.arange(count) % PROCESSES, 2).astype(np.int32),
        kind=np.tile([Kind.INVOKE, Kind.OK], count).astype(np.int8),
        f=np.repeat(f, 2).astype(np.int16),
        key=np.full(rows, -1, dtype=np.int32),
        tag=np.stack([asked[0], said[0]], axis=1).reshape(-1).astype(np.int8),
        payload=np.stack([asked[1], said[1]], axis=1).reshape(-1).astype(np.int64),
        pairs=EMPTY.reshape(-1, 2),
        list_starts=starts,
        list_items=np.concatenate(lists).astype(np.int64) if lists else EMPTY,
        others=others,
        functions=functions,
        keys=(),
        process_names=tuple(range(PROCESSES)),
        line=np.arange(1, rows + 1),
        time_ns=np.arange(rows, dtype=np.int64) * 1000,
        errors={},
    )


def tags(count: int, tag: Tag) -> Any:
    """The same tag so many times."""
    return np.full(count, tag, dtype=np.int8)


def grown(add: str, count: int, reads: int) -> OperationTable:
    """Adds, and reads of all that was added, spread evenly; one read is the last operation."""
    f = np.zeros(count + reads, dtype=np.int16)
    every = np.linspace(0, count + reads - 1, reads + 1)[1:].astype(np.int64)
    f[every] = 1
    elements = np.cumsum(f == 0) - 1
    lists = [np.arange(elements[place] + 1) for place in every]
    number = np.where(f == 1, np.cumsum(f) - 1, elements)
    asked = (np.where(f == 1, Tag.NULL, Tag.INTEGER), np.where(f == 1, 0, elements))
    said = (np.where(f == 1, Tag.LIST, Tag.INTEGER), number)
    return table((add, "read"), f, asked, said, lists=lists)


def queued(count: int) -> OperationTable:
    """Everything goes in, then everything comes out in another order."""
    values = np.arange(count)
    out = np.random.default_rng(1).permutation(count)
    f = np.repeat([0, 1], count)
    null, whole = tags(count, Tag.NULL), tags(count, Tag.INTEGER)
    asked = (np.concatenate([whole, null]), np.concatenate([values, values * 0]))
    said = (np.concatenate([whole, whole]), np.concatenate([values, out]))
    return table(("enqueue", "dequeue"), f, asked, said)


def given_out(count: int) -> OperationTable:
    """Identifiers in no order."""
    ids = np.random.default_rng(1).permutation(count) * 7919
    f = np.zeros(count, dtype=np.int16)
    return table(
        ("generate",), f, (tags(count, Tag.NULL), ids * 0), (tags(count, Tag.INTEGER), ids)
    )


def counted(count: int) -> OperationTable:
    """Half increments, half reads."""
    f = np.arange(count) % 2
    total = np.cumsum(f == 0)
    asked = (np.where(f == 1, Tag.NULL, Tag.INTEGER), (f == 0).astype(np.int64))
    return table(
        ("add", "read"),
        f,
        asked,
        (tags(count, Tag.INTEGER), np.where(f == 1, total, 1)),
    )


def banked(count: int) -> OperationTable:
    """Reads of eight accounts, a thousand different ones."""
    rng = np.random.default_rng(1)
    others = []
    for _ in range(1000):
        parts = rng.multinomial(100, [1 / 8] * 8)
        others.append({str(account): int(part) for account, part in enumerate(parts)})
    which = rng.integers(0, len(others), count)
    f = np.zeros(count, dtype=np.int16)
    return table(
        ("read",),
        f,
        (tags(count, Tag.NULL), which * 0),
        (tags(count, Tag.OTHER), which),
        others=others,
    )


def measured(run: Callable[[], Any]) -> float:
    """CPU seconds of the best of three runs, after one that compiles."""
    run()
    times = []
    for _ in range(3):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def sessions(count: int) -> tuple[Any, ...]:
    """Steps of a thousand sessions on lists that grow: half appends, half reads."""
    rng = np.random.default_rng(1)
    version = np.cumsum(np.ones(count, dtype=np.int64))
    return rng.integers(0, 1000, count), rng.random(count) < 0.5, version, version, 1000


def jsonl(history: OperationTable, path: Path) -> None:
    """Write a history of integers and lists as lines."""
    with path.open("w") as file:
        for row in range(len(history)):
            kind = Kind(int(history.kind[row])).name.lower()
            value = history.value(row)
            text = "null" if value is None else str(value).replace("'", '"')
            process = int(history.process[row])
            name = history.functions[history.f[row]]
            file.write(
                f'{{"index":{row},"time":{row * 1000},"process":{process},"type":"{kind}",'
                f'"f":"{name}","value":{text}}}\n'
            )


def parsing(history: OperationTable) -> float:
    """CPU seconds of reading a history from JSONL."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.jsonl"
        jsonl(history, path)

        def read() -> None:
            with open_source(str(path)) as source:
                read_operations(source, "jsonl")

        return measured(read)


def main() -> None:
    """Measure every case and print a line of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument(
        "--parse", type=int, default=100_000, help="operations parsed for the ratio"
    )
    arguments = parser.parse_args()
    count = arguments.operations

    cases: dict[str, tuple[Any, Callable[[int], OperationTable]]] = {
        "set, one final read": (simple_set.check, lambda n: grown("add", n, 1)),
        "total-queue": (total_queue.check, lambda n: queued(n // 2)),
        "unique-ids": (unique_ids.check, given_out),
        "counter": (counter.check, counted),
        "bank, reads of 8 accounts": (bank.check, banked),
        "causal-reverse, 20 reads": (causal_reverse.check, lambda n: grown("write", n // 10, 20)),
        "set-full, 2k reads": (set_full.check, lambda n: grown("add", n // 50, n // 500)),
    }
    print(
        f"{'case':28} {'operations':>11} {'items read':>11} {'s':>7} {'M/s':>7} {'by parsing':>10}"
    )
    for name, (check, build) in cases.items():
        history = build(count)
        history.partner  # noqa: B018 - who reads a history computes it
        seconds = measured(lambda check=check, history=history: check(history, Request()))
        assert check(history, Request()).validity == 0, name
        items = len(history.list_items)
        work = len(history) // 2 + items
        small = build(arguments.parse)
        own = measured(lambda check=check, small=small: check(small, Request()))
        share = f"{own / parsing(small):.2f}"
        print(
            f"{name:28} {len(history) // 2:>11,} {items:>11,} {seconds:>7.3f} "
            f"{work / seconds / 1e6:>7.1f} {share:>10}"
        )
    steps = sessions(count)
    seconds = measured(lambda: regressions.for_rows(count)(*steps))
    print(
        f"{'session guarantees, lists':28} {count:>11,} {'-':>11} {seconds:>7.3f} "
        f"{count / seconds / 1e6:>7.1f} {'-':>10}"
    )


if __name__ == "__main__":
    main()
