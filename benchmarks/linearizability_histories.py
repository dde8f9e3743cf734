"""Histories of registers, queues and stacks for the benchmark of linearizability."""

from __future__ import annotations

import json
import random
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from testbed.history.operation_table import Kind, OperationTable, Tag

_TYPES = ("invoke", "ok", "fail", "info")


@dataclass(frozen=True)
class Times:
    """When the operations of clients that never rest begin, take effect and end.

    Args:
        client: Whose each is.
        start: When it begins.
        effect: When it takes effect.
        end: When it ends.
    """

    client: Any
    start: Any
    effect: Any
    end: Any


def times(operations: int, clients: int, chance: np.random.Generator) -> Times:
    """Operations that last about five times as long as the pauses between them."""
    each = operations // clients
    lasts = chance.exponential(1, (clients, each))
    end = np.cumsum(chance.exponential(0.2, (clients, each)) + lasts, axis=1)
    effect = end - lasts * chance.random((clients, each))
    client = np.repeat(np.arange(clients), each)
    return Times(client, (end - lasts).ravel(), effect.ravel(), end.ravel())


def register(operations: int, clients: int, *, keys: int = 1, seed: int = 0) -> OperationTable:
    """Registers, half of the operations writes of values of their own."""
    chance = np.random.default_rng(seed)
    when = times(operations, clients, chance)
    count = len(when.client)
    writes, key = chance.random(count) < 0.5, chance.integers(0, keys, count)
    own = np.arange(1, count + 1)
    order = np.lexsort((when.effect, key))
    place = np.arange(count)
    begins = np.maximum.accumulate(np.where(np.r_[True, np.diff(key[order]) != 0], place, 0))
    last = np.maximum.accumulate(np.where(writes[order], place, -1))
    seen = np.where(last >= begins, own[order][np.maximum(last, 0)], 0)
    value = own.copy()
    value[order] = np.where(writes[order], own[order], seen)
    return _table(when, writes, value, ("read", "write"), key if keys > 1 else None)


def container(operations: int, clients: int, *, lifo: bool, seed: int = 0) -> OperationTable:
    """A queue or a stack, half of the operations put values of their own in."""
    chance = np.random.default_rng(seed)
    when = times(operations, clients, chance)
    puts = chance.random(len(when.client)) < 0.5
    within: deque[int] = deque()
    value = np.zeros(len(puts), np.int64)
    for operation in np.argsort(when.effect).tolist():
        if puts[operation]:
            within.append(operation + 1)
            value[operation] = operation + 1
        elif within:
            value[operation] = within.pop() if lifo else within.popleft()
    return _table(when, puts, value, ("pop", "push") if lifo else ("dequeue", "enqueue"), None)


def _table(
    when: Times, acts: Any, value: Any, functions: tuple[str, str], key: Any
) -> OperationTable:
    """Two rows an operation; a value of 0 is null."""
    count = len(acts)
    row = np.argsort(np.concatenate([when.start, when.end]))
    operation, kind = row % count, row // count
    says = (kind == 1) | acts[operation]
    payload = np.where(says, value[operation], 0)
    return OperationTable(
        process=when.client[operation].astype(np.int32),
        kind=kind.astype(np.int8),
        f=acts[operation].astype(np.int16),
        key=(np.full(len(row), -1) if key is None else key[operation]).astype(np.int32),
        tag=np.where(payload == 0, Tag.NULL, Tag.INTEGER).astype(np.int8),
        payload=payload,
        pairs=np.zeros((0, 2), np.int64),
        list_starts=np.zeros(1, np.int64),
        list_items=np.zeros(0, np.int64),
        others=[],
        functions=functions,
        keys=[] if key is None else [f"k{number}" for number in range(int(key.max()) + 1)],
        process_names=range(int(when.client.max()) + 1),
        line=np.arange(1, len(row) + 1),
        time_ns=None,
        errors={},
    )


@dataclass
class CasRun:
    """A register of five values that clients read, write, and compare and set.

    Args:
        clients: How many; who crashes goes on as a new process.
        crashes: Which part of the operations never completes.
        seed: Of the random choices.
    """

    clients: int
    crashes: float = 0
    seed: int = 0
    rows: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    """Process, kind, function, and the value, or old and new."""

    def go(self, operations: int, *, damage: float | None = None) -> OperationTable:
        """Run so many operations.

        Args:
            operations: How many.
            damage: Where a read sees a value that nobody wrote, as a part of all reads.
        """
        chance = random.Random(self.seed)  # noqa: S311 - repeatable, not secret
        idle, active = list(range(self.clients)), []
        names, state, made = self.clients, 0, 0
        while made < operations or active:
            if idle and made < operations and (not active or chance.random() < 0.8):
                who, f = idle.pop(), chance.randrange(3)
                old, new = chance.randrange(5), chance.randrange(5)
                self.rows.append((who, 0, f, old, new))
                active.append([who, f, old, new, None])
                made += 1
                continue
            at = chance.randrange(len(active))
            who, f, old, new, seen = active[at]
            if seen is None:
                kind = Kind.OK if f < 2 or state == old else Kind.FAIL
                active[at][4] = (kind, state)
                state = (state, old, new if kind == Kind.OK else state)[f]
                if chance.random() < self.crashes:
                    active.pop(at)
                    self.rows.append((who, int(Kind.INFO), f, old, new))
                    idle.append(names)
                    names += 1
            else:
                active.pop(at)
                self.rows.append((who, int(seen[0]), f, seen[1] if f == 0 else old, new))
                idle.append(who)
        return self._table(names, damage)

    def _table(self, names: int, damage: float | None) -> OperationTable:
        process, kind, f, first, second = np.array(self.rows, np.int64).T
        reads = np.flatnonzero((f == 0) & (kind == Kind.OK))
        if damage is not None:
            first[reads[int(len(reads) * damage)]] = 99
        null = (f == 0) & (kind != Kind.OK)
        pairs = f == 2
        tag = np.select([null, pairs], [int(Tag.NULL), int(Tag.PAIR)], int(Tag.INTEGER))
        payload = np.where(pairs, np.cumsum(pairs) - 1, np.where(null, 0, first))
        return OperationTable(
            process=process.astype(np.int32),
            kind=kind.astype(np.int8),
            f=f.astype(np.int16),
            key=np.full(len(f), -1, np.int32),
            tag=tag.astype(np.int8),
            payload=payload,
            pairs=np.stack([first[pairs], second[pairs]], axis=1),
            list_starts=np.zeros(1, np.int64),
            list_items=np.zeros(0, np.int64),
            others=[],
            functions=("read", "write", "cas"),
            keys=[],
            process_names=range(names),
            line=np.arange(1, len(f) + 1),
            time_ns=None,
            errors={},
        )


def write_lines(table: OperationTable, path: Path) -> None:
    """A history as JSON lines."""
    columns = (table.process, table.kind, table.f, table.key)
    with path.open("w") as file:
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for row, (process, kind, f, key) in enumerate(rows):
            value = json.dumps(table.value(row))
            keyed = "" if key < 0 else f',"key":"{table.keys[key]}"'
            file.write(
                f'{{"process":{process},"type":"{_TYPES[kind]}","f":"{table.functions[f]}"'
                f'{keyed},"value":{value}}}\n'
            )


def peer_lines(table: OperationTable) -> str:
    """A history of one register as Porcupine's program takes it."""
    codes = [("read", "write", "cas").index(name) for name in table.functions]
    lines = []
    for row in np.flatnonzero(table.kind == Kind.INVOKE).tolist():
        end = int(table.partner[row])
        outcome = Kind.INFO if end < 0 else table.kind[end]
        code = codes[int(table.f[row])]
        if outcome == Kind.FAIL or (outcome == Kind.INFO and code == 0):
            continue
        value = table.value(row if code else end) or 0
        a, b = value if code == 2 else (value, 0)
        closes = -1 if outcome == Kind.INFO else end
        lines.append(f"{int(table.process[row])} {row} {closes} {code} {a} {b} {a}")
    return "\n".join(lines)
