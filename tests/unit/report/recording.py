"""Run folders as the runner leaves them, made from a few figures instead of a cluster.

The figures of the region cut are those that were measured: the primary's region cut at 10 s, its
primary goes on acknowledging for 3.65 s, another region's takes over 9.1 s after the cut.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import orjson

REGIONS = {"eu-west": "EU", "eu-central": "EU", "us-east": "US"}
ONE_WAY_MS = {
    ("eu-west", "eu-central"): 12.0,
    ("eu-west", "us-east"): 38.0,
    ("eu-central", "us-east"): 45.0,
}
NS = 1_000_000_000


def one_way_ms(source: str, target: str) -> float:
    """The asked delay of a link; a short one within a region."""
    if source == target:
        return 0.1
    return ONE_WAY_MS.get((source, target)) or ONE_WAY_MS.get((target, source), 20.0)


@dataclass(frozen=True)
class Story:
    """What happened in the run that is made up."""

    seed: int = 7
    rate_ops_s: float = 50.0
    duration_s: float = 60.0
    cut_s: float | None = 10.0
    heal_s: float = 40.0
    local_acks_s: float = 3.65
    rto_s: float = 9.1
    regions: tuple[str, ...] = tuple(REGIONS)
    reads: float = 0.0
    variables: dict[str, Any] = field(default_factory=lambda: {"replication": "asynchronous"})

    @property
    def old(self) -> str:
        """The primary before the cut."""
        return f"{self.regions[0]}-db1"

    @property
    def new(self) -> str:
        """The primary after it."""
        return f"{self.regions[1]}-db1"


class Completion(NamedTuple):
    """What becomes of an operation, and when."""

    f: str
    type: str
    took_s: float
    node: str = ""
    error: str = ""


class Recording:
    """Writes the files of one story; each can be changed before it is written."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.random = random.Random(story.seed)
        self.history: list[dict[str, Any]] = []
        self.processes: dict[int, str] = {}
        self.lost: list[dict[str, Any]] = []
        self.evidence: list[dict[str, Any]] = []
        self.roles: list[dict[str, Any]] = []
        self._operation("schema", 0.1, 0.2, story.regions[0], story.old)
        self._load()
        for region in story.regions:
            self._operation("read", story.duration_s + 1.9, 0.1, region, f"{region}-db1")
        if story.cut_s is not None:
            self._fault(story.cut_s)
        self._role_samples()
        self.history.sort(key=lambda line: line["time"])
        self.plan = self._plan()
        self.verdict = self._verdict()

    def write(self, folder: Path) -> Path:
        """Writes the run folder and returns it."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, document in (("plan.json", self.plan), ("verdict.json", self.verdict)):
            (folder / name).write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        for name, lines in (
            ("history.jsonl", self.history),
            ("evidence.jsonl", self.evidence),
            ("roles.jsonl", self.roles),
        ):
            text = b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)
            (folder / name).write_bytes(text)
        return folder

    # The load: what each client sent and got.

    def _load(self) -> None:
        story = self.story
        value, process = 0, 0
        for region in story.regions:
            clients = {slot: (process := process + 1) for slot in range(64)}
            free = [(0.0, slot) for slot in clients]
            for number in range(int(story.rate_ops_s * story.duration_s)):
                value += 1
                due = 0.5 + number / story.rate_ops_s + self.random.uniform(0, 0.004)
                free_s, slot = heapq.heappop(free)
                sent = max(due, free_s)
                completion = self._completion(region, sent)
                self._record(region, clients[slot], value, due, sent, completion)
                heapq.heappush(free, (sent + completion.took_s, slot))
                if completion.type == "info":
                    clients[slot] = process = process + 1

    def _operation(self, f: str, sent: float, took_s: float, region: str, node: str) -> None:
        """Something of the testbed's own, outside of the load, that is answered."""
        process = 10_000 + len(self.history)
        lines = ({"type": "invoke", "region": region}, {"type": "ok", "node": node})
        for line, at_s in zip(lines, (sent, sent + took_s), strict=True):
            self.history.append({"time": round(at_s * NS), "process": process, "f": f, **line})

    def _record(
        self, region: str, process: int, value: int, due: float, sent: float, end: Completion
    ) -> None:
        """Writes both lines of an operation, and notes whether its write is lost."""
        invoked: dict[str, Any] = {
            "time": round(sent * NS),
            "process": process,
            "type": "invoke",
            "f": end.f,
        }
        if process not in self.processes:
            self.processes[process] = invoked["region"] = region
        if end.f == "add":
            invoked["value"] = value
        if sent > due + 0.001:
            invoked["due"] = round(due * NS)
        done_s = sent + end.took_s
        done = {"time": round(done_s * NS), "process": process, "type": end.type, "f": end.f}
        done |= {"node": end.node} if end.node else {}
        done |= {"error": end.error} if end.error else {}
        self.history += [invoked, done]
        if end.f == "add" and end.type == "ok" and self._is_lost(end.node, done_s):
            self.lost.append(
                {
                    "value": value,
                    "acknowledged_s": round(done_s, 4),
                    "region": region,
                    "node": end.node,
                    "process": str(process),
                }
            )

    def _is_lost(self, node: str, acknowledged_s: float) -> bool:
        story = self.story
        cut = story.cut_s
        asynchronous = story.variables.get("replication") == "asynchronous"
        return (
            asynchronous
            and cut is not None
            and node == story.old
            and cut - 0.012 < acknowledged_s < cut + story.local_acks_s
        )

    def _completion(self, region: str, at_s: float) -> Completion:
        """What an operation that is sent at a moment gets; reads are served by the own replica."""
        if self.random.random() < self.story.reads:
            return Completion("count", "ok", 0.002, f"{region}-db1")
        story, cut = self.story, self.story.cut_s
        old, new = story.regions[0], story.regions[1]
        if cut is None or at_s < cut - 0.05:
            return Completion("add", "ok", self._latency_s(region, old), story.old)
        home = region == old
        back_s = story.heal_s + 1.2 if home else cut + story.rto_s + 0.15 * (region != new)
        if at_s >= back_s:
            return Completion("add", "ok", self._latency_s(region, new), story.new)
        if home and at_s < cut + story.local_acks_s:
            return Completion("add", "ok", self._latency_s(region, region), story.old)
        if self.random.random() < (0.3 if home else 0.75):
            return Completion("add", "info", 1.0, error="timed out after 1000 ms")
        return Completion("add", "fail", 0.02, error="no primary: connection refused by the proxy")

    def _latency_s(self, region: str, primary: str) -> float:
        rtt_ms = 2 * one_way_ms(region, primary)
        return (rtt_ms + self.random.lognormvariate(1.2, 0.5)) / 1000

    # What the probes and the faults said.

    def _fault(self, cut: float) -> None:
        story = self.story
        title = "region-cut region-of:primary"
        steps = [
            ("inject", cut),
            ("injected", cut + 0.1),
            ("effect", cut + 0.42),
            ("heal", story.heal_s),
            ("healed", story.heal_s + 0.1),
            ("absence", story.heal_s + 0.61),
        ]
        for phase, time_s in steps:
            value: dict[str, Any] = {"step": 0, "phase": phase, "title": title}
            if phase == "injected":
                value["resolved"] = story.regions[0]
            if phase in {"effect", "absence"}:
                value["shown"] = True
            self.history.append(
                {
                    "time": round(time_s * NS),
                    "process": "faults",
                    "type": "info",
                    "f": "region-cut",
                    "value": value,
                }
            )
        pairs = [f"{story.regions[0]}->{other}" for other in story.regions[1:]]
        seen = (
            f"no byte passed {' or '.join(pairs)} for 0.40 s; 212 packets dropped, both directions",
            "bytes pass again on all 4 directed links, 38.4 ms at most",
        )
        for phase, time_s, observation in (
            ("effect", cut + 0.42, seen[0]),
            ("absence", story.heal_s + 0.61, seen[1]),
        ):
            self.evidence.append(
                {
                    "fault": title,
                    "phase": phase,
                    "shown": True,
                    "observation": observation,
                    "readings": {pair: {"dropped_packets": 106, "silent_ms": 402} for pair in pairs}
                    if phase == "effect"
                    else {pair: {"delay_ms": 38.4} for pair in pairs},
                    "time": round(time_s * NS),
                }
            )

    def _role_samples(self) -> None:
        """A line whenever a node says something else than before."""
        story = self.story
        last: dict[str, dict[str, Any]] = {}
        for half_second in range(int(story.duration_s * 2) + 4):
            for region in story.regions:
                node = f"{region}-db1"
                role, term = self._role(node, half_second / 2)
                said = {"node": node, "role": role, "state": "running", "term": term}
                if last.get(node) != said:
                    last[node] = said
                    self.roles.append({"time": half_second * NS // 2, **said})

    def _role(self, node: str, at_s: float) -> tuple[str, int | None]:
        story, cut = self.story, self.story.cut_s
        if cut is None or at_s < cut + 3.6:
            return ("primary" if node == story.old else "replica"), 1
        if node == story.old:
            if at_s < story.heal_s + 1.0:
                return "replica", 1
            return ("silent", None) if at_s < story.heal_s + 9.0 else ("replica", 2)
        if at_s >= cut + story.rto_s - 0.2:
            return ("primary" if node == story.new else "replica"), 2
        return "replica", 1

    # The plan and the verdict.

    def _plan(self) -> dict[str, Any]:
        story = self.story
        steps = []
        if story.cut_s is not None:
            steps.append(
                {
                    "kind": "region-cut",
                    "target": "region-of:primary",
                    "at_s": story.cut_s,
                    "duration_s": story.heal_s - story.cut_s,
                    "parameters": {},
                }
            )
        return {
            "version": 1,
            "deployment": "active-passive",
            "variables": story.variables,
            "load": {
                "workload": "set",
                "rate_ops_s": story.rate_ops_s,
                "processes": 64,
                "timeout_ms": 1000,
                "parameters": {},
            },
            "schedule": steps,
            "seed": 20240817,
            "duration_s": story.duration_s,
        }

    def _verdict(self) -> dict[str, Any]:
        story = self.story
        lost = len(self.lost)
        return {
            "version": 1,
            "experiment": "failover",
            "example": 3,
            "started": "2025-03-01T12:00:00Z",
            "validity": "violation" if lost else "valid",
            "reasons": [],
            "verdicts": self._promises(lost),
            "measures": {
                "rto": self._recoveries(),
                "rpo": {
                    "lost": self.lost,
                    "acknowledged": sum(line["type"] == "ok" for line in self.history),
                    "rate_ops_s": story.rate_ops_s * (1 - story.reads),
                    "window_s": story.local_acks_s,
                    "delay_ms": 12.0,
                },
                "availability": self._availability(),
            },
            "schedule": self._schedule(),
            "links": self._links(),
            "regions": [
                {"name": name, "jurisdiction": REGIONS.get(name, "")} for name in story.regions
            ],
            "nodes": {f"{name}-db1": name for name in story.regions},
            "environment": {
                "testbed": "0.1.0",
                "programs": {
                    "postgres": "18.6",
                    "patroni": "4.1.5",
                    "consul": "1.14.11",
                    "haproxy": "2.8.25",
                    "toxiproxy": "2.12.0",
                },
                "kernel": "6.1.0",
                "cpus": 2,
                "memory_bytes": 25_769_803_776,
                "pressure": {"lateness_ms_p99": 14.2, "waited_share": 0.031},
            },
        }

    def _promises(self, lost: int) -> list[dict[str, Any]]:
        durability = {
            "name": "durability",
            "promise": "No acknowledged write is lost",
            "validity": "violation" if lost else "valid",
            "reason": f"{lost} acknowledged adds are in no final read"
            if lost
            else "all acknowledged adds are in the final reads of all 3 nodes",
            "counterexample": self._counterexample(),
            "numbers": {"acknowledged": 5521.0, "lost": float(lost), "rate_ops_s": 50.0},
        }
        rest = [
            (
                "single-primary",
                "At most one node acknowledges writes at a time",
                "no overlap; gap 5.4 s",
            ),
            (
                "recovery-time",
                "Writes are back within 30 s of a region cut",
                "9.1 s and 9.2 s in the regions that can reach a quorum",
            ),
            (
                "quorum-service",
                "A region that reaches a quorum is served",
                "eu-central and us-east were served from 19.1 s on",
            ),
            (
                "rejoin",
                "Everything streams again within 60 s of healing",
                "streaming 9.0 s after the heal",
            ),
            (
                "monotonic-reads",
                "Replica reads never run backwards within one connection",
                "412 reads on 24 connections",
            ),
        ]
        return [durability] + [
            {"name": name, "promise": promise, "validity": "valid", "reason": reason, "numbers": {}}
            for name, promise, reason in rest
        ]  # fmt: skip

    def _counterexample(self) -> list[Any]:
        """The first lost writes, as the checker of durability shows them."""
        return [
            {
                "kind": "lost",
                "process": int(write["process"]),
                "region": write["region"],
                "node": write["node"],
                "f": "add",
                "value": write["value"],
                "outcome": "ok",
                "start_ns": round((write["acknowledged_s"] - 0.003) * NS),
                "end_ns": round(write["acknowledged_s"] * NS),
                "missing_at": [f"{region}-db1" for region in self.story.regions],
            }
            for write in self.lost[:3]
        ]

    def _recoveries(self) -> list[dict[str, Any]]:
        story = self.story
        if story.cut_s is None:
            return []
        title = "region-cut region-of:primary"
        home = story.regions[0]
        found = [
            {
                "region": home,
                "fault": title,
                "from_s": story.cut_s + story.local_acks_s,
                "until_s": story.heal_s + 1.2,
                "rto_s": round(story.heal_s + 1.2 - story.cut_s - story.local_acks_s, 2),
                "bound_s": None,
            }
        ]
        for region in story.regions[1:]:
            rto = story.rto_s + 0.15 * (region != story.regions[1])
            found.append(
                {
                    "region": region,
                    "fault": title,
                    "from_s": story.cut_s,
                    "until_s": story.cut_s + rto,
                    "rto_s": round(rto, 2),
                    "bound_s": 30.0,
                }
            )
        return found

    def _availability(self) -> dict[str, float]:
        asked: dict[str, int] = {}
        got: dict[str, int] = {}
        for line in self.history:
            region = self.processes.get(line["process"])
            if region and line["type"] == "invoke":
                asked[region] = asked.get(region, 0) + 1
            elif region and line["type"] == "ok":
                got[region] = got.get(region, 0) + 1
        return {region: got.get(region, 0) / count for region, count in asked.items()}

    def _schedule(self) -> list[dict[str, Any]]:
        story = self.story
        if story.cut_s is None:
            return []
        return [
            {
                "kind": "region-cut",
                "target": "region-of:primary",
                "resolved": story.regions[0],
                "duration_s": story.heal_s - story.cut_s,
                "inject_s": story.cut_s,
                "effect_s": story.cut_s + 0.42,
                "heal_s": story.heal_s,
                "absence_s": story.heal_s + 0.61,
            }
        ]

    def _links(self) -> list[dict[str, Any]]:
        pairs = [(a, b) for a in self.story.regions for b in self.story.regions if a != b]
        return [
            {
                "link": f"{a}->{b}",
                "asked_ms": one_way_ms(a, b),
                "measured_ms_p50": round(one_way_ms(a, b) + 0.31, 2),
                "measured_ms_p99": round(one_way_ms(a, b) + 1.9, 2),
                "readings": 1180,
            }
            for a, b in pairs
        ]


def region_cut(folder: Path, **changes: Any) -> Path:
    """A run folder of the region cut, with figures of the story changed."""
    return Recording(replace(Story(), **changes)).write(folder)


def link_lag(measurement: str, source: str, target: str, floor_ms: float) -> dict[str, Any]:
    """Lag of a link for a minute, three milliseconds over its floor, and much more for a while."""
    quantiles = {
        name: [floor_ms + 0.1 + more, floor_ms + 3 + more]
        for name, more in (("p50_ms", 0), ("p95_ms", 5), ("p99_ms", 50), ("max_ms", 4300))
    }
    late = [4300.0 if 20 <= second < 25 else 0.0 for second in range(60)]
    series = [
        [second, floor_ms + 3 + more / 10, floor_ms + 8 + more / 4, floor_ms + 53 + more / 2,
         floor_ms + 60 + more]
        for second, more in enumerate(late)
    ]  # fmt: skip
    return {
        "measurement": measurement,
        "link": f"{source}->{target}",
        "origin": f"{source}-db1",
        "seen_at": f"{target}-db1",
        "floor_ms": floor_ms,
        "count": 600,
        "unseen": 0,
        **quantiles,
        "series": series,
    }
