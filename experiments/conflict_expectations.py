"""Who is expected to be served while regions of a mesh are cut off, or lose a node."""

from __future__ import annotations

from collections.abc import Iterator

from experiments import bounds
from experiments.setting import Setting
from testbed.checkers.expectation import Expectation
from testbed.history.fault_window import FaultWindow
from testbed.runner.recorded import RecordedRun

LOCKED_NS = 6_000_000_000
"""A silent stream is given up after 5 s, with what it had begun; a write takes up to 1 s more."""

OF_A_NODE = frozenset({"node-kill", "node-pause", "process-kill", "process-pause", "switchover"})


def served(setting: Setting) -> Iterator[Expectation]:
    """Every region's writes, from the first fault on: they need no other region.

    One that loses a node of its own has its bound of a failover, where it has a standby. Without
    one it is promised nothing.
    """
    run = setting.run
    from_ns = min(window.inject_ns for window in run.windows)
    for region in sorted(set(setting.regions) - lost_whole(setting)):
        yield Expectation(
            region,
            "the first fault",
            from_ns,
            setting.end_ns,
            bound_ms=_outage_ms(setting, region, from_ns),
            locked_ns=tuple(_locked_ns(setting, region)),
        )


def _locked_ns(setting: Setting, region: str) -> Iterator[tuple[int, int]]:
    """When a row may be locked by a transaction that had arrived in part when its link was cut.

    Of each stream one: a transaction of the load writes one row. The subscriber applies what has
    arrived, and its lock stays until the rest arrives or the stream is given up.
    """
    for window in setting.run.windows:
        resolved = window.resolved
        span = window.inject_ns, window.inject_ns + LOCKED_NS
        if window.kind == "link-cut" and region in resolved.split("->"):
            yield span
        elif window.kind == "region-cut":
            others = len(setting.regions) - 1
            yield from [span] * (others if resolved == region else 1)


def lost_whole(setting: Setting) -> set[str]:
    """Regions that lost the only node that they have."""
    run = setting.run
    hit = [_region_hit(run, window) for window in run.windows]
    topology = run.deployment.topology
    return {one for one in hit if one is not None and len(topology.members("mesh", one)) == 1}


def _region_hit(run: RecordedRun, window: FaultWindow) -> str | None:
    """The region whose node a fault took; None for a fault that takes none."""
    if window.kind not in OF_A_NODE:
        return None
    return run.region_of.get(window.resolved_node)


def _outage_ms(setting: Setting, region: str, from_ns: int) -> float:
    """Until how long after a moment a region may lack service for what happens to its own nodes."""
    run = setting.run
    bounds_ms = [
        (window.inject_ns - from_ns) / 1e6
        + bounds.rto(window.kind, run.deployment.variables, run.plan.load.timeout_ms).total_ms
        for window in run.windows
        if _region_hit(run, window) == region
    ]
    return max(bounds_ms, default=0.0)
