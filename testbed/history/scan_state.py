"""What the compiled scanner fills and what it knows, gathered for the call."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

Array = NDArray[Any]

PROCESSES, KEYS, ROWS, LISTS, ITEMS, MICROS, ERRORS = 0, 1, 2, 3, 4, 5, 6
"""Places in the counters."""

LISTS_BEFORE, ITEMS_BEFORE, MICROS_BEFORE = 7, 8, 9
"""Likewise: how many were put away before, for places count from the beginning of the history."""

COUNTERS = 10


class Rows(NamedTuple):
    """Room for rows: one array a column.

    Args:
        process: Dense number of the process.
        kind: As in the tables.
        f: Number of the function.
        key: Number of the key, -1 for none.
        tag: What the value is; with single operations.
        flags: What the line says: bits.
        payload: The value.
        second: The second half of a value that is a pair.
        line: Line of the file.
        time: Nanoseconds, if the line says them.
        indexed: Its index, if the line says it.
        micro_end: The end of its micro-operations.
    """

    process: Array
    kind: Array
    f: Array
    key: Array
    tag: Array
    flags: Array
    payload: Array
    second: Array
    line: Array
    time: Array
    indexed: Array
    micro_end: Array


class State(NamedTuple):
    """Everything else: room for what rows refer to, and the tables that intern.

    Args:
        access: What each micro-operation does: as in the tables.
        micro_key: Number of its key.
        micro_value: Its value, or the number of the list that it saw.
        items: The items of lists.
        ends: Where each list ends among the items.
        errors: Row, begin and end of error texts.
        counters: How many there are of everything.
        processes: Table of numbers, with the values of processes beside it.
        process_values: These.
        keys: Table of numbers, with the values of keys beside it.
        key_values: These.
        key_names: Table of names, with their bytes beside it.
        key_text: These.
        functions: Table of names, with their bytes beside it.
        function_text: These.
        habits: What stood between the value of one field and that of the next: see the scanner.
    """

    access: Array
    micro_key: Array
    micro_value: Array
    items: Array
    ends: Array
    errors: Array
    counters: Array
    processes: Array
    process_values: Array
    keys: Array
    key_values: Array
    key_names: Array
    key_text: Array
    functions: Array
    function_text: Array
    habits: Array
