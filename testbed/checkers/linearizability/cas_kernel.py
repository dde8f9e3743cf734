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

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel

Array = NDArray[Any]

READ, WRITE, CAS, DIFFERS = range(4)
"""What an operation does: see ``first``; write it; replace it by ``second``; see another value."""

PENDING_MAX = 62
"""Operations that will return and are pending at once: the bits of a mask."""

PENDING, COUNT, LACKED, STAMP, ROOM, REUSABLE, QUOTA, AFTER, SEEN = range(9)
"""Places in ``Search.scalars``: operations that are pending and will return; configurations; 1 if
some were given up; a number for each return; how many configurations to keep; 1 to let
indeterminate operations take effect any number of times; with how many configurations to be
content before more indeterminate operations are tried; how full ``after`` and ``seen`` are."""

KIND, SLOT, END = range(3)
"""Columns of ``Tables.operations``."""
CODE, FIRST, SECOND, COLUMN = range(4)
"""Columns of ``Tables.kinds``."""
VALUE, TAKEN, OPTIONAL, LINK, USED = range(5)
"""Columns of configurations; the last is the first of those that say what was used."""
READERS, WRITERS, TAKERS, DIFFERING = range(4)
"""Columns of ``Search.masks``; the last row has the bits of all values."""
HEAD, OF_STAMP = range(2)
"""Columns of the table of chains."""
FIRM, CLOSED = range(2)
"""Rows of ``Search.met``."""

NO_BIT: Any = np.int64(0)
ONE: Any = np.int64(1)
CHAIN_MAX = 64
"""Configurations that a new one is compared with."""
SCORES = 256
"""Different scores of configurations; what is worse counts as the worst."""


class Tables(NamedTuple):
    """The operations.

    Args:
        events: Twice the number of an operation, and one more for its return; in order.
        operations: One row an operation: its kind; its bit's number, -1 for what is
            indeterminate; its return.
        kinds: One row a kind: what it does, :data:`READ` and so on; the value that it sees,
            writes, expects or does not see; the value that it sets; its column among those of
            indeterminate operations, -1 without one.
        column_kind: The kind of a column.
    """

    events: Array
    operations: Array
    kinds: Array
    column_kind: Array


class Search(NamedTuple):
    """Where a search is.

    Args:
        scalars: See :data:`PENDING`.
        pending: Pending operations in the order of their returns.
        available: How many indeterminate operations of each column were invoked.
        met: For each kind, the last configuration for which one that must take effect was met,
            and one of any sort.
        masks: One row a value: bits of the pending operations that see it, write it, replace it,
            see another; and one row of all.
        current: The configurations, one row each: the value, -1 for one that was dominated; what
            was taken; what is optional; the next one of a chain; what was used, by column.
        after: Room for the next ones.
        seen: Room for those on the way; its last row is for one that is being made.
        after_heads: The first of each chain of ``after``, and for which return that is good.
        seen_heads: The same of ``seen``.
    """

    scalars: Array
    pending: Array
    available: Array
    met: Array
    masks: Array
    current: Array
    after: Array
    seen: Array
    after_heads: Array
    seen_heads: Array


@kernel
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


@kernel
def toggle(tables: Tables, search: Search, operation: int) -> None:
    """Begin or end an operation's being pending."""
    kind = tables.operations[operation, KIND]
    column, value = tables.kinds[kind, CODE], tables.kinds[kind, FIRST]
    bit = ONE << tables.operations[operation, SLOT]
    search.masks[value, column] ^= bit
    search.masks[-1, column] ^= bit


@kernel
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


@kernel
def close_operation(tables: Tables, search: Search, operation: int) -> None:
    """An operation has returned."""
    place = 0
    while search.pending[place] != operation:
        place += 1
    search.scalars[PENDING] -= 1
    while place < search.scalars[PENDING]:
        search.pending[place] = search.pending[place + 1]
        place += 1
    toggle(tables, search, operation)


@kernel
def settle(masks: Array, configurations: Array, at: int) -> None:
    """Take what can be taken without leaving the value."""
    value = configurations[at, VALUE]
    news = masks[value, READERS] | (masks[-1, DIFFERING] & ~masks[value, DIFFERING])
    taken = configurations[at, TAKEN] | news
    configurations[at, TAKEN] = taken
    configurations[at, OPTIONAL] |= masks[value, WRITERS] & ~taken


@kernel
def returned(tables: Tables, search: Search, operation: int) -> None:
    """Fill ``after`` with the configurations in which an operation has taken effect."""
    scalars, seen = search.scalars, search.seen
    bit = ONE << tables.operations[operation, SLOT]
    scalars[STAMP] += 1
    scalars[AFTER] = 0
    scalars[SEEN] = 0
    start_from_current(search, bit)
    at, loose_at = 0, 0
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


@kernel
def start_from_current(search: Search, bit: int) -> None:
    """Begin with the current configurations, those that need nothing more and those that do."""
    made = len(search.seen) - 1
    for at in range(search.scalars[COUNT]):
        search.seen[made] = search.current[at]
        if not search.seen[made, TAKEN] & bit:
            put_on_the_way(search)
        if (search.seen[made, TAKEN] | search.seen[made, OPTIONAL]) & bit:
            put_after(search, bit)


@kernel
def expand(tables: Tables, search: Search, at: int, bit: int) -> None:
    """Let one more operation take effect after a configuration of ``seen``, in every way."""
    seen, met = search.seen, search.met
    taken, optional = seen[at, TAKEN], seen[at, OPTIONAL]
    mark = search.scalars[STAMP] * len(seen) + at
    for number in range(search.scalars[PENDING]):
        operation = search.pending[number]
        kind = tables.operations[operation, KIND]
        own = ONE << tables.operations[operation, SLOT]
        if not (taken | optional) & own and met[FIRM, kind] != mark:
            met[FIRM, kind] = mark
            take(tables, search, at, (kind, own, bit))
    for number in range(search.scalars[PENDING]):
        operation = search.pending[number]
        kind = tables.operations[operation, KIND]
        own = ONE << tables.operations[operation, SLOT]
        if not taken & own and met[CLOSED, kind] != mark:
            met[CLOSED, kind] = mark
            if optional & own:
                take(tables, search, at, (kind, own, bit))


@kernel
def expand_loosely(tables: Tables, search: Search, at: int, bit: int) -> None:
    """Let one more indeterminate operation take effect after a configuration of ``seen``."""
    taken = search.seen[at, TAKEN]
    for column in range(len(search.available)):
        kind = tables.column_kind[column]
        left = search.available[column]
        if search.scalars[REUSABLE] == 0:
            left -= search.seen[at, USED + column]
        code, first = tables.kinds[kind, CODE], tables.kinds[kind, FIRST]
        if left <= 0 or (code == CAS) != (first == search.seen[at, VALUE]):
            continue
        alike = False
        for number in range(search.scalars[PENDING]):
            operation = search.pending[number]
            own = ONE << tables.operations[operation, SLOT]
            if tables.operations[operation, KIND] == kind and not taken & own:
                alike = True
        if not alike:
            take(tables, search, at, (kind, NO_BIT, bit))


@kernel
def take(tables: Tables, search: Search, at: int, what: tuple[int, int, int]) -> None:
    """Let an operation take effect after a configuration of ``seen``.

    Args:
        tables: The operations.
        search: Where it is.
        at: The configuration.
        what: The operation's kind; its bit, 0 if it is indeterminate; the bit of the operation
            that returns.
    """
    kind, own, bit = what
    seen, masks = search.seen, search.masks
    does, target = tables.kinds[kind, CODE], tables.kinds[kind, FIRST]
    if does == CAS:
        if target != seen[at, VALUE]:
            return
        target = tables.kinds[kind, SECOND]
    elif does != WRITE:
        return
    made = len(seen) - 1
    before = seen[at, TAKEN]
    seen[made] = seen[at]
    seen[made, VALUE] = target
    seen[made, TAKEN] = before | own
    seen[made, OPTIONAL] &= ~own
    if does == WRITE:
        seen[made, OPTIONAL] |= masks[-1, WRITERS] & ~(before | own)
    settle(masks, seen, made)
    taken = seen[made, TAKEN]
    if own == 0 and search.scalars[REUSABLE] == 0:
        seen[made, USED + tables.kinds[kind, COLUMN]] += 1
    if taken & bit:
        put_after(search, bit)
    elif does == CAS or taken & ~before & ~own or awaited(tables, search, target, taken):
        # A write is of use only to what needs its value next.
        put_on_the_way(search)


@kernel
def awaited(tables: Tables, search: Search, value: int, taken: int) -> bool:
    """Whether a compare-and-set expects a value."""
    if search.masks[value, TAKERS] & ~taken:
        return True
    for column in range(len(search.available)):
        kind = tables.column_kind[column]
        if (
            search.available[column] > 0
            and tables.kinds[kind, CODE] == CAS
            and tables.kinds[kind, FIRST] == value
        ):
            return True
    return False


@kernel
def put_after(search: Search, bit: int) -> None:
    """Add the configuration that was made to ``after``, without an operation that returned."""
    made = len(search.seen) - 1
    search.seen[made, TAKEN] &= ~bit
    search.seen[made, OPTIONAL] &= ~bit
    count = search.scalars[AFTER]
    if count >= 2 * search.scalars[ROOM]:
        search.scalars[LACKED] = 1
    elif put(search, search.after, search.after_heads, count):
        search.scalars[AFTER] += 1


@kernel
def put_on_the_way(search: Search) -> None:
    """Add the configuration that was made to ``seen``."""
    count = search.scalars[SEEN]
    if count >= 8 * search.scalars[ROOM]:
        search.scalars[LACKED] = 1
    elif put(search, search.seen, search.seen_heads, count):
        search.scalars[SEEN] += 1


@kernel
def put(search: Search, goal: Array, heads: Array, count: int) -> bool:
    """Add the configuration that was made unless another dominates it; whether it was added.

    What it dominates is marked.
    """
    made = search.seen[-1]
    masks = search.masks
    value = made[VALUE]
    others = made[TAKEN] & masks[-1, TAKERS]
    folded = (others ^ (others >> 31)) & 0x7FFFFFFF
    place = ((value * 0x9E3779B1) ^ (folded * 0x85EBCA77 >> 13)) & (len(heads) - 1)
    if heads[place, OF_STAMP] != search.scalars[STAMP]:
        heads[place, OF_STAMP] = search.scalars[STAMP]
        heads[place, HEAD] = -1
    at = heads[place, HEAD]
    for _ in range(CHAIN_MAX):
        if at < 0:
            break
        if goal[at, VALUE] == value and goal[at, TAKEN] & masks[-1, TAKERS] == others:
            if dominates(masks, goal[at], made):
                return False
            if dominates(masks, made, goal[at]):
                goal[at, VALUE] = -1
        at = goal[at, LINK]
    goal[count] = made
    goal[count, LINK] = heads[place, HEAD]
    heads[place, HEAD] = count
    return True


@kernel
def dominates(masks: Array, one: Array, other: Array) -> bool:
    """Whether a configuration leaves every choice of another with the same value."""
    observers = masks[-1, READERS] | masks[-1, DIFFERING]
    if other[TAKEN] & observers & ~one[TAKEN]:
        return False
    firm = masks[-1, WRITERS] & ~one[OPTIONAL]
    if (one[TAKEN] ^ other[TAKEN]) & firm or other[OPTIONAL] & firm:
        return False
    more = 0
    for column in range(USED, len(one)):
        more += one[column] > other[column]
    return more == 0


@kernel
def keep_best(search: Search) -> None:
    """Make ``after`` current: those that used fewest indeterminate operations, as many as fit."""
    after, current, scalars = search.after, search.current, search.scalars
    least = np.int64(2**62)
    for at in range(scalars[AFTER]):
        if after[at, VALUE] >= 0:
            # The links are of no use any more.
            after[at, LINK] = after[at, USED:].sum()
            least = min(least, after[at, LINK])
    # Counting sort.
    places = np.zeros(SCORES + 1, np.int64)
    for at in range(scalars[AFTER]):
        if after[at, VALUE] >= 0:
            places[min(after[at, LINK] - least, SCORES - 1) + 1] += 1
    for score in range(SCORES):
        places[score + 1] += places[score]
    alive, room = places[SCORES], min(scalars[ROOM], len(current))
    for at in range(scalars[AFTER]):
        if after[at, VALUE] >= 0:
            score = min(after[at, LINK] - least, SCORES - 1)
            if places[score] < room:
                current[places[score]] = after[at]
            places[score] += 1
    if alive > room:
        scalars[LACKED] = 1
    scalars[COUNT] = min(alive, room)
