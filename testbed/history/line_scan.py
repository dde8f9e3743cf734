"""The quick reading of long files of JSON lines: the scanner, and the ordinary reader beside."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.history import scan, scan_fields, scan_pairs, scan_state, scan_tokens, scan_values
from testbed.history.entry import Entry
from testbed.history.interning import Interned
from testbed.history.jsonl import entry_of_line
from testbed.history.loop import LoopCall
from testbed.history.operation_table import Tag
from testbed.history.operations_of import (
    FUNCTIONS_MAX,
    KINDS,
    ORDER_WANTED,
    error_text,
    split_value,
    tagged,
    too_many_functions,
)
from testbed.history.pairing import Complaints, Pairing
from testbed.history.problem import PROBLEMS_MAX, Problem
from testbed.history.row_entry import entry_of_row
from testbed.history.scan_buffer import ScanBuffer
from testbed.history.scan_state import State
from testbed.history.scan_tables import NameTable, NumberTable
from testbed.history.transactions_of import shape_trouble

_ACCESS = {"r": 0, "read": 0, "w": 1, "write": 1, "append": 2}
OTHERS_FROM = -10
"""Values of micro-operations that are no whole numbers from 0: ``OTHERS_FROM - index``."""


class LineScan:
    """Reads blocks of lines into columns.

    Args:
        complaints: Where problems go at the end.
        mode: ``scan_values.OPERATIONS``, ``ON_REGISTERS`` or ``ON_LISTS``.
        split_values: As of ``operations_of``.
    """

    def __init__(self, complaints: Complaints, mode: int, *, split_values: bool = False) -> None:
        self._complaints = complaints
        self._mode = mode
        self._split_values = split_values
        self.buffer = ScanBuffer(single=mode == scan_values.OPERATIONS)
        self.processes = NumberTable(self.buffer.counters, scan_state.PROCESSES)
        self.keys = NumberTable(self.buffer.counters, scan_state.KEYS)
        self._key_names, self._function_names = NameTable(), NameTable()
        self.functions: dict[str, int] = {}
        self.others = Interned()
        self._problems = Complaints(complaints.source)
        self._habits = scan_fields.no_habits()
        self._data = np.empty(0, np.uint8)
        self._scan = LoopCall(scan.scan)
        self._state: State | None = None

    def read(self, blocks: Iterable[bytes], progress: Callable[[int], None] | None) -> None:
        """Read all blocks."""
        line = 1
        for block in blocks:
            line = self._block(block, line, progress or (lambda _rows: None))

    def _block(self, block: bytes, line: int, progress: Callable[[int], None]) -> int:
        size = len(block) + (not block.endswith(b"\n"))
        data = self._room_for(size)
        data[: len(block)] = np.frombuffer(block, np.uint8)
        data[size - 1] = ord("\n")
        data[size:] = 0
        words = scan_tokens.overlapping(data)
        at = 0
        while True:
            why, at, line = self._scanned(data, words, at, size, line)
            if why == scan_tokens.TABLE_FULL:
                self._grow_tables()
            elif why == scan_tokens.FULL:
                self.buffer.more(data)
                progress(self.buffer.count)
            else:
                self.buffer.empty(data)
                if why == scan_tokens.DONE:
                    return line
                end = block.find(b"\n", at)
                end = len(block) if end < 0 else end
                self._unusual(block[at:end], line)
                at, line = end + 1, line + 1

    def _room_for(self, size: int) -> NDArray[np.uint8]:
        """Room for a block and its padding: the same for all, for fresh memory is slow."""
        wanted = size + scan_fields.PADDING
        if wanted > len(self._data):
            self._data = np.empty(wanted, np.uint8)
        return self._data[:wanted]

    def _scanned(
        self, data: NDArray[np.uint8], words: NDArray[np.int64], at: int, size: int, line: int
    ) -> Any:
        buffer = self.buffer
        buffer.count_from()
        state = State(
            access=buffer.micros["access"],
            micro_key=buffer.micros["micro_key"],
            micro_value=buffer.micros["micro_value"],
            items=buffer.items,
            ends=buffer.ends,
            errors=buffer.errors,
            counters=buffer.counters,
            processes=self.processes.table,
            process_values=self.processes.values,
            keys=self.keys.table,
            key_values=self.keys.values,
            key_names=self._key_names.table,
            key_text=self._key_names.text,
            functions=self._function_names.table,
            function_text=self._function_names.text,
            habits=self._habits,
        )
        if self._state is None or any(map(operator.is_not, state, self._state)):
            self._state = state
        mode, split = self._mode, self._split_values
        return self._scan(data, words, at, size, line, mode, split, buffer.rows, self._state)

    def _grow_tables(self) -> None:
        for table in (self.processes, self.keys):
            if len(table.interned()) >= len(table.values):
                table.grow()

    def _unusual(self, line: bytes, number: int) -> None:
        """Read a line in the ordinary way."""
        if not line or line.isspace():
            return
        entry = entry_of_line(line, number)
        if isinstance(entry, list):
            self._problems.add(*entry)
        elif not entry.of_faults:
            self._put(entry)

    def _put(self, entry: Entry) -> None:
        if not self.buffer.single:
            trouble = shape_trouble(entry, lists=self._mode == scan_values.ON_LISTS)
            if trouble is not None:
                self._problems.add(Problem(entry.line, 1, trouble))
                return
            self._put_micros(entry)
        else:
            if self._split_values and entry.key is None:
                key, value = split_value(entry, self._problems)
                entry = dataclasses.replace(entry, key=key, value=value)
            self._put_value(entry.value)
        if entry.error is not None:
            self.buffer.error_texts[self.buffer.count] = error_text(entry.error)
        self.buffer.put(
            process=self.processes.number(0 if entry.process is None else entry.process),
            f=self._function(entry),
            key=-1 if entry.key is None else self._key(entry.key),
            flags=scan_fields.HAS_TIME * (entry.time is not None)
            | scan_fields.HAS_INDEX * (entry.index is not None)
            | scan_fields.HAS_PROCESS * (entry.process is not None)
            | scan_fields.UNTIMED * entry.untimed,
            line=entry.line,
            **({} if entry.time is None else {"time": entry.time}),
            **({} if entry.index is None else {"indexed": entry.index}),
            kind=KINDS[entry.type],
        )

    def _function(self, entry: Entry) -> int:
        number = self.functions.setdefault(entry.f, len(self.functions))
        if number > FUNCTIONS_MAX:
            self._problems.add(too_many_functions(entry.line))
            return 0
        self._function_names.add(entry.f, number)
        return number

    def _key(self, key: Any) -> int:
        number = self.keys.number(key)
        if isinstance(key, str):
            self._key_names.add(key, number)
        return number

    def _put_value(self, value: Any) -> None:
        tag, content = tagged(value)
        payload = 0
        if tag == Tag.INTEGER:
            payload = content
        elif tag == Tag.PAIR:
            payload = self.buffer.columns["pairs"].size // 2
            self.buffer.put(pairs=content)
        elif tag == Tag.LIST:
            payload = self.buffer.put_list(content)
        elif tag == Tag.OTHER:
            payload = self.others.number(value)
        self.buffer.put(tag=tag, payload=payload)

    def _put_micros(self, entry: Entry) -> None:
        self.buffer.put(tag=entry.value is None)
        for micro in entry.value or ():
            access = _ACCESS[micro[0]]
            value = micro[2] if len(micro) > 2 else None
            if access:
                number = self._value_number(value)
            elif value is None or entry.type != "ok":
                number = scan_values.NOTHING
            elif self._mode == scan_values.ON_LISTS:
                number = self.buffer.put_list([self._value_number(item) for item in value])
            else:
                number = self._value_number(value)
            self.buffer.put(access=access, micro_key=self._key(micro[1]), micro_value=number)
        self.buffer.put(micro_end=self.buffer.columns["access"].size)

    def _value_number(self, value: Any) -> int:
        if type(value) is int and 0 <= value < 10**18:
            return value
        return OTHERS_FROM - self.others.number(value)

    def paired(self) -> NDArray[np.int64]:
        """The partner of each row.

        Raises:
            HistoryError: A line was refused, or a process did what no process can do.
        """
        partner = np.empty(self.buffer.count, np.int64)
        names = ("process", "kind", "f", "key", "time", "indexed", "flags")
        self.buffer.fill()
        columns = [self.buffer.columns[name].seen() for name in names]
        processes = max(len(self.processes.interned()), 1)
        if not scan_pairs.pair(*columns, partner, processes):
            self._pair_slowly()
        flags = columns[-1]
        if self.buffer.single and len(flags) and flags[0] & scan_fields.UNTIMED:
            self._problems.add(Problem(0, 0, ORDER_WANTED))
        self.refuse(self._problems.first, self._problems.total)
        return partner

    def refuse(self, problems: list[Problem], total: int) -> None:
        """Refuse the history for problems, if there are any.

        Raises:
            HistoryError: There are.
        """
        self._complaints.add(*problems)
        self._complaints.total += total - len(problems)
        self._complaints.refuse()

    def _pair_slowly(self) -> None:
        """Say what is wrong with the pairing, as the ordinary reader would."""
        aside = Complaints(self._complaints.source)
        pairing = Pairing(aside)
        values = (self.processes.interned(), tuple(self.functions), self.keys.interned())
        for row in range(self.buffer.count):
            entry = entry_of_row(self.buffer.columns, row, *values)
            if entry.type == "invoke":
                pairing.invoked(row, entry)
            else:
                pairing.completed(entry)
        found = sorted([*self._problems.first, *aside.first], key=lambda problem: problem.line)
        self._problems.first = found[:PROBLEMS_MAX]
        self._problems.total += aside.total
