"""Compiled pairing of scanned rows, and the merging of invoked and completed transactions."""
# ruff: noqa: PLR0911, PLR0917, C901 - the part of Python that is compiled
# mypy: disable-error-code="no-any-return,return-value,assignment"

from __future__ import annotations

from typing import Any

import numpy as np

from testbed.history.scan_compiler import compiled
from testbed.history.scan_fields import HAS_INDEX, HAS_PROCESS, HAS_TIME, UNTIMED
from testbed.history.scan_state import Array
from testbed.history.scan_tokens import NULL

_ALIKE = HAS_PROCESS | UNTIMED
UNSEEN = -2


def _pair(
    process: Array,
    kind: Array,
    f: Array,
    key: Array,
    time: Array,
    index: Array,
    flags: Array,
    partner: Array,
    processes: int,
) -> bool:
    """Pair invocations with completions; whether everything is as it should be.

    A completion without a key takes over that of its invocation.
    """
    pending = np.full(processes, -1, np.int64)
    retired = np.zeros(processes, np.bool_)
    last_index = np.int64(NULL)
    for row in range(len(kind)):
        who = process[row]
        partner[row] = -1
        if (flags[row] ^ flags[0]) & _ALIKE:
            return False
        if flags[row] & HAS_INDEX:
            if index[row] <= last_index:
                return False
            last_index = index[row]
        begun = pending[who]
        if kind[row] == 0:
            if begun >= 0 or retired[who]:
                return False
            pending[who] = row
            continue
        pending[who] = -1
        if kind[row] == 3:
            retired[who] = True
        if begun < 0 or f[begun] != f[row]:
            return False
        if key[row] < 0:
            key[row] = key[begun]
        elif key[begun] >= 0 and key[begun] != key[row]:
            return False
        if flags[row] & flags[begun] & HAS_TIME and time[row] < time[begun]:
            return False
        partner[row] = begun
        partner[begun] = row
    return True


pair: Any = compiled(_pair)


def _agree(access: Array, key: Array, value: Array, one: int, two: int, length: int) -> bool:
    """Whether two runs of micro-operations ask for the same."""
    for offset in range(length):
        mine, theirs = one + offset, two + offset
        if access[mine] != access[theirs] or key[mine] != key[theirs]:
            return False
        if access[mine] != 0 and value[mine] != value[theirs]:
            return False
    return True


agree: Any = compiled(_agree)


def _merge(
    kind: Array,
    said: Array,
    partner: Array,
    ends: Array,
    access: Array,
    key: Array,
    value: Array,
    first: Array,
    outcome: Array,
    wrong: Array,
) -> tuple[int, int]:
    """Bring the micro-operations of invocations together with what their completions read.

    It works in place: the columns of micro-operations become those of transactions.

    Args:
        kind: Of each row.
        said: Whether a row says its micro-operations at all.
        partner: Of each row.
        ends: The end of the micro-operations of each row.
        access: Of each micro-operation.
        key: Of each micro-operation.
        value: Of each micro-operation.
        first: Filled with the first micro-operation of each transaction and the end of the last.
        outcome: Filled with that of each transaction.
        wrong: Filled with the completions that disagree.

    Returns:
        How many transactions there are, and how many completions disagree.
    """
    count, place, disagreeing = 0, 0, 0
    after = 0
    for row in range(len(kind)):
        mine, after = after, ends[row]
        if kind[row] != 0:
            continue
        other = partner[row]
        length = after - mine
        theirs = np.int64(0)
        outcome[count] = 3
        if other >= 0:
            outcome[count] = kind[other]
            theirs = ends[other - 1]
            same = ends[other] - theirs == length
            if said[other] and not (same and agree(access, key, value, mine, theirs, length)):
                wrong[disagreeing] = other
                disagreeing += 1
                continue
        for offset in range(length):
            source = mine + offset
            seen = value[source]
            if access[source] == 0:
                seen = value[theirs + offset] if outcome[count] == 1 else UNSEEN
            access[place] = access[source]
            key[place] = key[source]
            value[place] = seen
            place += 1
        count += 1
        first[count] = place
    return count, disagreeing


merge: Any = compiled(_merge)
