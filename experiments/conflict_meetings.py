"""Where writes of several regions met: which rows they shared, and which lost one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from experiments.setting import Setting
from testbed.checkers import final_counter, final_set
from testbed.history.fault_window import FaultWindow


def shared(setting: Setting) -> set[Any]:
    """Rows that may have been written in several regions."""
    regions: dict[Any, set[str]] = defaultdict(set)
    for pair in setting.run.history.of(setting.writes):
        if pair.outcome != "fail":
            # Where it went is not known of one that nobody answered.
            regions[pair.invocation.key].add(pair.done_in(setting.run.region_of))
    return {key for key, wrote in regions.items() if len(wrote) > 1}


def met(setting: Setting, writes: frozenset[str]) -> set[Any]:
    """Rows that these functions were done to in several regions while a fault held."""
    # A home region is what keeps two regions from one row: there the try counts.
    owned = setting.run.deployment.variables.get("conflict_resolution") == "home_region"
    found: set[Any] = set()
    for window in setting.run.windows:
        wrote = _wrote(setting, window, writes, tried=owned)
        found |= {key for key, regions in wrote.items() if len(regions) > 1}
    return found


def rows_that_lost(setting: Setting) -> float:
    """How many rows surely lost an acknowledged write, whether the strategy may lose it or not.

    Of writes of an item on both sides of a cut all but one are lost; counters and sets are counted
    in the end.
    """
    history, nodes = setting.run.history, setting.nodes
    workload = setting.run.plan.load.workload
    if workload == "counters":
        return final_counter.check(history, nodes, reads=("total",)).numbers["rows_that_lost"]
    if workload == "elements":
        return final_set.check(history, nodes).numbers["rows_that_lost"]
    lost: set[Any] = set()
    for window in setting.run.windows:
        wrote = _wrote(setting, window, setting.writes, tried=False)
        for one, other in _apart(setting, window):
            lost |= {key for key, regions in wrote.items() if {one, other} <= regions}
    return float(len(lost))


def _wrote(
    setting: Setting, window: FaultWindow, writes: frozenset[str], *, tried: bool
) -> dict[Any, set[str]]:
    """By row, the regions that acknowledged writes of it while a fault held, or tried to."""
    until_ns = window.heal_ns or setting.end_ns
    found: dict[Any, set[str]] = defaultdict(set)
    for pair in setting.run.history.of(writes):
        held = window.bitten_ns <= pair.start_ns and (pair.end_ns or until_ns + 1) <= until_ns
        if (tried and window.bitten_ns <= pair.start_ns <= until_ns) or (
            held and pair.outcome == "ok"
        ):
            found[pair.invocation.key].add(pair.done_in(setting.run.region_of))
    return found


def _apart(setting: Setting, window: FaultWindow) -> Iterator[tuple[str, str]]:
    """The pairs of regions that a fault let hear nothing of each other, either way."""
    resolved = window.resolved
    if window.kind == "region-cut":
        yield from ((resolved, other) for other in setting.regions if other != resolved)
    elif window.kind == "link-cut":
        step = setting.run.plan.schedule[int(window.details["step"])]
        one, _, other = resolved.partition("->")
        if step.parameters.get("direction") == "both":
            yield one, other
