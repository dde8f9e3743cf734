"""What is measured of a run, beside what it is judged by: numbers for ``verdict.json``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from experiments import lag_measuring
from experiments.failover_expectations import expectations
from experiments.setting import Setting
from testbed.clients.catalogue import writes_everywhere
from testbed.measures.final_state import final_state
from testbed.measures.latency import percentile
from testbed.measures.load import load
from testbed.measures.rpo import loss_estimate
from testbed.measures.staleness import staleness as staleness_of
from testbed.runner.recorded import RecordedRun

Measure = Callable[[Setting], dict[str, Any]]
"""A recorded run to named parts of ``measures`` in its verdict."""


def seconds_of(time_ns: int | None) -> float | None:
    """A time of a history as ``verdict.json`` has it."""
    return None if time_ns is None else round(time_ns / 1e9, 6)


def recoveries(setting: Setting) -> dict[str, Any]:
    """The time without service in each region after each fault."""
    run = setting.run
    # Where every region takes writes of its own, none waits for a failover.
    expected = () if writes_everywhere(run.deployment.topology) else expectations(setting)
    found = []
    for one in expected:
        outage = one.outage(run.history, setting.writes)
        found.append(
            {
                "region": one.region,
                "fault": one.cause,
                "from_s": seconds_of(outage.start_ns),
                "until_s": seconds_of(outage.first_ack_ns),
                "rto_s": round(outage.rto_ms / 1e3, 3) if outage.recovered else None,
                "bound_s": round(one.bound_ms / 1e3, 3),
            }
        )
    return {"rto": found}


def availability(setting: Setting) -> dict[str, Any]:
    """The share of what was due that was answered, by region."""
    found = {}
    for region in setting.regions:
        served = load(
            setting.run.history,
            setting.functions,
            from_ns=0,
            to_ns=setting.end_ns + 1,
            region=region,
        )
        if served.availability is not None:
            found[region] = round(served.availability, 4)
    return {"availability": found}


def written(setting: Setting) -> dict[str, Any]:
    """How many writes of the load were acknowledged, wherever."""
    acknowledged = sum(1 for _ in setting.run.history.of(setting.writes, "ok"))
    return {"load": {"acknowledged_writes": acknowledged}}


def losses(setting: Setting) -> dict[str, Any]:
    """The lost writes of a set, and the figures to check their number with."""
    run = setting.run
    if run.plan.load.workload != "set":
        return {}
    state = final_state(run.history, setting.nodes)
    lost = state.lost()
    document: dict[str, Any] = {
        "acknowledged": sum(add.outcome == "ok" for add in state.adds),
        "lost": [
            {
                "value": missing.add.invocation.value,
                "key": None,
                "acknowledged_s": seconds_of(missing.add.end_ns),
                "region": missing.add.region,
                "node": missing.add.node,
                "process": missing.add.invocation.process,
            }
            for missing in lost
        ],
    }
    delay_ms = max(link.delay_ms for link in run.deployment.topology.links)
    for window in run.windows:
        found = loss_estimate(run.history, lost, window, delay_ms=delay_ms)
        if lost and found is not None and found.lost_writes:
            document |= {
                "rate_ops_s": found.rate_after_ops_s,
                "window_s": found.acknowledging_ms / 1e3,
                "delay_ms": _nearest_ms(run, found.node),
            }
    return {"rpo": document}


def _nearest_ms(run: RecordedRun, node: str) -> float:
    """The delay from a node's region to the nearest other one: what was surely under way."""
    region = run.region_of.get(node, "")
    topology = run.deployment.topology
    return min((link.delay_ms for link in topology.links if link.source == region), default=0.0)


def lag(setting: Setting) -> dict[str, Any]:
    """Replication lag by measurement and link."""
    return {"lag": lag_measuring.document(setting.lag)}


def staleness(setting: Setting) -> dict[str, Any]:
    """How old the answers of reads surely were, by the node that answered."""
    ages: defaultdict[str, list[float]] = defaultdict(list)
    for one in staleness_of(setting.run.history, ("read",)):
        ages[str(one.read.node)].append(one.staleness_ms)
    return {
        "staleness": [
            {
                "node": node,
                "reads": len(found),
                "stale": sum(age > 0 for age in found),
                "p50_ms": round(percentile(found, 50), 3),
                "p99_ms": round(percentile(found, 99), 3),
                "max_ms": round(found[-1], 3),
            }
            for node, found in ((node, sorted(found)) for node, found in sorted(ages.items()))
        ]
    }


MEASURES: Mapping[str, tuple[Measure, ...]] = MappingProxyType(
    {
        "failover": (recoveries, availability, written, losses),
        "conflict_resolution": (recoveries, availability, written, losses),
        "replication_lag": (availability, written, lag, staleness),
        "data_placement": (availability, written),
    }
)
"""Experiment -> what is measured of its runs."""
