"""What a run was judged to be, as metrics: from its ``verdict.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from testbed.metrics import catalogue as metrics
from testbed.metrics.board import Board
from testbed.report.judgement import Judgement
from testbed.report.reading import Problem
from testbed.report.verdict_file import parse_judgement


def show(board: Board, world: str, document: Mapping[str, Any]) -> None:
    """Set what a verdict says; what stood there of an earlier run is taken back.

    Args:
        board: Where the values stand.
        world: Where the run was.
        document: As in ``verdict.json``; what is wrong with it is left out.
    """
    problems: list[Problem] = []
    judgement = parse_judgement(document, problems)
    forget(board, world)
    board.count(metrics.RUNS, world, judgement.outcome.value)
    for promise in judgement.promises:
        board.set(metrics.VERDICT, world, promise.name, promise.outcome.value, value=1)
    for recovery in judgement.recoveries:
        place = (world, recovery.region, recovery.fault)
        board.set_known(metrics.RTO, *place, value=recovery.rto_s)
        board.set_known(metrics.RTO_BOUND, *place, value=recovery.bound_s)
    for region, share in judgement.availability.items():
        board.set(metrics.AVAILABILITY, world, region, value=share)
    _loss(board, world, judgement)


def forget(board: Board, world: str) -> None:
    """Take back what an earlier run of the world was judged to be."""
    for metric in (
        metrics.RTO,
        metrics.RTO_BOUND,
        metrics.LOST,
        metrics.RPO,
        metrics.AVAILABILITY,
        metrics.VERDICT,
    ):
        board.forget(metric, world)


def _loss(board: Board, world: str, judgement: Judgement) -> None:
    if judgement.loss is None:
        return
    lost = judgement.loss.lost
    moments = [one.acknowledged_s for one in lost if one.acknowledged_s is not None]
    span_s = max(moments, default=0.0) - min(moments, default=0.0)
    board.set(metrics.LOST, world, value=len(lost))
    board.set(metrics.RPO, world, value=span_s)
