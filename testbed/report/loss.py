"""Whether the number of lost writes is what physics would lose: rate times time."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.checkers.counted import counted
from testbed.report.judgement import DataLoss
from testbed.report.kinds import WRITE
from testbed.report.recorded import RecordedRun
from testbed.report.wording import number

_BEFORE_S = 5.0
"""The rate is taken from so long before the fault."""

_TOLERANCE = 0.3
"""Writes of unknown outcome, a ragged end and a slow bin explain so much, not more."""


@dataclass(frozen=True, slots=True)
class LossCheck:
    """The rate x time check.

    Args:
        lost: How many acknowledged writes were lost.
        rate_ops_s: Acknowledged writes a second before the fault.
        window_s: How long acknowledged writes were lost.
        expected: Their product.
        fits: Whether the count is near it; None when there is nothing to compare.
        sentence: All of it in words.
    """

    lost: int
    rate_ops_s: float | None
    window_s: float | None
    expected: float | None
    fits: bool | None
    sentence: str


def check_loss(run: RecordedRun) -> LossCheck | None:
    """Compares the lost writes with rate x time; None when no loss was measured.

    Rate and window are those of the verdict; without them the rate is counted in the history just
    before the fault, and the window lasts from the fault to the last lost acknowledgement.
    """
    loss = run.judgement.loss if run.judgement else None
    if loss is None:
        return None
    lost = len(loss.lost)
    if not lost:
        return LossCheck(0, loss.rate_ops_s, loss.window_s, None, None, "No write was lost.")
    rate, window = _rate_and_window(run, loss)
    if rate is None or window is None or rate * window <= 0:
        sentence = f"{counted(lost, 'write')} lost; rate or time is not known, so nothing compares."
        return LossCheck(lost, rate, window, None, None, sentence)
    expected = rate * window
    fits = abs(lost - expected) <= max(_TOLERANCE * expected, 3.0)
    verb = "fits" if fits else "does not fit"
    sentence = (
        f"{number(round(rate, 1))} acknowledged writes a second x {number(round(window, 2))} s = "
        f"{number(round(expected))}; {lost:,} were lost, which {verb}."
    )
    if loss.delay_ms is not None:
        least = rate * loss.delay_ms / 1000.0
        sentence += (
            f" At least {number(round(least, 1))} go with the one-way delay to the nearest standby"
            f" ({number(loss.delay_ms)} ms)."
        )
    return LossCheck(lost, rate, window, expected, fits, sentence)


def _rate_and_window(run: RecordedRun, loss: DataLoss) -> tuple[float | None, float | None]:
    """Of the verdict, or counted."""
    times = [lost.acknowledged_s for lost in loss.lost if lost.acknowledged_s is not None]
    injected = [fault.inject_s for fault in run.schedule if fault.inject_s is not None]
    if not times:
        return loss.rate_ops_s, loss.window_s
    before = [time_s for time_s in injected if time_s <= max(times)]
    since = max(before, default=min(times))
    window = loss.window_s if loss.window_s is not None else max(times) - since
    if loss.rate_ops_s is not None:
        return loss.rate_ops_s, window
    regions = {lost.region for lost in loss.lost}
    count = sum(
        since - _BEFORE_S <= call.completed_s < since
        for call in run.calls
        if call.outcome == "ok" and call.kind == WRITE and call.region in regions
    )
    return (count / _BEFORE_S or None), window
