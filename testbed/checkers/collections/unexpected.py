"""An element that came out of a collection and that no operation can have put in by then."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from testbed.checkers.collections.calls import Calls
from testbed.checkers.collections.elements import STRANGER, Elements, Numbers, elements_of
from testbed.checkers.collections.witness import shortened, witness
from testbed.history.operation_table import Integers, Kind


class Unexpected:
    """Shows where elements came from that should not have been there.

    Args:
        adds: Every operation that adds elements, of any outcome.
    """

    def __init__(self, adds: Calls) -> None:
        self._adds = adds

    def shown(self, value: Any, read: int) -> dict[str, Any]:
        """One such element.

        Args:
            value: The element.
            read: Invocation of the operation that returned it.
        """
        asking = self._asking(value)
        outcomes = self._adds.outcome[asking]
        later = asking[outcomes != Kind.FAIL]
        if len(later):
            why, rows = "it was asked for only later", self._adds.begun[later[:1]].tolist()
        elif len(asking):
            why = "the only operations that asked for it failed"
            rows = self._adds.begun[asking[:1]].tolist()
        else:
            why, rows = "nobody asked for it", []
        text = [f"element {shortened(value)} was there, and {why}:"]
        return witness(self._adds.table, "unexpected", text, [*rows, read], element=value)

    @cached_property
    def _numbered(self) -> tuple[Elements, Numbers]:
        elements = elements_of(self._adds.table, self._adds.asked)
        return elements, elements.number_rows(self._adds.table, self._adds.asked)

    def _asking(self, value: Any) -> Integers:
        """The operations that ask for an element."""
        elements, numbers = self._numbered
        number = elements.number(value)
        return np.flatnonzero((numbers == number) & (number != STRANGER))
