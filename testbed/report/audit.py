"""The auditor's report of a run: policy, topology, what was searched, what was found, evidence.

It is made from the run folder alone, and says with which command the run is repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from testbed.checkers.placement import controls, territory_of
from testbed.checkers.residency import NAME, explained, leaks, totals
from testbed.checkers.territory import place_of
from testbed.history.policy_change import PolicyChange
from testbed.history.residency import LEAK, Canary
from testbed.history.residency_record import (
    BASE,
    DUMP,
    FILE,
    RecordError,
    ResidencyRecord,
    read_record,
)
from testbed.report.audit_erasure import erasure_of
from testbed.report.recorded import RecordedRun
from testbed.report.story import headline

AUDIT_FORMAT = "testbed.audit"
AUDIT_VERSION = 2
SCOPE = (
    "free blocks of the machine's own disk, which belong to no node",
    "memory of running programs; servers were made to write theirs to disk before the search",
    "data that is encrypted or compressed with lz4 or zstd: where it was met it is named below",
    "a text that is cut in two by the border of two write-ahead log segments",
)
"""What no search of this kind covers, said in every report."""

_FINDINGS_MAX = 2000


def audit_of(run: RecordedRun) -> dict[str, Any] | None:
    """The report as plain data; None for a run in which personal data was not searched for.

    Raises:
        RecordError: The record of the search is damaged.
    """
    path = run.folder / FILE
    if not path.exists():
        return None
    record = read_record(path)
    judged = run.judgement
    found = headline(run)
    return {
        "format": AUDIT_FORMAT,
        "version": AUDIT_VERSION,
        "run": run.folder.name,
        "started": judged.started if judged else "",
        "outcome": found.outcome.value,
        "headline": found.line,
        "reason": found.sentence,
        "promises": [
            {"promise": each.promise, "outcome": each.outcome.value, "reason": each.reason}
            for each in (judged.promises if judged else ())
        ],
        "policy": dict(record.policy),
        "policy_changes": [_change(record, change) for change in record.changes],
        "topology": _topology(run, record),
        "schedule": [asdict(fault) for fault in (judged.schedule if judged else ())],
        "written": _written(record),
        "searched": [asdict(one) for one in record.found.searched],
        "totals": _totals(record),
        "controls": [asdict(control) for control in controls(record)],
        "causes": [
            {
                "cause": cause.name,
                "what": cause.what,
                "leaks": cause.findings,
                "classes": list(cause.classes),
                "places": list(cause.places),
            }
            for promise in (judged.promises if judged else ())
            if promise.name == NAME
            for cause in promise.causes
        ],
        "findings": _findings(record),
        "backups": [asdict(deed) for deed in record.deeds if deed.what in (DUMP, BASE)],
        "erasure": erasure_of(run.folder),
        "not_covered": list(SCOPE),
        "seconds": dict(record.seconds),
        "versions": dict(judged.environment.get("programs", {})) if judged else {},
        "reproduce": reproduce(run.folder),
    }


def _change(record: ResidencyRecord, change: PolicyChange) -> dict[str, Any]:
    """A version of the policy: when it was in force, and what it let be elsewhere."""
    return {
        "change": change.name,
        "begun_s": seconds(change.begun_ns),
        "in_force_s": seconds(change.in_force_ns),
        "lifting_s": seconds(change.lifting_ns),
        "lifted_s": seconds(change.lifted_ns),
        "may_be": [
            {"data_class": name, "of": home, "allowed": where and list(where)}
            for name, homes in change.reach.items()
            for home, where in homes.items()
            if where != record.allowed.get(name)
        ],
    }


def seconds(time_ns: int | None) -> float | None:
    """A moment on the run's clock, in s; None for one that never came."""
    return None if time_ns is None else round(time_ns / 1e9, 3)


def reproduce(folder: Path) -> list[str]:
    """The command that runs the same plan again."""
    return ["testbed", "replay", str(folder)]


def _topology(run: RecordedRun, record: ResidencyRecord) -> dict[str, Any]:
    judged = run.judgement
    return {
        "deployment": run.plan.deployment if run.plan else "",
        "variables": dict(run.plan.variables) if run.plan else {},
        "regions": dict(judged.regions) if judged else {},
        "nodes": [
            {"node": node, "region": (judged.nodes.get(node, "") if judged else ""),
             "jurisdiction": jurisdiction}
            for node, jurisdiction in record.nodes.items()
        ],
        "links": [{"link": name, "from": a, "to": b} for name, (a, b) in record.links.items()],
    }  # fmt: skip


def _written(record: ResidencyRecord) -> list[dict[str, Any]]:
    """Canaries by class: how many, of how many subjects, and where they may be."""
    by_class: dict[str, list[Canary]] = {}
    for canary in record.canaries:
        if canary.purpose != LEAK:
            by_class.setdefault(canary.data_class, []).append(canary)
    return [
        {
            "data_class": name,
            "canaries": len(those),
            "subjects": len({canary.subject for canary in those}),
            "written_as": dict(Counter(canary.purpose for canary in those)),
            "allowed": where and list(where),
        }
        for name, where in record.allowed.items()
        if (those := by_class.get(name, []))
    ]


def _totals(record: ResidencyRecord) -> dict[str, int]:
    searched = record.found.searched
    return {
        "canaries": len(record.canaries),
        **totals(searched),
        "connections": sum(one.files for one in searched if one.kind == "in motion"),
        "unsearchable": sum(len(one.unsearchable) for one in searched),
        "occurrences": sum(finding.count for finding in record.found.findings),
    }


def _findings(record: ResidencyRecord) -> dict[str, Any]:
    """What was found abroad, the control's leak apart; by place, and one by one up to a bound."""
    by_token: Mapping[str, Canary] = {canary.token: canary for canary in record.canaries}
    leaked = leaks(territory_of(record), by_token, record.found)
    real = [pair for pair in leaked if pair[0].purpose != LEAK]
    return {
        "total": len(real),
        "listed": [explained(*pair) for pair in real[:_FINDINGS_MAX]],
        # Of each, one in every place shows that it was caught there.
        "deliberate": list(
            {
                (pair[0].token, place_of(pair[1])): explained(*pair)
                for pair in reversed(leaked)
                if pair[0].purpose == LEAK
            }.values()
        )[::-1],
    }


__all__ = ["AUDIT_FORMAT", "AUDIT_VERSION", "RecordError", "audit_of", "reproduce"]
