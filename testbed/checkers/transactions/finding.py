"""An anomaly that was found in a history, with what shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One anomaly.

    Args:
        anomaly: Canonical name, see :mod:`testbed.checkers.transactions.anomaly`.
        text: Lines for people.
        rows: Rows of the transactions that take part.
        evidence: More fields for the counterexample, plain JSON.
    """

    anomaly: str
    text: tuple[str, ...]
    rows: tuple[int, ...]
    evidence: dict[str, Any] = field(default_factory=dict)
