"""RPO: the acknowledged writes that a failure cost, in number and in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from testbed.history.fault_window import FaultWindow
from testbed.history.history import History, Pair
from testbed.measures.final_state import MissingWrite


@dataclass(frozen=True, slots=True)
class RecoveryPoint:
    """What was lost.

    Args:
        lost_writes: How many acknowledged writes.
        acknowledged_writes: Of how many.
        first_lost_ns: When the first of them was acknowledged; None if none was lost.
        last_lost_ns: When the last of them was.
        by_node: How many of them each node had acknowledged.
        by_region: How many of them the clients of each region had asked for.
    """

    lost_writes: int
    acknowledged_writes: int
    first_lost_ns: int | None
    last_lost_ns: int | None
    by_node: Mapping[str, int]
    by_region: Mapping[str, int]

    @property
    def rpo_ms(self) -> float:
        """From the first lost acknowledgement to the last; 0 if nothing was lost."""
        if self.first_lost_ns is None or self.last_lost_ns is None:
            return 0.0
        return (self.last_lost_ns - self.first_lost_ns) / 1e6


@dataclass(frozen=True, slots=True)
class LossEstimate:
    """How many lost writes one fault explains: rate times time.

    The node that was primary before the fault goes on acknowledging after it is cut off, up to
    its last acknowledgement. Under asynchronous replication all of that is lost, and before it
    what was still on its way to the replicas.

    Args:
        fault: The fault's title.
        node: The primary that it cut off.
        rate_before_ops_s: What that node acknowledged in the seconds before the fault.
        rate_reaching_ops_s: The part of it that came from the regions that still reached it
            after the fault.
        rate_after_ops_s: What it acknowledged from the fault to its last acknowledgement.
        acknowledging_ms: How long it went on acknowledging.
        lost_writes: How many of its lost writes the fault can explain.
        expected_lost: Rate times time: the rate of those who still reached it, over the time for
            which it went on, and the whole rate, over the delay to the replicas.
        expected_lost_min: Those that were asked for after the injection was done and that it
            acknowledged: no replica can have them.
        expected_lost_max: All that it acknowledged after the injection began, and the whole rate
            over the delay.
    """

    fault: str
    node: str
    rate_before_ops_s: float
    rate_reaching_ops_s: float
    rate_after_ops_s: float
    acknowledging_ms: float
    lost_writes: int
    expected_lost: float
    expected_lost_min: float
    expected_lost_max: float

    @property
    def fits(self) -> bool:
        """Whether the number lies within the bounds, give or take two writes."""
        return self.expected_lost_min - 2 <= self.lost_writes <= self.expected_lost_max + 2


def recovery_point(lost: Sequence[MissingWrite], acknowledged_writes: int) -> RecoveryPoint:
    """The RPO of lost writes, as ``FinalState.lost`` gives them."""
    ends = [missing.add.end_ns or 0 for missing in lost]
    return RecoveryPoint(
        lost_writes=len(lost),
        acknowledged_writes=acknowledged_writes,
        first_lost_ns=min(ends, default=None),
        last_lost_ns=max(ends, default=None),
        by_node=Counter(str(missing.add.node) for missing in lost),
        by_region=Counter(str(missing.add.region) for missing in lost),
    )


def loss_estimate(
    history: History,
    lost: Sequence[MissingWrite],
    window: FaultWindow,
    *,
    delay_ms: float,
    add: str = "add",
    before_s: float = 5.0,
) -> LossEstimate | None:
    """What rate and time say of the writes that one fault can have lost.

    Args:
        history: What clients saw.
        lost: The lost writes.
        window: The fault.
        delay_ms: The longest one-way delay from the primary to a replica, with what replication
            itself takes.
        add: The function that was acknowledged.
        before_s: How long before the fault the rate is measured.

    Returns:
        The estimate, or None when no node acknowledged writes just before the fault.

    Raises:
        HistoryError: The history cannot be paired.
    """
    acknowledged = history.of({add}, "ok")
    inject_ns = window.inject_ns
    since_ns = inject_ns - int(before_s * 1e9)
    before = [pair for pair in acknowledged if since_ns <= _end(pair) <= inject_ns]
    if not before:
        return None
    node = max(before, key=_end).node
    before = [pair for pair in before if pair.node == node]
    after = _reign(acknowledged, node, inject_ns)
    last_ns = max((_end(pair) for pair in after), default=inject_ns)
    surely_after = [pair for pair in after if pair.start_ns >= window.bitten_ns]
    reaching = {pair.region for pair in surely_after}
    span_ns = inject_ns - min(_end(pair) for pair in before)
    rate_before = _rate(len(before), span_ns)
    rate_reaching = _rate(sum(pair.region in reaching for pair in before), span_ns)
    on_the_way = rate_before * delay_ms / 1e3
    return LossEstimate(
        fault=window.title,
        node=str(node),
        rate_before_ops_s=rate_before,
        rate_reaching_ops_s=rate_reaching,
        rate_after_ops_s=_rate(len(after), last_ns - inject_ns),
        acknowledging_ms=(last_ns - inject_ns) / 1e6,
        lost_writes=sum(
            missing.add.node == node and inject_ns - delay_ms * 1e6 <= _end(missing.add) <= last_ns
            for missing in lost
        ),
        expected_lost=rate_reaching * (last_ns - inject_ns) / 1e9 + on_the_way,
        expected_lost_min=len(surely_after),
        expected_lost_max=len(after) + on_the_way,
    )


def _end(pair: Pair) -> int:
    return pair.end_ns or 0


def _rate(count: int, time_ns: int) -> float:
    return count * 1e9 / time_ns if time_ns > 0 else 0.0


def _reign(acknowledged: Sequence[Pair], node: str | None, since_ns: int) -> list[Pair]:
    """What a node acknowledged after a time until another node acknowledged what came later."""
    others = (_end(pair) for pair in acknowledged if pair.node != node and pair.start_ns > since_ns)
    until_ns = min(others, default=None)
    return [
        pair
        for pair in acknowledged
        if pair.node == node
        and _end(pair) > since_ns
        and (until_ns is None or _end(pair) < until_ns)
    ]
