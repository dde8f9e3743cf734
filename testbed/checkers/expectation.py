"""The expectation: that a region is served again within a bound after something happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from testbed.history.fault_window import FaultWindow
from testbed.history.history import History
from testbed.measures.rto import Outage, longest_outage


@dataclass(frozen=True, slots=True)
class Expectation:
    """From when on which region may have to wait for how long.

    Args:
        region: Whose clients.
        cause: What happened, for people, for example ``region-cut eu-west``.
        from_ns: When it happened: the injection of a fault, or the end of its healing.
        to_ns: Until when nothing else happened: the next fault, or the end of the load.
        bound_ms: How long the region may be without an acknowledged write.
        bitten_ns: When at the latest it had taken effect; ``from_ns`` if None.
        locked_ns: Spans of time in each of which one row may be unserved: what arrived of a
            transaction whose rest was cut off has locked it.
    """

    region: str
    cause: str
    from_ns: int
    to_ns: int
    bound_ms: float
    bitten_ns: int | None = None
    locked_ns: tuple[tuple[int, int], ...] = ()

    def outage(self, history: History, writes: Iterable[str]) -> Outage:
        """The longest outage of the region in that time.

        Raises:
            HistoryError: The history cannot be paired.
        """
        return longest_outage(
            history,
            self.region,
            cause=self.cause,
            from_ns=self.from_ns,
            to_ns=self.to_ns,
            writes=writes,
            bitten_ns=self.bitten_ns,
        )


def during(
    window: FaultWindow,
    region: str,
    *,
    bound_ms: float,
    windows: Iterable[FaultWindow],
    end_ns: int,
) -> Expectation:
    """What is expected while a fault holds, and after it until the next one.

    For a region that can still reach a quorum; healing is included, as it may cost an election.

    Args:
        window: The fault.
        region: Whose clients.
        bound_ms: How long they may be without an acknowledged write.
        windows: All faults of the run.
        end_ns: The end of the load.
    """
    return Expectation(
        region=region,
        cause=window.title,
        from_ns=window.inject_ns,
        to_ns=_next_ns(window.inject_ns, windows, end_ns),
        bound_ms=bound_ms,
        bitten_ns=window.bitten_ns,
    )


def after_heal(
    window: FaultWindow,
    region: str,
    *,
    bound_ms: float,
    windows: Iterable[FaultWindow],
    end_ns: int,
) -> Expectation | None:
    """What is expected once a fault was healed, for a region that it had cut off.

    Returns:
        The expectation, or None for a fault that was not healed. The other arguments are as for
        ``during``.
    """
    if window.heal_ns is None:
        return None
    healed_ns = window.heal_ns if window.healed_ns is None else window.healed_ns
    return Expectation(
        region=region,
        cause=f"heal of {window.title}",
        from_ns=healed_ns,
        to_ns=_next_ns(healed_ns, windows, end_ns),
        bound_ms=bound_ms,
    )


def _next_ns(after_ns: int, windows: Iterable[FaultWindow], end_ns: int) -> int:
    later = (window.inject_ns for window in windows if window.inject_ns > after_ns)
    return min(later, default=end_ns)
