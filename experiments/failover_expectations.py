"""Who is expected to be served again when, while faults come and go under failover."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.bounds import bounds_of
from experiments.setting import Setting
from testbed.checkers.expectation import Expectation, after_heal, during
from testbed.history.fault_window import FaultWindow


def expectations(setting: Setting) -> Iterator[Expectation]:
    """Who is expected to be served again when: every region for every fault.

    A region that a fault cuts off from the primary or from the quorum is expected to be served
    once the fault is healed. While a fault holds every standby that may take over, nobody can be
    served: what is lost meanwhile may last that much longer.
    """
    run = setting.run
    bounds = bounds_of(run.deployment.topology)
    holding = tuple(one for one in run.windows if _holds_every_standby(setting, one))
    for window in run.windows:
        bound = bounds.rto(window.kind, run.deployment.variables, run.plan.load.timeout_ms)
        for other in holding:
            held_ms = ((other.healed_ns or setting.end_ns) - window.inject_ns) / 1e6
            if other is not window and other.inject_ns <= window.inject_ns and held_ms > 0:
                bound = bound.plus(f"until {other.title} is healed", held_ms)
        cut_off = frozenset(setting.regions if window in holding else _cut_off(setting, window))
        for region in setting.regions:
            if region not in cut_off:
                yield during(
                    window,
                    region,
                    bound_ms=bound.total_ms,
                    windows=run.windows,
                    end_ns=setting.end_ns,
                )
                continue
            if window in holding and _cut_off_still(setting, window, region):
                continue
            healed = after_heal(
                window,
                region,
                bound_ms=bound.total_ms,
                windows=run.windows,
                end_ns=setting.end_ns,
            )
            if healed is not None:
                yield healed


def _cut_off_still(setting: Setting, window: FaultWindow, region: str) -> bool:
    """Whether another fault cuts a region off when one is healed: its own heal is waited for."""
    healed_ns = window.healed_ns or setting.end_ns
    return any(
        region in _cut_off(setting, other)
        for other in setting.run.windows
        if other is not window
        and other.inject_ns <= healed_ns < (other.healed_ns or setting.end_ns)
    )


def _cut_off(setting: Setting, window: FaultWindow) -> Iterator[str]:
    """The regions that a fault leaves without a way to the primary."""
    resolved = window.resolved.split("->")
    if window.kind == "region-cut" or (
        window.kind == "dcs-leader-loss" and "region-cut" in window.title
    ):
        for name in resolved[:1]:
            yield from _minority(setting, setting.run.region_of.get(name, name))
    elif window.kind == "link-cut" and len(resolved) == 2:
        # Clients go straight to the primary: one end of a cut link has no way to it when it is
        # at the other end, though both ends reach the quorum by the third region.
        primaries = _acknowledging_regions(setting, window)
        for region, other in (resolved, resolved[::-1]):
            if other in primaries or not primaries:
                yield region


def _holds_every_standby(setting: Setting, window: FaultWindow) -> bool:
    """Whether a fault leaves no node that may confirm a commit or take over.

    Only where commits always wait for a standby, in regions that are stated.
    """
    run = setting.run
    variables = run.deployment.variables
    regions = variables.get("synchronous_regions") or setting.regions
    if variables.get("replication") != "synchronous_strict":
        return False
    if window.kind not in ("node-pause", "node-kill", "region-cut"):
        return False
    earlier = [
        pair
        for pair in run.history.of(setting.writes, "ok")
        if (pair.end_ns or 0) < window.inject_ns
    ]
    primary = max(earlier, key=lambda pair: pair.end_ns or 0).node if earlier else None
    able = {node for node in setting.nodes if run.region_of[node] in regions} - {primary}
    held = window.resolved
    return bool(able) and all(held in (node, run.region_of[node]) for node in able)


def _minority(setting: Setting, cut: str) -> Iterator[str]:
    """Of a region and all others, those without the majority of the store's servers."""
    topology = setting.run.deployment.topology
    inside = len(topology.members("consul", cut))
    alone = 2 * inside > len(topology.members("consul"))
    yield from (region for region in setting.regions if (region == cut) is not alone)


def _acknowledging_regions(setting: Setting, window: FaultWindow) -> set[str]:
    """The regions whose nodes acknowledged writes while a fault held."""
    until_ns = setting.end_ns if window.heal_ns is None else window.heal_ns
    return {
        setting.run.region_of.get(str(pair.node), "")
        for pair in setting.run.history.of(setting.writes, "ok")
        if window.inject_ns <= (pair.end_ns or 0) <= until_ns
    }


def lasting(expected: tuple[Expectation, ...]) -> Iterator[Expectation]:
    """The expectations that last longer than their bound: only those say that service stays."""
    for one in expected:
        if one.to_ns - one.from_ns > (one.bound_ms + 1000) * 1e6:
            yield one
