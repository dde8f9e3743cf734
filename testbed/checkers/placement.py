"""A recorded search for personal data, judged: residency, its controls, and the causes of leaks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from testbed.checkers import residency, residency_controls
from testbed.checkers.policy_controls import controls_of_changes
from testbed.checkers.residency_causes import CAUSES, causes
from testbed.checkers.territory import Territory
from testbed.checkers.verdict import Cause, Validity, Verdict
from testbed.history.residency import AtRest, Canary, Control, OnWire
from testbed.history.residency_record import (
    ARCHIVE,
    BASE,
    DUMP,
    SEEDED,
    ResidencyRecord,
    unsought,
)

_TYPES = {
    "uuid": "uuid raw",
    "bigint": "bigint little-endian",
    "numeric": "numeric little-endian",
    "bytea": "bytea raw",
    "text": "utf-8",
}
"""How a twin in a column of a type lies in a table's file."""

_COPIED = "COPY from the server"
"""How the search names what is read of another server as a whole."""

_KEPT: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        DUMP: re.compile("dump$"),
        BASE: re.compile("backup: (?!archived)"),
        ARCHIVE: re.compile("backup: archived"),
    }
)
"""How the search names what lies in the things that a store keeps."""


def check(record: ResidencyRecord, written: Iterable[Canary]) -> Verdict:
    """Judge a record.

    Args:
        record: Of a run.
        written: Every canary that clients wrote, as the history has them.

    Returns:
        As :func:`testbed.checkers.residency.check`, with the causes of leaks; also unknown when
        something was written that was not looked for.
    """
    shown = list(controls(record))
    if missed := unsought(record, written):
        detail = f"{len(missed)} canaries that clients wrote were not looked for"
        shown.append(Control("completeness", shown=False, detail=detail))
    verdict = residency.check(territory_of(record), record.canaries, record.found, shown)
    if verdict.validity is not Validity.VIOLATION:
        return verdict
    found = causes_of(record)
    said = "; ".join(cause.sentence for cause in found)
    return replace(verdict, reason=f"{said}. In particular: {verdict.reason}", causes=found)


def territory_of(record: ResidencyRecord) -> Territory:
    """What a record is judged against."""
    allowed = {
        name: None if where is None else frozenset(where) for name, where in record.allowed.items()
    }
    return Territory(allowed, record.nodes, record.links, record.changes, record.written_ns)


def controls(record: ResidencyRecord) -> tuple[Control, ...]:
    """The positive controls of a record, shown or not."""
    tables = record.policy.get("tables", {})
    encodings = {
        name: _encodings(one, tables.get(one.get("table"), {}))
        for name, one in record.policy.get("classes", {}).items()
        if one.get("table")
    }
    return (
        *residency_controls.controls_of(
            territory_of(record), record.canaries, record.found, encodings
        ),
        *_backups(record),
        *_traces(record),
        *_seedings(record),
        *controls_of_changes(territory_of(record), record.canaries, record.found),
    )


def _backups(record: ResidencyRecord) -> Iterable[Control]:
    """Each store really has what this run wrote, in everything that it keeps of a jurisdiction."""
    pinned = {
        canary.token: canary.jurisdiction
        for canary in record.canaries
        if record.allowed.get(canary.data_class) is not None
    }
    seen = {
        (finding.where.node, pinned[finding.canary], kind)
        for finding in record.found.findings
        if finding.canary in pinned and isinstance(finding.where, AtRest)
        for kind, words in _KEPT.items()
        if words.match(finding.how)
    }
    for node, jurisdiction, kind in record.stored:
        made = sum(
            (deed.what, deed.node, deed.of) == (kind, node, jurisdiction) for deed in record.deeds
        )
        several = "" if kind == ARCHIVE else f", which made {made} in the run"
        detail = f"data of {jurisdiction} in a {kind} on {node}{several}"
        yield Control(kind, (node, jurisdiction, kind) in seen, detail)


def _traces(record: ResidencyRecord) -> Iterable[Control]:
    """What leaves a trace other than in a row was done, and the trace was found."""
    purposes = {canary.token: canary.purpose for canary in record.canaries}
    seen = {
        (purposes.get(finding.canary, ""), " in ".join((finding.how, *finding.where.inside)))
        for finding in record.found.findings
    }
    for purpose, words in record.traces:
        if purpose in purposes.values():
            shown = any(one == purpose and words in place for one, place in seen)
            yield Control("trace", shown, f"a canary of the purpose {purpose}: {words}")


def _seedings(record: ResidencyRecord) -> Iterable[Control]:
    """Where a jurisdiction was seeded again, what was copied was seen between jurisdictions."""
    count = sum(deed.what == SEEDED for deed in record.deeds)
    if not count:
        return
    seen = any(
        isinstance(finding.where, OnWire)
        and _COPIED in finding.how
        and len(set(record.links.get(finding.where.link, ()))) > 1
        for finding in record.found.findings
    )
    yield Control("seeding", seen, f"rows that were copied between jurisdictions, {count} times")


def _encodings(data_class: Mapping[str, Any], table: Mapping[str, Any]) -> tuple[str, ...]:
    """In which forms a class must be seen at home: one for each type of a column of its own."""
    columns = table.get("columns", {})
    own = set(data_class.get("columns", ())) - set(table.get("key", ()))
    if data_class.get("rule") == "pinned" and table.get("personal"):
        own &= set(table["personal"])
    found = {_TYPES[columns[name]] for name in own if columns.get(name) in _TYPES}
    return tuple(sorted(found)) or residency_controls.TEXT


def causes_of(record: ResidencyRecord) -> tuple[Cause, ...]:
    """How what is abroad came there."""
    classes = record.policy.get("classes", {}).values()
    columns = {
        str(one["name"])
        for one in classes
        if one["rule"] == "pinned" and any(_narrower(other, one) for other in classes)
    }
    by_token = {canary.token: canary for canary in record.canaries}
    found = causes(territory_of(record), by_token, record.found, columns)
    heirs = {node for node, _ in heirs_abroad(record)}
    return tuple(
        replace(one, name="failover", what=CAUSES["failover"])
        if one.name == "standby" and heirs.intersection(one.places)
        else one
        for one in found
    )


def heirs_abroad(record: ResidencyRecord) -> tuple[tuple[str, str], ...]:
    """Nodes that may become primary of a jurisdiction that they are not in, with that one."""
    return tuple((node, of) for node, of in record.heirs if record.nodes.get(node) != of)


def check_heirs(record: ResidencyRecord) -> Verdict:
    """Whether pinned data can only ever be served in its jurisdiction, whatever fails."""
    name = "failover_inside"
    promise = "No server outside of a jurisdiction may become primary of its data."
    abroad = heirs_abroad(record)
    numbers = {"heirs": float(len(record.heirs)), "heirs_abroad": float(len(abroad))}
    if abroad:
        said = ", ".join(f"{node} of {of}" for node, of in abroad)
        reason = f"may become primary from abroad: {said}"
        return Verdict(name, promise, Validity.VIOLATION, reason, abroad, numbers)
    unknown = set(record.nodes.values()) - {of for _, of in record.heirs}
    if unknown:
        reason = f"nobody tells who may be primary of {', '.join(sorted(unknown))}"
        return Verdict(name, promise, Validity.UNKNOWN, reason, (), numbers)
    reason = f"{len(record.heirs)} servers may be primary, each at home"
    return Verdict(name, promise, Validity.VALID, reason, (), numbers)


def _narrower(crossing: Mapping[str, Any], pinned: Mapping[str, Any]) -> bool:
    """Whether a class of the same table crosses without all columns of a pinned one."""
    same = crossing["rule"] != "pinned" and crossing.get("table") == pinned.get("table")
    return same and not set(pinned.get("columns", ())) <= set(crossing.get("columns", ()))
