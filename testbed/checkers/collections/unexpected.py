"""An element that came out of a collection and that no operation can have put in by then."""

from __future__ import annotations

from typing import Any

import numpy as np

from testbed.checkers.collections.calls import Calls
from testbed.checkers.collections.elements import STRANGER, elements_of
from testbed.checkers.collections.witness import shortened, witness
from testbed.history.operation_table import Kind, OperationTable


def unexpected(history: OperationTable, value: Any, read: int, adds: Calls) -> dict[str, Any]:
    """Show where an element came from that should not have been there.

    Args:
        history: Whose operations they are.
        value: The element.
        read: Invocation of the operation that returned it.
        adds: Every operation that adds elements, of any outcome.
    """
    failed = _asking(history, adds.of(adds.outcome == Kind.FAIL), value)
    later = _asking(history, adds.possible, value)
    if later:
        why, rows = "it was asked for only later", later[:1]
    elif failed:
        why, rows = "the only operations that asked for it failed", failed[:1]
    else:
        why, rows = "nobody asked for it", []
    text = [f"element {shortened(value)} was there, and {why}:"]
    return witness(history, "unexpected", text, [*rows, read], element=value)


def _asking(history: OperationTable, adds: Calls, value: Any) -> list[int]:
    elements = elements_of(history, adds.asked)
    number = elements.number(value)
    if number == STRANGER:
        return []
    found: list[int] = adds.begun[
        np.flatnonzero(elements.number_rows(history, adds.asked) == number)
    ].tolist()
    return found
