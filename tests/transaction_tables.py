"""Small tables of transactions, written down as people would."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from testbed.history.transaction_table import NEVER, Access, Outcome, Read, TransactionTable

OUTCOMES = {"ok": Outcome.OK, "fail": Outcome.FAIL, "info": Outcome.INFO}
ACCESSES = {"r": Access.READ, "w": Access.WRITE, "append": Access.APPEND}


class _Numbers:
    """Interns what it is given."""

    def __init__(self) -> None:
        self.things: list[Any] = []
        self._numbers: dict[str, int] = {}

    def __call__(self, thing: Any) -> int:
        number = self._numbers.setdefault(json.dumps(thing), len(self.things))
        if number == len(self.things):
            self.things.append(thing)
        return number


def table_of(
    transactions: Sequence[dict[str, Any]], *, timed: bool = True, lists: bool = True
) -> TransactionTable:
    """A table of transactions ``{"process", "outcome", "ops", "start", "end"}``.

    ``ops`` are Jepsen's micro-operations; a read of ``None`` in what did not commit is unseen.
    Without ``start`` they run one after the other; ``process`` is 0 and ``outcome`` ok by default.
    """
    rows = [
        {"process": 0, "outcome": "ok", "start": 2 * at, "end": 2 * at + 1, **each}
        for at, each in enumerate(transactions)
    ]
    rows.sort(key=lambda each: each["start"])
    keys, values, names = _Numbers(), _Numbers(), _Numbers()
    micro: list[tuple[int, int, int]] = []
    starts, items, first = [0], [], [0]
    for each in rows:
        for access, key, value in each["ops"]:
            if access != "r":
                number = values(value)
            elif value is None:
                number = int(Read.NOTHING if each["outcome"] == "ok" else Read.UNSEEN)
            elif each["outcome"] != "ok":
                number = int(Read.UNSEEN)
            elif lists:
                number = len(starts) - 1
                items += [values(item) for item in value]
                starts.append(len(items))
            else:
                number = values(value)
            micro.append((ACCESSES[access], keys(key), number))
        first.append(len(micro))
    columns = np.array(micro, np.int64).reshape(-1, 3)
    ends = [each["end"] if each["outcome"] == "ok" else NEVER for each in rows]
    return TransactionTable(
        process=np.array([names(each["process"]) for each in rows], np.int32),
        outcome=np.array([OUTCOMES[each["outcome"]] for each in rows], np.int8),
        start=np.array([each["start"] for each in rows], np.int64),
        end=np.array(ends, np.int64),
        first=np.array(first, np.int64),
        access=columns[:, 0].astype(np.int8),
        key=columns[:, 1].astype(np.int32),
        value=columns[:, 2].astype(np.int32),
        list_starts=np.array(starts, np.int32),
        list_items=np.array(items, np.int32),
        keys=keys.things,
        values=values.things,
        process_names=names.things,
        timed=timed,
        line=np.arange(1, len(rows) + 1),
    )
