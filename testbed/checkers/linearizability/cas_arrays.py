"""The arrays of the search over a register with compare-and-set, and what stands where."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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

MORE, LESS = 1, 2
"""Of two configurations: the first leaves every choice of the second; the second of the first."""

ZERO: Any = np.int64(0)
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
        places: Room for sorting by scores.
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
    places: Array
