"""The search over a register with compare-and-set, as loops over arrays.

Just-in-time linearization, breadth first (Lowe, "Testing for linearizability", Concurrency and
Computation 29(4), 2017): nothing is decided before an operation returns. A configuration is

- the register's value;
- ``taken``: a bit for each pending operation that has taken effect;
- ``optional``: a bit for each pending write that may have taken effect without a trace, because
  some other write came right after it, or because the register had its value anyway. Whether it
  did is decided only if it matters;
- ``used``: how many indeterminate operations of each kind have taken effect.

What only observes is taken as soon as it can be. Of pending operations that are alike, those that
must still take effect come first, then in the order of their returns, then indeterminate ones. One
configuration dominates another when it leaves every choice that the other leaves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel

READ, WRITE, CAS, DIFFERS = 0, 1, 2, 3
"""What an operation does: saw ``a``; wrote ``a``; set ``a`` to ``b``; saw another value than ``a``."""

PENDING_MAX = 62
"""Operations that will return and are pending at once: the bits of a mask."""

Array = NDArray[Any]
Set = tuple[Array, Array, Array, Array, Array, Array, Array]
"""Configurations: values (-1 for one that was dominated), taken, optional, used, links of chains,
heads of chains, stamps that say whether a head is of this use of the set."""


@kernel
def dominates(
    taken: int,
    optional: int,
    used: Array,
    taken2: int,
    optional2: int,
    used2: Array,
    reads: int,
    writes: int,
) -> bool:
    """Whether the first leaves every choice of the second; value and taken cas are the same."""
    if taken2 & reads & ~taken:
        return False
    firm = writes & ~optional
    if (taken ^ taken2) & firm or optional2 & firm:
        return False
    for kind in range(len(used)):
        if used[kind] > used2[kind]:
            return False
    return True


@kernel
def put(
    configurations: Set,
    count: int,
    stamp: int,
    value: int,
    taken: int,
    optional: int,
    used: Array,
    reads: int,
    writes: int,
) -> int:
    """Add a configuration at ``count``; 1 if it was added, 0 if dominated, -1 if there is no room.

    What it dominates is marked.
    """
    values, takens, optionals, useds, links, heads, stamps = configurations
    others = taken & ~reads & ~writes
    folded = (others ^ (others >> 31)) & 0x7FFFFFFF
    place = ((value * 0x9E3779B1) ^ (folded * 0x85EBCA77 >> 13)) & (len(heads) - 1)
    if stamps[place] != stamp:
        stamps[place] = stamp
        heads[place] = -1
    at = heads[place]
    looked = 0
    while at >= 0 and looked < 64:
        looked += 1
        if values[at] == value and takens[at] & ~reads & ~writes == others:
            if dominates(
                takens[at], optionals[at], useds[at], taken, optional, used, reads, writes
            ):
                return 0
            if dominates(
                taken, optional, used, takens[at], optionals[at], useds[at], reads, writes
            ):
                values[at] = -1
        at = links[at]
    if count >= len(values):
        return -1
    values[count] = value
    takens[count] = taken
    optionals[count] = optional
    for kind in range(len(used)):
        useds[count, kind] = used[kind]
    links[count] = heads[place]
    heads[place] = count
    return 1


@kernel
def settle(
    value: int,
    taken: int,
    optional: int,
    readers: Array,
    writers: Array,
    differing: Array,
    differs: int,
) -> tuple[int, int]:
    """Take what can be taken in a state without leaving it."""
    taken |= readers[value] | (differs & ~differing[value])
    return taken, optional | (writers[value] & ~taken)


@kernel
def advance(
    events: Array,
    start: int,
    stop: int,
    kinds: Array,
    slots: Array,
    ends: Array,
    code: Array,
    first: Array,
    second: Array,
    unreturned: Array,
    pending: Array,
    available: Array,
    scalars: Array,
    current: Set,
    after: Set,
    seen: Set,
    room: int,
    reusable: int,
) -> int:
    """Go on with the search from one event to another.

    Args:
        events: Twice the number of an operation, and one more for its return; in order.
        start: The event to begin with.
        stop: The event before which to stop.
        kinds: Each operation's kind.
        slots: Each operation's bit; -1 for what is indeterminate.
        ends: Each operation's return.
        code: What the operations of a kind do: :data:`READ` and so on.
        first: Their value, or the value that they replace.
        second: The value that they set.
        unreturned: The column of ``used`` of a kind, -1 for none.
        pending: Pending operations in the order of their returns.
        available: How many indeterminate operations of each column were invoked.
        scalars: How many are pending; how many configurations there are; whether some were
            given up for lack of room; the stamp.
        current: The configurations.
        after: Room for the next ones.
        seen: Room for those on the way.
        room: How many configurations to keep.
        reusable: 1 to let indeterminate operations take effect any number of times.

    Returns:
        ``stop``, or the event of the return that no configuration survived; ``current`` is then
        what it was before.
    """
    size = len(first)
    top = 1
    for kind in range(size):
        top = max(top, first[kind] + 1, second[kind] + 1)
    top = max(top, scalars[4])
    readers, writers, takers, differing = (
        np.zeros(top, np.int64),
        np.zeros(top, np.int64),
        np.zeros(top, np.int64),
        np.zeros(top, np.int64),
    )
    reads, writes, differs = 0, 0, 0
    one = np.int64(1)
    for number in range(scalars[0]):
        operation = pending[number]
        kind = kinds[operation]
        bit = one << slots[operation]
        if code[kind] == 0:
            readers[first[kind]] |= bit
            reads |= bit
        elif code[kind] == 1:
            writers[first[kind]] |= bit
            writes |= bit
        elif code[kind] == 2:
            takers[first[kind]] |= bit
        else:
            differing[first[kind]] |= bit
            differs |= bit
            reads |= bit
    columns = len(available)
    column_kind = np.zeros(columns, np.int64)
    for kind in range(size):
        if unreturned[kind] >= 0:
            column_kind[unreturned[kind]] = kind
    marks = np.full(size, -1, np.int64)
    mark = 0
    used = np.zeros(columns, np.int16)
    for event in range(start, stop):
        operation = events[event] >> 1
        kind = kinds[operation]
        does = code[kind]
        if events[event] & 1 == 0:
            if slots[operation] < 0:
                available[unreturned[kind]] += 1
                continue
            bit = one << slots[operation]
            place = scalars[0]
            while place > 0 and ends[pending[place - 1]] > ends[operation]:
                pending[place] = pending[place - 1]
                place -= 1
            pending[place] = operation
            scalars[0] += 1
            if does == 0:
                readers[first[kind]] |= bit
                reads |= bit
            elif does == 1:
                writers[first[kind]] |= bit
                writes |= bit
            elif does == 2:
                takers[first[kind]] |= bit
            else:
                differing[first[kind]] |= bit
                differs |= bit
                reads |= bit
            if does != 2:
                for number in range(scalars[1]):
                    value = current[0][number]
                    if value >= 0:
                        current[1][number], current[2][number] = settle(
                            value,
                            current[1][number],
                            current[2][number],
                            readers,
                            writers,
                            differing,
                            differs,
                        )
            continue
        bit = one << slots[operation]
        scalars[3] += 1
        stamp = scalars[3]
        count, reached = 0, 0
        limit = min(room, len(after[0]))
        full = False
        for number in range(scalars[1]):
            value, taken, optional = current[0][number], current[1][number], current[2][number]
            if value < 0:
                continue
            if (taken | optional) & bit:
                if count < limit:
                    added = put(
                        after,
                        count,
                        stamp,
                        value,
                        taken & ~bit,
                        optional & ~bit,
                        current[3][number],
                        reads,
                        writes,
                    )
                    count += max(added, 0)
                else:
                    full = True
            if not taken & bit:
                added = put(
                    seen, reached, stamp, value, taken, optional, current[3][number], reads, writes
                )
                if added < 0:
                    full = True
                reached += max(added, 0)
        at = 0
        while at < reached:
            if count >= limit:
                full = True
                break
            value, taken, optional = seen[0][at], seen[1][at], seen[2][at]
            at += 1
            if value < 0:
                continue
            mark += 1
            # Pending operations that must still take effect, then optional ones, then
            # indeterminate ones; of those that are alike the first.
            for step in range(2 * scalars[0] + columns):
                if step < 2 * scalars[0]:
                    candidate = pending[step % scalars[0]]
                    chosen = kinds[candidate]
                    own = one << slots[candidate]
                    if taken & own or code[chosen] == 0 or code[chosen] == 3:
                        continue
                    if ((optional & own) != 0) != (step >= scalars[0]):
                        continue
                    if marks[chosen] == mark:
                        continue
                    marks[chosen] = mark
                    column = -1
                else:
                    column = step - 2 * scalars[0]
                    chosen = column_kind[column]
                    own = one & 0
                    if marks[chosen] == mark or available[column] == 0:
                        continue
                    if reusable == 0 and seen[3][at - 1, column] >= available[column]:
                        continue
                if code[chosen] == 2:
                    if first[chosen] != value:
                        continue
                    target = second[chosen]
                else:
                    target = first[chosen]
                    if own == 0 and target == value:
                        continue
                next_taken = taken | own
                next_optional = optional & ~own
                if code[chosen] == 1:
                    next_optional |= writes & ~next_taken
                next_taken, next_optional = settle(
                    target, next_taken, next_optional, readers, writers, differing, differs
                )
                if code[chosen] == 1 and not next_taken & bit:
                    # A write is of use only to what needs its value next.
                    useful = next_taken & reads & ~taken or takers[target] & ~next_taken
                    if not useful:
                        for other in range(columns):
                            if (
                                available[other] > 0
                                and code[column_kind[other]] == 2
                                and first[column_kind[other]] == target
                            ):
                                useful = one
                                break
                    if not useful:
                        continue
                for other in range(columns):
                    used[other] = seen[3][at - 1, other]
                if column >= 0 and reusable == 0:
                    used[column] += 1
                if next_taken & bit:
                    if count >= limit:
                        full = True
                        break
                    added = put(
                        after,
                        count,
                        stamp,
                        target,
                        next_taken & ~bit,
                        next_optional & ~bit,
                        used,
                        reads,
                        writes,
                    )
                    count += max(added, 0)
                else:
                    added = put(
                        seen, reached, stamp, target, next_taken, next_optional, used, reads, writes
                    )
                    if added < 0:
                        full = True
                    reached += max(added, 0)
        if full:
            scalars[2] = 1
        if count == 0:
            return event
        place = 0
        while pending[place] != operation:
            place += 1
        scalars[0] -= 1
        while place < scalars[0]:
            pending[place] = pending[place + 1]
            place += 1
        if does == 0:
            readers[first[kind]] &= ~bit
            reads &= ~bit
        elif does == 1:
            writers[first[kind]] &= ~bit
            writes &= ~bit
        elif does == 2:
            takers[first[kind]] &= ~bit
        else:
            differing[first[kind]] &= ~bit
            differs &= ~bit
            reads &= ~bit
        kept = 0
        for number in range(count):
            if after[0][number] < 0:
                continue
            current[0][kept] = after[0][number]
            current[1][kept] = after[1][number]
            current[2][kept] = after[2][number]
            for column in range(columns):
                current[3][kept, column] = after[3][number, column]
            kept += 1
        scalars[1] = kept
    return stop
