"""A scanned row as the entry that the ordinary reader would have made of its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from testbed.history.entry import TYPES, Entry
from testbed.history.growing import Growing
from testbed.history.scan_fields import HAS_INDEX, HAS_PROCESS, HAS_TIME, UNTIMED


def entry_of_row(
    columns: Mapping[str, Growing],
    row: int,
    processes: Sequence[Any],
    functions: Sequence[str],
    keys: Sequence[Any],
) -> Entry:
    """What the pairing needs to know of a row.

    Args:
        columns: The columns of all rows; ``time`` and ``indexed`` may be empty if no row says them.
        row: Which row.
        processes: Values of the processes, by their numbers.
        functions: Names of the functions.
        keys: Values of the keys.
    """

    def number(name: str) -> int:
        return int(columns[name].seen()[row])

    flags, key = number("flags"), number("key")
    return Entry(
        number("line"),
        processes[number("process")] if flags & HAS_PROCESS else None,
        TYPES[number("kind")],
        functions[number("f")],
        key=None if key < 0 else keys[key],
        time=number("time") if flags & HAS_TIME else None,
        index=number("indexed") if flags & HAS_INDEX else None,
        untimed=bool(flags & UNTIMED),
    )
