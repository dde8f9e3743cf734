"""The search over a register with compare-and-set, as loops over arrays.

Just-in-time linearization, breadth first (Lowe, "Testing for linearizability", Concurrency and
Computation 29(4), 2017): nothing is decided before an operation returns. A configuration is

- the register's value;
- ``taken``: a bit for each pending operation that has taken effect;
- ``optional``: a bit for each pending write that may have taken effect without a trace, because
  some other write came right after it, or because the register had its value anyway. Whether it
  did is decided only if it matters;
- ``used``: how many indeterminate operations of each kind have taken effect.

What only observes is taken as soon as it can be. Of pending operations that are alike and must
still take effect only the first to return is considered; of those that are optional, the first to
return if it returns before that one; an indeterminate one only if there is no other. One
configuration dominates another when it leaves every choice that the other leaves.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from testbed.checkers.kernel import lean_kernel
from testbed.checkers.linearizability.cas_arrays import (
    AFTER,
    CODE,
    COLUMN,
    COUNT,
    END,
    FIRST,
    KIND,
    LACKED,
    LINK,
    ONE,
    OPTIONAL,
    PENDING,
    QUOTA,
    ROOM,
    SCORES,
    SEEN,
    SLOT,
    STAMP,
    TAKEN,
    USED,
    VALUE,
    ZERO,
    Search,
    Tables,
)
from testbed.checkers.linearizability.cas_moves import (
    copy_row,
    expand,
    expand_loosely,
    put_after,
    put_on_the_way,
    settle,
)


@lean_kernel
def advance(tables: Tables, search: Search, start: int, stop: int) -> int:
    """Go on with the search from one event to another.

    Args:
        tables: The operations.
        search: Where it is; goes on.
        start: The event to begin with.
        stop: The event before which to stop.

    Returns:
        ``stop``, or the event of the return that no configuration survived; the configurations
        are then what they were before.
    """
    for event in range(start, stop):
        operation = tables.events[event] >> 1
        kind = tables.operations[operation, KIND]
        if tables.events[event] & 1:
            returned(tables, search, operation)
            if search.scalars[AFTER] == 0:
                return event
            close_operation(tables, search, operation)
            keep_best(search)
        elif tables.operations[operation, SLOT] < 0:
            search.available[tables.kinds[kind, COLUMN]] += 1
        else:
            open_operation(tables, search, operation)
    return stop


@lean_kernel
def toggle(tables: Tables, search: Search, operation: int) -> None:
    """Begin or end an operation's being pending."""
    kind = tables.operations[operation, KIND]
    column, value = tables.kinds[kind, CODE], tables.kinds[kind, FIRST]
    bit = ONE << tables.operations[operation, SLOT]
    search.masks[value, column] ^= bit
    search.masks[-1, column] ^= bit


@lean_kernel
def open_operation(tables: Tables, search: Search, operation: int) -> None:
    """An operation that will return is invoked."""
    pending, scalars = search.pending, search.scalars
    end = tables.operations[operation, END]
    place = scalars[PENDING]
    while place > 0 and tables.operations[pending[place - 1], END] > end:
        pending[place] = pending[place - 1]
        place -= 1
    pending[place] = operation
    scalars[PENDING] += 1
    toggle(tables, search, operation)
    for at in range(scalars[COUNT]):
        settle(search.masks, search.current, at)


@lean_kernel
def close_operation(tables: Tables, search: Search, operation: int) -> None:
    """An operation has returned: the first of the pending ones, by the order that they have."""
    search.scalars[PENDING] -= 1
    for place in range(search.scalars[PENDING]):
        search.pending[place] = search.pending[place + 1]
    toggle(tables, search, operation)


@lean_kernel
def returned(tables: Tables, search: Search, operation: int) -> None:
    """Fill ``after`` with the configurations in which an operation has taken effect."""
    scalars, seen = search.scalars, search.seen
    bit = ONE << tables.operations[operation, SLOT]
    scalars[STAMP] += 1
    scalars[AFTER] = 0
    scalars[SEEN] = 0
    start_from_current(search, bit)
    at = loose_at = ZERO
    while scalars[AFTER] < 2 * scalars[ROOM]:
        if at < scalars[SEEN]:
            if seen[at, VALUE] >= 0:
                expand(tables, search, at, bit)
            at += 1
        elif loose_at < scalars[SEEN] and len(search.available):
            if scalars[AFTER] >= scalars[QUOTA]:
                scalars[LACKED] = 1
                return
            # One more indeterminate operation for all that were reached with so many.
            level = scalars[SEEN]
            while loose_at < level:
                if seen[loose_at, VALUE] >= 0:
                    expand_loosely(tables, search, loose_at, bit)
                loose_at += 1
        else:
            return
    scalars[LACKED] = 1


@lean_kernel
def start_from_current(search: Search, bit: int) -> None:
    """Begin with the current configurations, those that need nothing more and those that do."""
    made = len(search.seen) - 1
    for at in range(search.scalars[COUNT]):
        copy_row(search.current, at, search.seen, made)
        if not search.seen[made, TAKEN] & bit:
            put_on_the_way(search)
        if (search.seen[made, TAKEN] | search.seen[made, OPTIONAL]) & bit:
            put_after(search, bit)


@lean_kernel
def score(search: Search) -> int:
    """Write how much each configuration of ``after`` used in place of its link; the least."""
    after = search.after
    least: Any = np.int64(2**62)
    for at in range(search.scalars[AFTER]):
        if after[at, VALUE] >= 0:
            after[at, LINK] = 0
            for column in range(USED, after.shape[1]):
                after[at, LINK] += after[at, column]
            least = min(least, after[at, LINK])
    return int(least)


@lean_kernel
def keep_best(search: Search) -> None:
    """Make ``after`` current: those that used fewest indeterminate operations, as many as fit."""
    after, current, scalars = search.after, search.current, search.scalars
    least = score(search)
    # Counting sort.
    places = search.places
    places[:] = 0
    for at in range(scalars[AFTER]):
        if after[at, VALUE] >= 0:
            places[min(after[at, LINK] - least, SCORES - 1) + 1] += 1
    for number in range(SCORES):
        places[number + 1] += places[number]
    alive, room = places[SCORES], min(scalars[ROOM], len(current))
    for at in range(scalars[AFTER]):
        if after[at, VALUE] >= 0:
            number = min(after[at, LINK] - least, SCORES - 1)
            if places[number] < room:
                copy_row(after, at, current, places[number])
            places[number] += 1
    if alive > room:
        scalars[LACKED] = 1
    scalars[COUNT] = min(alive, room)
