from __future__ import annotations

from dataclasses import replace

import pytest

from testbed.report.judgement import DataLoss
from testbed.report.loss import check_loss
from testbed.report.recorded import RecordedRun


def with_loss(run: RecordedRun, **changes: object) -> RecordedRun:
    assert run.judgement is not None
    assert run.judgement.loss is not None
    loss = replace(run.judgement.loss, **changes)  # type: ignore[arg-type]
    return replace(run, judgement=replace(run.judgement, loss=loss))


def test_the_lost_writes_fit_rate_times_time(broken: RecordedRun) -> None:
    check = check_loss(broken)
    assert check is not None
    assert check.expected == pytest.approx(50 * 3.65)
    assert check.fits is True
    assert f"{check.lost} were lost, which fits" in check.sentence
    assert "12 ms" in check.sentence


def test_a_loss_far_from_rate_times_time_is_told(broken: RecordedRun) -> None:
    check = check_loss(with_loss(broken, window_s=20.0))
    assert check is not None
    assert check.fits is False
    assert "does not fit" in check.sentence


def test_rate_and_window_are_counted_where_the_verdict_has_none(broken: RecordedRun) -> None:
    check = check_loss(with_loss(broken, rate_ops_s=None, window_s=None))
    assert check is not None
    # Clients of two regions lost writes: both rates count.
    assert check.rate_ops_s == pytest.approx(100, rel=0.05)
    assert check.window_s == pytest.approx(3.65, abs=0.05)


def test_nothing_is_compared_with_nothing(broken: RecordedRun, failed: RecordedRun) -> None:
    none = check_loss(with_loss(broken, lost=()))
    assert none is not None
    assert (none.lost, none.fits, none.sentence) == (0, None, "No write was lost.")
    assert check_loss(failed) is None
    assert check_loss(replace(broken, judgement=None)) is None


def test_a_loss_without_times_still_counts(broken: RecordedRun) -> None:
    assert broken.judgement is not None
    assert broken.judgement.loss is not None
    lost = tuple(replace(write, acknowledged_s=None) for write in broken.judgement.loss.lost)
    run = replace(broken, judgement=replace(broken.judgement, loss=DataLoss(lost)))
    check = check_loss(run)
    assert check is not None
    assert check.lost == len(lost)
    assert check.fits is None
