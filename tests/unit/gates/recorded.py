"""Recorded runs for the tests of gates, as `verdict.json` would have them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from testbed.report.judgement import (
    FaultRecord,
    Judgement,
    LinkLag,
    Outcome,
    Promise,
    Recovery,
    ReplicationLag,
)
from testbed.report.recorded import RecordedRun
from testbed.runner.plan import Load, Plan, Step


def promise(name: str, outcome: Outcome = Outcome.VALID, **numbers: float) -> Promise:
    return Promise(name, name, outcome, "", (), numbers)


def link(low: float, high: float, *, count: float = 500, unseen: float = 0) -> LinkLag:
    """The lag of a link: where its 99th percentile lies, in ms."""
    quantiles = (None, None, (low, high), None)
    return LinkLag("clients", "a->b", "a1", "b1", 13.0, count, unseen, quantiles)


def made(
    number: int,
    *promises: Promise,
    outcome: Outcome = Outcome.VALID,
    lag: tuple[LinkLag, ...] | None = None,
    rto_s: float | None = math.nan,
    served: float | None = None,
    writes: float | None = None,
    bit: bool = True,
) -> RecordedRun:
    """A run with these promises; what is not given is not measured."""
    plan = Plan(
        deployment="active-passive",
        load=Load("set"),
        schedule=(Step("region-cut", "eu", float(number), 5.0),),
        seed=0,
        duration_s=30.0,
    )
    recoveries = () if rto_s is not None and math.isnan(rto_s) else (rto_s,)
    judgement = Judgement(
        outcome,
        promises=promises,
        lag=None if lag is None else ReplicationLag(links=lag),
        recoveries=tuple(Recovery("eu", "cut", 1.0, 2.0, one) for one in recoveries),
        acknowledged_writes=writes,
        availability={} if served is None else {"eu": 1.0, "us": served},
        schedule=(FaultRecord("region-cut", "eu", effect_s=1.0 if bit else None),),
    )
    blank: dict[str, Any] = dict.fromkeys(RecordedRun.__dataclass_fields__, ())
    return RecordedRun(
        **blank | {"folder": Path(f"run{number}"), "plan": plan, "judgement": judgement}
    )
