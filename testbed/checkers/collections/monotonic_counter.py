"""A counter that only grows, with the times at which its values were seen."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from testbed.checkers.collections.calls import calls
from testbed.checkers.collections.monotonic_rows import sortable
from testbed.checkers.collections.witness import EXAMPLES_MAX, witness
from testbed.checkers.counted import counted
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.operation_table import OperationTable
from testbed.history.problem import HistoryError, Problem

NAME = "monotonic"
PROMISE = "What one process sees never decreases, and values grow in the order of their times."


class _Seen(NamedTuple):
    """What one operation returned."""

    begun: int
    time: Any
    value: int


def check_counter(history: OperationTable) -> Verdict:
    """Judge ``inc``, ``read`` and ``read-at``, key by key.

    Args:
        history: Their completions say ``[time, value]`` or the value.

    Raises:
        HistoryError: A value has another shape, or times cannot be compared.
    """
    local = _seen(history, "inc", "read")
    timed = _seen(history, "inc", "read-at")
    sessions = _sessions(history, local)
    pairs = [pair for seen in sessions for pair in pairwise(seen)]
    # What says no time stands between two that do, and they are compared all the same.
    dated = [[one for one in seen if one.time is not None] for seen in sessions]
    order = [pair for seen in _by_time(history, timed) for pair in pairwise(seen)]
    broken = {
        "value-decreased": [(one, two) for one, two in pairs if two.value < one.value],
        "time-decreased": [
            pair for seen in dated for pair in pairwise(seen) if pair[1].time < pair[0].time
        ],
        "value-order": [(one, two) for one, two in order if two.value < one.value],
    }
    numbers = {"operations": float(len(local)), "compared": float(len(pairs) + len(order))}
    numbers |= {name.replace("-", "_"): float(len(found)) for name, found in broken.items()}
    if any(broken.values()):
        examples = tuple(
            witness(history, name, [f"{_WORDS[name]}:"], [one.begun, two.begun])
            for name, found in broken.items()
            for one, two in found[:EXAMPLES_MAX]
        )
        reason = "; ".join(
            f"{counted(len(found), 'time')} {_WORDS[name]}"
            for name, found in broken.items()
            if found
        )
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    if not pairs and not order:
        reason = "no process saw the counter twice: there was nothing to compare"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    reason = f"{len(pairs) + len(order)} pairs of values came in order"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


_WORDS = {
    "value-decreased": "a process saw a value below its last one",
    "time-decreased": "a process saw a time before its last one",
    "value-order": "a later time has a lower value",
}


def _seen(history: OperationTable, *functions: str) -> list[_Seen]:
    """What acknowledged operations returned, in the order of their completions."""
    those = calls(history, *functions).ok
    order = np.argsort(those.ended)
    seen: list[_Seen] = []
    problems: list[Problem] = []
    kinds: set[bool] = set()
    for begun, ended in zip(those.begun[order].tolist(), those.ended[order].tolist(), strict=True):
        value = history.value(ended)
        time, value = value if isinstance(value, list) and len(value) == 2 else (None, value)
        if type(value) is not int or isinstance(time, bool | list | dict):
            expected = "expected a whole number or [time, whole number] as the value"
            problems.append(Problem(int(history.line[ended]), 0, expected))
            continue
        if time is not None:
            kinds.add(isinstance(time, str))
        seen.append(_Seen(begun, None if time is None else sortable(time), value))
    if len(kinds) > 1:
        problems.append(Problem(0, 0, "expected times that are all numbers or all text"))
    if problems:
        raise HistoryError(history.source, problems)
    return seen


def _sessions(history: OperationTable, seen: list[_Seen]) -> list[list[_Seen]]:
    """What each process got of each key, one after the other."""
    found: dict[tuple[int, int], list[_Seen]] = {}
    for one in seen:
        place = int(history.process[one.begun]), int(history.key[one.begun])
        found.setdefault(place, []).append(one)
    return list(found.values())


def _by_time(history: OperationTable, seen: list[_Seen]) -> list[list[_Seen]]:
    """What was seen of each key in the order of the times that it says."""
    found: dict[int, list[_Seen]] = {}
    for one in seen:
        if one.time is not None:
            found.setdefault(int(history.key[one.begun]), []).append(one)
    return [sorted(each, key=lambda one: (one.time, one.value)) for each in found.values()]
