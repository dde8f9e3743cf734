"""RTO: how long the clients of a region went without an acknowledged write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from testbed.history.history import History


@dataclass(frozen=True, slots=True)
class Outage:
    """The longest time without an acknowledgement in one region while something held.

    Args:
        region: Whose clients.
        cause: What held, for example a fault's title.
        from_ns: Since when the acknowledgements were looked at: the fault's injection.
        to_ns: Until when.
        bitten_ns: When the fault had taken effect at the latest.
        last_ack_ns: The last acknowledgement before the outage; None if there was none at all.
        first_ack_ns: The first one after it; None if none came before ``to_ns``.
        invocations: How many writes were asked for during the outage.
        silent_ns_max: The longest time in the outage in which none was asked for.
        unended_ns: From the last acknowledgement of all, or from ``from_ns``, to ``to_ns``.
    """

    region: str
    cause: str
    from_ns: int
    to_ns: int
    bitten_ns: int
    last_ack_ns: int | None
    first_ack_ns: int | None
    invocations: int
    silent_ns_max: int
    unended_ns: int

    @property
    def start_ns(self) -> int:
        """The last acknowledgement, or the fault's injection if that was later."""
        return max(self.from_ns, self.last_ack_ns or 0)

    @property
    def end_ns(self) -> int:
        """The first acknowledgement after it, or the end of what was looked at."""
        return self.to_ns if self.first_ack_ns is None else self.first_ack_ns

    @property
    def recovered(self) -> bool:
        """Whether it ended."""
        return self.first_ack_ns is not None

    @property
    def rto_ms(self) -> float:
        """From the fault, or from the last acknowledgement after it, to the next one."""
        return (self.end_ns - self.start_ns) / 1e6

    @property
    def rto_ms_min(self) -> float:
        """The same counted from when the fault had surely taken effect."""
        return max(0, self.end_ns - max(self.start_ns, self.bitten_ns)) / 1e6

    @property
    def gap_ms(self) -> float:
        """From one acknowledgement to the next, whenever the fault came."""
        start = self.start_ns if self.last_ack_ns is None else self.last_ack_ns
        return (self.end_ns - start) / 1e6

    @property
    def since_fault_ms(self) -> float:
        """From the fault's injection to the acknowledgement that ended the outage."""
        return (self.end_ns - self.from_ns) / 1e6


def longest_outage(
    history: History,
    region: str,
    *,
    cause: str,
    from_ns: int,
    to_ns: int,
    writes: Iterable[str],
    bitten_ns: int | None = None,
) -> Outage:
    """The longest time without an acknowledgement between two moments.

    Acknowledgements count by their completion, whoever gave them: a cut-off primary that goes
    on answering its own region is service to that region.

    Args:
        history: What clients saw.
        region: Whose clients.
        cause: What held, for people.
        from_ns: The first moment: a fault's injection.
        to_ns: The last moment: the next fault, or the end of the load.
        writes: The functions that count.
        bitten_ns: When the fault had taken effect at the latest; ``from_ns`` if not given.

    Raises:
        HistoryError: The history cannot be paired.
    """
    pairs = [pair for pair in history.of(writes) if pair.region == region]
    acks = sorted(pair.end_ns or 0 for pair in pairs if pair.served)
    within = [ack for ack in acks if from_ns < ack <= to_ns]
    # Of equally long ones the first, so that a history has one answer.
    start, end = max(pairwise([from_ns, *within, to_ns]), key=lambda gap: gap[1] - gap[0])
    asked = sorted(pair.start_ns for pair in pairs if start <= pair.start_ns <= end)
    last_before = max((ack for ack in acks if ack <= from_ns), default=None)
    return Outage(
        region=region,
        cause=cause,
        from_ns=from_ns,
        to_ns=to_ns,
        bitten_ns=from_ns if bitten_ns is None else bitten_ns,
        last_ack_ns=start if start in within else last_before,
        first_ack_ns=end if end in within else None,
        invocations=len(asked),
        silent_ns_max=max(later - earlier for earlier, later in pairwise([start, *asked, end])),
        unended_ns=to_ns - max([from_ns, *within]),
    )
