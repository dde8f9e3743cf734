"""Moves of the search over a register: what can take effect next, and what is worth keeping."""

from __future__ import annotations

from testbed.checkers.kernel import lean_kernel
from testbed.checkers.linearizability.cas_arrays import (
    AFTER,
    CAS,
    CHAIN_MAX,
    CLOSED,
    CODE,
    COLUMN,
    DIFFERING,
    FIRM,
    FIRST,
    HEAD,
    KIND,
    LACKED,
    LESS,
    LINK,
    MORE,
    OF_STAMP,
    ONE,
    OPTIONAL,
    PENDING,
    READERS,
    REUSABLE,
    ROOM,
    SECOND,
    SEEN,
    SLOT,
    STAMP,
    TAKEN,
    TAKERS,
    USED,
    VALUE,
    WRITE,
    WRITERS,
    ZERO,
    Array,
    Search,
    Tables,
)


@lean_kernel
def copy_row(source: Array, at: int, target: Array, to: int) -> None:
    """Copy a configuration; column by column, which compiles in a moment."""
    for column in range(source.shape[1]):
        target[to, column] = source[at, column]


@lean_kernel
def settle(masks: Array, configurations: Array, at: int) -> None:
    """Take what can be taken without leaving the value."""
    value = configurations[at, VALUE]
    news = masks[value, READERS] | (masks[-1, DIFFERING] & ~masks[value, DIFFERING])
    taken = configurations[at, TAKEN] | news
    configurations[at, TAKEN] = taken
    configurations[at, OPTIONAL] |= masks[value, WRITERS] & ~taken


@lean_kernel
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


@lean_kernel
def expand_loosely(tables: Tables, search: Search, at: int, bit: int) -> None:
    """Let one more indeterminate operation take effect after a configuration of ``seen``."""
    taken = search.seen[at, TAKEN]
    hidden = search.masks[-1, WRITERS] & ~(taken | search.seen[at, OPTIONAL])
    for column in range(len(search.available)):
        kind = tables.column_kind[column]
        left = search.available[column]
        if search.scalars[REUSABLE] == 0:
            left -= search.seen[at, USED + column]
        code, here = tables.kinds[kind, CODE], tables.kinds[kind, FIRST] == search.seen[at, VALUE]
        # A write of the value that is there is of use to the writes that it may have replaced.
        if left <= 0 or (not here if code == CAS else here and not hidden):
            continue
        alike = False
        for number in range(search.scalars[PENDING]):
            operation = search.pending[number]
            own = ONE << tables.operations[operation, SLOT]
            if tables.operations[operation, KIND] == kind and not taken & own:
                alike = True
        if not alike:
            take(tables, search, at, (kind, ZERO, bit))


@lean_kernel
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
    copy_row(seen, at, seen, made)
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


@lean_kernel
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


@lean_kernel
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


@lean_kernel
def put_on_the_way(search: Search) -> None:
    """Add the configuration that was made to ``seen``."""
    count = search.scalars[SEEN]
    if count >= 8 * search.scalars[ROOM]:
        search.scalars[LACKED] = 1
    elif put(search, search.seen, search.seen_heads, count):
        search.scalars[SEEN] += 1


@lean_kernel
def put(search: Search, goal: Array, heads: Array, count: int) -> bool:
    """Add the configuration that was made unless another dominates it; whether it was added.

    What it dominates is marked.
    """
    seen, masks = search.seen, search.masks
    made = len(seen) - 1
    value = seen[made, VALUE]
    others = seen[made, TAKEN] & masks[-1, TAKERS]
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
            leaves = compare(masks, goal, at, seen)
            if leaves & MORE:
                return False
            if leaves & LESS:
                goal[at, VALUE] = -1
        at = goal[at, LINK]
    copy_row(seen, made, goal, count)
    goal[count, LINK] = heads[place, HEAD]
    heads[place, HEAD] = count
    return True


@lean_kernel
def compare(masks: Array, rows: Array, at: int, seen: Array) -> int:
    """Whether a configuration leaves every choice of the one that was made, and the other way."""
    made = len(seen) - 1
    observers = masks[-1, READERS] | masks[-1, DIFFERING]
    taken, optional = rows[at, TAKEN], rows[at, OPTIONAL]
    taken_too, optional_too = seen[made, TAKEN], seen[made, OPTIONAL]
    unlike = (taken ^ taken_too) & masks[-1, WRITERS]
    leaves = MORE | LESS
    if taken_too & observers & ~taken or (unlike | optional_too) & ~optional:
        leaves &= LESS
    if taken & observers & ~taken_too or (unlike | optional) & ~optional_too:
        leaves &= MORE
    for column in range(USED, rows.shape[1]):
        if rows[at, column] > seen[made, column]:
            leaves &= LESS
        elif rows[at, column] < seen[made, column]:
            leaves &= MORE
    return leaves
