"""G-cursor of registers: a transaction replaced a version that another one had replaced before."""

from __future__ import annotations

from testbed.checkers.transactions.register_order import VersionOrder, written_after_read
from testbed.checkers.transactions.register_versions import RegisterVersions

STEPS_MAX = 2_000_000
"""Pairs of versions in order, and what is reached along them; beyond it nothing is said."""


def cursor_circle(
    versions: RegisterVersions, order: VersionOrder
) -> tuple[tuple[int, int, int] | None, bool]:
    """A version that a transaction read, one that came next, and the one that it wrote after it.

    Adya's LDSG of one object: a missed write, and from there overwrites alone to who missed it.

    Returns:
        The micro-operations, None for none found; and whether the search was given up.
    """
    work = len(order.before)
    if work > STEPS_MAX:
        return None, True
    later: dict[int, list[int]] = {}
    earlier: dict[int, list[int]] = {}
    for one, two in zip(order.before.tolist(), order.after.tolist(), strict=True):
        later.setdefault(one, []).append(two)
        earlier.setdefault(two, []).append(one)
    read, wrote = written_after_read(versions)
    for first, last in zip(read.tolist(), wrote.tolist(), strict=True):
        after, before = _reached(first, later), _reached(last, earlier)
        work += len(after) + len(before)
        between = [each for each in after & before if versions.writer[each] >= 0]
        if between:
            return (
                versions.read_of(int(versions.writer[last]), first),
                int(versions.write_op[min(between)]),
                int(versions.write_op[last]),
            ), False
        if work > STEPS_MAX:
            return None, True
    return None, False


def _reached(start: int, steps: dict[int, list[int]]) -> set[int]:
    """All that follows a version."""
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        for each in steps.get(waiting.pop(), ()):
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return seen
