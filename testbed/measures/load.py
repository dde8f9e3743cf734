"""The load that a history shows: when it ran, and what of it was acknowledged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from testbed.history.history import History, Pair


@dataclass(frozen=True, slots=True)
class Load:
    """What became of the operations that were due in a span of time.

    Args:
        from_ns: The first moment.
        to_ns: The moment after the last.
        due: How many operations were due.
        ok: How many were acknowledged, whenever.
        fail: How many surely were not done.
        info: How many have an unknown outcome.
        refused: How many of those that failed were refused by their own rule: served as well.
    """

    from_ns: int
    to_ns: int
    due: int
    ok: int
    fail: int
    info: int
    refused: int = 0

    @property
    def served(self) -> int:
        """How many the system did its work for: acknowledged, or refused by their own rule."""
        return self.ok + self.refused

    @property
    def availability(self) -> float | None:
        """Served operations by those due, 0 to 1; None if none was due."""
        return self.served / self.due if self.due else None

    @property
    def due_ops_s(self) -> float:
        """Operations due a second."""
        return self._rate(self.due)

    @property
    def acknowledged_ops_s(self) -> float:
        """Throughput: acknowledged operations a second."""
        return self._rate(self.ok)

    def _rate(self, count: int) -> float:
        span_ns = self.to_ns - self.from_ns
        return count * 1e9 / span_ns if span_ns > 0 else 0.0


def load_span(history: History, functions: Iterable[str]) -> tuple[int, int] | None:
    """When the first and the last operation of some functions were due; None if there is none.

    Raises:
        HistoryError: The history cannot be paired.
    """
    due = [pair.due_ns for pair in history.of(functions)]
    return (min(due), max(due)) if due else None


def load(
    history: History,
    functions: Iterable[str],
    *,
    from_ns: int,
    to_ns: int,
    region: str | None = None,
) -> Load:
    """What became of the operations due from ``from_ns`` to before ``to_ns``.

    Args:
        history: What clients saw.
        functions: The functions that count.
        from_ns: The first moment.
        to_ns: The moment after the last.
        region: Whose clients; all if None.

    Raises:
        HistoryError: The history cannot be paired.
    """
    pairs = [pair for pair in history.of(functions) if region in (None, pair.region)]
    return tally(pairs, from_ns, to_ns)


def tally(pairs: Iterable[Pair], from_ns: int, to_ns: int) -> Load:
    """The same of operations at hand."""
    due = [pair for pair in pairs if from_ns <= pair.due_ns < to_ns]
    outcomes = [pair.outcome for pair in due]
    return Load(
        from_ns,
        to_ns,
        due=len(outcomes),
        ok=outcomes.count("ok"),
        fail=outcomes.count("fail"),
        info=outcomes.count("info"),
        refused=sum(pair.served and pair.outcome == "fail" for pair in due),
    )
