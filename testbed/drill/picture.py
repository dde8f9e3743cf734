"""The picture of a moment: what a terminal shows, cut down to what its role may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from testbed.clients.system import data_nodes
from testbed.drill.book import Book, Entry
from testbed.drill.channel import Person
from testbed.drill.drill import Drill
from testbed.drill.preflight import ITEMS
from testbed.drill.readings import Clients
from testbed.drill.stop_watch import StopWatch
from testbed.drill.timeline import DrillTimeline, Line
from testbed.probes.snapshot import DataNode, LinkStatus, Snapshot
from testbed.topology.model import Topology

LOG_LINES = 60


def picture(
    *,
    drill: Drill,
    topology: Topology,
    world: str,
    phase: str,
    now_ns: int,
    clients: Sequence[Clients],
    signals: Mapping[str, float | None],
    unsteady: Sequence[str],
    snapshot: Snapshot | None,
    timeline: DrillTimeline | None,
    stops: Sequence[StopWatch],
    book: Book,
    people: Sequence[Person],
) -> dict[str, Any]:
    """Everything, as plain JSON; ``seen_by`` cuts it down."""
    return {
        "title": drill.title,
        "briefing": drill.briefing,
        "objective": drill.objective.says,
        "world": world,
        "phase": phase,
        "held": timeline.held if timeline is not None else False,
        "time_s": round(now_ns / 1e9, 1),
        "elapsed_s": round(timeline.elapsed_s, 1) if timeline is not None else 0.0,
        "regions": _regions(topology, clients, snapshot),
        "links": [_link(one) for one in snapshot.links] if snapshot is not None else [],
        "problems": list(snapshot.problems) if snapshot is not None else [],
        "signals": dict(signals),
        "unsteady": list(unsteady),
        "injects": [_inject(line, timeline, now_ns) for line in timeline.lines] if timeline else [],
        "stops": [
            {
                "name": one.condition.name,
                "must_hold": str(one.condition.bound),
                "value": one.value,
                "broken_s": round(one.broken_s(now_ns / 1e9), 1),
                "for_s": one.condition.for_s,
            }
            for one in stops
        ],
        "preflight": _preflight(book.entries),
        "log": [_logged(one) for one in book.entries if one.kind != "preflight"][-LOG_LINES:],
        "people": [{"name": one.name, "role": one.role} for one in people],
    }


def seen_by(person: Person, whole: Mapping[str, Any]) -> dict[str, Any]:
    """What a role may see of a picture.

    A responder sees what an operator of a production system sees: nodes, clients, how long links
    take and how long they have been silent; not what was done to them, nor what is planned.
    """
    shown = {**whole, "role": person.role, "you": person.name}
    if person.role != "responder":
        return shown
    hidden = ("injects", "stops", "preflight", "objective")
    shown |= {name: [] if isinstance(whole[name], list) else "" for name in hidden}
    shown["title"] = "Game day"
    shown["links"] = [{**one, "cut": False, "toxics": []} for one in whole["links"]]
    shown["problems"] = [one for one in whole["problems"] if " -> " not in one]
    shown["log"] = [one for one in whole["log"] if not one["secret"]]
    return shown


def _regions(
    topology: Topology, clients: Sequence[Clients], snapshot: Snapshot | None
) -> list[dict[str, Any]]:
    data = {node.node: node for node in snapshot.data_nodes} if snapshot is not None else {}
    served = {one.region: one for one in clients}
    found = []
    for region in topology.regions:
        mine = served.get(region.name)
        found.append(
            {
                "name": region.name,
                "jurisdiction": region.jurisdiction,
                "ok_ops_s": round(mine.ok_ops_s, 1) if mine else None,
                "bad_ops_s": round(mine.bad_ops_s, 1) if mine else None,
                "success_ratio": mine.success_ratio if mine else None,
                "latency_ms_p99": mine.latency_ms_p99 if mine else None,
                "nodes": [
                    _node(node.name, data.get(node.name))
                    for node in data_nodes(topology)
                    if node.region == region.name
                ],
            }
        )
    return found


def _node(name: str, node: DataNode | None) -> dict[str, Any]:
    return {"name": name, "role": "unknown"} if node is None else {"name": name, **asdict(node)}


def _link(link: LinkStatus) -> dict[str, Any]:
    return asdict(link)


def _inject(line: Line, timeline: DrillTimeline, now_ns: int) -> dict[str, Any]:
    step = line.inject.step
    left_s: float | None = None
    if line.holds and line.began_ns is not None and step.duration_s is not None:
        left_s = round(max(0.0, step.duration_s - (now_ns - line.began_ns) / 1e9), 1)
    return {
        "name": line.inject.name,
        "fault": f"{step.kind} {line.resolved or step.target}",
        "at_s": step.at_s,
        "for_s": step.duration_s,
        "in_s": round(max(0.0, step.at_s - timeline.elapsed_s), 1),
        "left_s": left_s,
        "state": line.state,
        "hidden": line.inject.hidden,
        "shown": line.effect.shown if line.effect is not None else None,
        "observation": line.effect.observation if line.effect is not None else "",
        "problem": line.problem,
    }


def _preflight(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    checked = {one.what: one for one in entries if one.kind == "preflight"}
    return [
        {
            "name": name,
            "good": checked[name].good if name in checked else None,
            "text": checked[name].text if name in checked else "",
        }
        for name in ITEMS
    ]


def _logged(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry), "time_s": round(entry.time_ns / 1e9, 1)}
