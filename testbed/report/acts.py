"""Operations and transactions of a counterexample, as checkers show them in plain JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.report.visible import compact

ACTS_MAX = 60
"""So many operations of one contradiction are drawn."""

_OUTCOMES = {
    "ok": "acknowledged",
    "info": "of unknown outcome",
    "fail": "refused",
}


@dataclass(frozen=True, slots=True)
class Act:
    """An operation of a counterexample.

    Args:
        process: The client.
        region: Its region, or empty.
        node: Who answered, or empty.
        call: What was asked, and what a read showed.
        outcome: ``ok``, ``fail``, ``info``, or empty.
        start_s: When it was sent.
        end_s: When it was answered; None where it never was.
        part: Its part in the contradiction, or its name in a circle, or empty.
        telling: Whether the contradiction is about it, rather than what led there.
    """

    process: str
    region: str
    node: str
    call: str
    outcome: str
    start_s: float
    end_s: float | None
    part: str = ""
    telling: bool = True

    @property
    def sentence(self) -> str:
        """Who did what when, and who answered."""
        where = f" in {self.region}" if self.region else ""
        by = f" by {self.node}" if self.node else ""
        until = f" to {self.end_s:.3f} s" if self.end_s is not None else " on"
        outcome = _OUTCOMES.get(self.outcome, self.outcome)
        part = f"{self.part}: " if self.part else ""
        told = f", {outcome}{by}" if outcome else by
        return (
            f"{part}process {self.process}{where}: {self.call}{told}, {self.start_s:.3f} s{until}"
        )


@dataclass(frozen=True, slots=True)
class Edge:
    """One transaction must come before another: both by their place in the acts, and why."""

    source: int
    target: int
    kind: str


def act_of(item: Any) -> Act | None:
    """An operation as checkers show it; None for anything else."""
    if not isinstance(item, Mapping) or "f" not in item:
        return None
    start_s, end_s = seconds_of(item.get("start_ns")), seconds_of(item.get("end_ns"))
    if start_s is None:
        return None
    call = " ".join(
        compact(item[name], 60) for name in ("f", "key", "value") if item.get(name) is not None
    )
    return Act(
        process=compact(item.get("process", "?"), 20),
        region=compact(item.get("region") or "", 60),
        node=compact(item.get("node") or "", 60),
        call=call,
        outcome=compact(item.get("outcome") or "", 20),
        start_s=start_s,
        end_s=None if end_s is None else max(end_s, start_s),
    )


def seconds_of(time_ns: Any) -> float | None:
    """A time of a history in seconds; None for what is none."""
    if not isinstance(time_ns, int | float) or isinstance(time_ns, bool):
        return None
    return time_ns / 1e9 if math.isfinite(time_ns) and abs(time_ns) < 1e18 else None


def circle_of(item: Mapping[str, Any]) -> tuple[tuple[Act, ...], tuple[Edge, ...]]:
    """Transactions and what must come before what; nothing where it is no circle."""
    operations, edges = item.get("operations"), item.get("edges")
    if not isinstance(operations, list) or not isinstance(edges, list):
        return (), ()
    acts = [act for one in operations if (act := _transaction(one)) is not None]
    acts.sort(key=lambda act: act.start_s)
    places = {act.part: place for place, act in enumerate(acts)}
    found = [
        Edge(places[edge["from"]], places[edge["to"]], compact(edge.get("kind", ""), 20))
        for edge in edges
        if isinstance(edge, Mapping)
        and all(isinstance(edge.get(end), str) and edge[end] in places for end in ("from", "to"))
    ]
    return (tuple(acts[:ACTS_MAX]), tuple(found)) if found and len(acts) <= ACTS_MAX else ((), ())


def _transaction(item: Any) -> Act | None:
    """A transaction of a circle: its name, and its place in the history as its time."""
    if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
        return None
    start, end = _place(item.get("start")), _place(item.get("end"))
    if start is None:
        return None
    return Act(
        process=compact(item.get("process", "?"), 20),
        region="",
        node="",
        call=compact(item["name"], 20),
        outcome=compact(item.get("outcome") or "", 20),
        start_s=start,
        end_s=None if end is None else max(end, start),
        part=item["name"],
    )


def _place(value: Any) -> float | None:
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return float(value) if known else None
