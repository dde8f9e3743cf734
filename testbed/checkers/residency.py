"""Personal data is, and was, only where its class may be.

Definition. A place is a node, or a directed link with the jurisdictions of both its ends. A place
is forbidden to a class of data when one of its jurisdictions is not among those of the class. A
canary found in a place that is forbidden to its class is a leak, whatever became of it later. The
promise is judged valid only when no leak was found, everything that is forbidden to some class
that was written could be searched, and each positive control was shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from testbed.checkers.territory import Territory, place_of
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.residency import (
    LEAK,
    Canary,
    Control,
    Finding,
    Found,
    OnWire,
    Searched,
)

NAME = "residency"
PROMISE = "Personal data is, and was, only in the jurisdictions where its class may be."

MISPLACED = "misplace"
"""Purpose of rows that a client sends to a jurisdiction where they are not at home."""

_SHOWN_MAX = 500


def leaks(
    territory: Territory, canaries: Mapping[str, Canary], found: Found
) -> tuple[tuple[Canary, Finding], ...]:
    """Findings in places that are forbidden to their canary's class, controls included."""
    return tuple(
        (canary, finding)
        for finding in found.findings
        if (canary := canaries.get(finding.canary)) is not None
        and canary.data_class in territory.allowed
        and (place_of(finding) in territory.nodes or place_of(finding) in territory.links)
        and territory.forbade(canary, finding)
        and not _brought(territory, canary, finding)
    )


def _brought(territory: Territory, canary: Canary, finding: Finding) -> bool:
    """Whether it is on its way inside the jurisdiction of a client that sent it to the wrong one.

    That it was there is the client's doing. To store it, or to carry it on abroad, is a leak.
    """
    if canary.purpose != MISPLACED or not isinstance(finding.where, OnWire):
        return False
    source, target = territory.links[finding.where.link]
    return source == target


def check(
    territory: Territory,
    canaries: Iterable[Canary],
    found: Found,
    controls: Iterable[Control],
) -> Verdict:
    """Judge what a search found.

    Args:
        territory: Where each class may be, and what there is.
        canaries: Everything that was written.
        found: The searches at rest and in motion together.
        controls: The positive controls; none at all is as bad as one that was not shown.

    Returns:
        A violation with each leak and its cause; unknown when a control was not shown, or a place
        was not or could not be searched; valid otherwise.
    """
    known = {canary.token: canary for canary in canaries}
    numbers = _numbers(known, found)
    leaked = [pair for pair in leaks(territory, known, found) if pair[0].purpose != LEAK]
    numbers["leaks"] = float(len(leaked))
    if leaked:
        shown = tuple(explained(*pair) for pair in leaked[:_SHOWN_MAX])
        return _verdict(Validity.VIOLATION, _said(leaked), numbers, shown)
    doubts = [
        *_unknown_parts(territory, known, found),
        *_unsearched(territory, known, found.searched),
        *_not_shown(list(controls)),
    ]
    if doubts:
        more = f"; and {len(doubts) - 5} more" if len(doubts) > 5 else ""
        reason = "no leak was found, but it proves nothing: " + "; ".join(doubts[:5]) + more
        return _verdict(Validity.UNKNOWN, reason, numbers, tuple(doubts))
    reason = (
        f"none of {len(known)} canaries is outside its jurisdictions, in "
        f"{numbers['files']:.0f} files ({numbers['bytes_at_rest'] / 1e6:.0f} MB) of "
        f"{numbers['nodes']:.0f} nodes and {numbers['packets']:.0f} packets "
        f"({numbers['bytes_in_motion'] / 1e6:.1f} MB) of {numbers['links']:.0f} links"
    )
    return _verdict(Validity.VALID, reason, numbers)


def explained(canary: Canary, finding: Finding) -> dict[str, Any]:
    """A finding for people and programs: whose data it is, where it is and how it got there."""
    return {
        "canary": canary.token,
        "data_class": canary.data_class,
        "subject": canary.subject,
        "row": canary.row,
        "version": canary.version,
        "purpose": canary.purpose,
        "belongs_in": canary.jurisdiction,
        "encoding": finding.encoding,
        "where": asdict(finding.where),
        "count": finding.count,
        "time_ns": finding.time_ns,
        "how": finding.how,
    }


def _said(leaked: Sequence[tuple[Canary, Finding]]) -> str:
    subjects = {canary.subject for canary, _ in leaked}
    classes = sorted({canary.data_class for canary, _ in leaked})
    by_place: dict[str, list[tuple[Canary, Finding]]] = {}
    for pair in leaked:
        by_place.setdefault(place_of(pair[1]), []).append(pair)
    places = "; ".join(_said_of_place(place, pairs) for place, pairs in by_place.items())
    return f"data of {len(subjects)} subjects ({', '.join(classes)}) is or was abroad: {places}"


def _said_of_place(place: str, pairs: Sequence[tuple[Canary, Finding]]) -> str:
    tokens = {canary.token for canary, _ in pairs}
    ways = sorted({finding.how for _, finding in pairs if finding.how})
    where = pairs[0][1].where
    first = where.connection if isinstance(where, OnWire) else where.file
    inside = "".join(f" in {name}" for name in reversed(where.inside))
    by = f" ({', '.join(ways[:4])})" if ways else ""
    at = f"byte {where.offset} of {first}{inside}"
    return f"{len(tokens)} canaries on {place}{by}, the first at {at}"


def _unknown_parts(
    territory: Territory, known: Mapping[str, Canary], found: Found
) -> Iterable[str]:
    """What the policy or the map does not know: nothing can be said of it."""
    classes = dict.fromkeys(canary.data_class for canary in known.values())
    if not classes:
        yield "no canary was written"
    for name in classes:
        if name not in territory.allowed:
            yield f"the policy does not know the data class {name}"
    for place in dict.fromkeys(place_of(finding) for finding in found.findings):
        if place not in territory.nodes and place not in territory.links:
            yield f"something was found on {place}, which the topology does not know"
    strange = {finding.canary for finding in found.findings} - known.keys()
    if strange:
        yield f"{len(strange)} canaries were found that nobody is known to have written"


def _unsearched(
    territory: Territory, known: Mapping[str, Canary], searched: Iterable[Searched]
) -> Iterable[str]:
    by_place: dict[str, list[Searched]] = {}
    for one in searched:
        by_place.setdefault(one.place, []).append(one)
    classes = [canary.data_class for canary in known.values()]
    for place in territory.forbidden(classes):
        looks = by_place.get(place, [])
        at_rest = place in territory.nodes
        if not looks:
            yield f"{place} was not searched"
        elif at_rest and not any(one.files and one.bytes for one in looks):
            yield f"no file was read on {place}"
        elif not at_rest and not any(one.packets for one in looks):
            yield f"no packet was seen on {place}"
        for one in looks:
            for hidden in one.unsearchable:
                yield f"{hidden.where} on {place} could not be searched: {hidden.reason}"


def _not_shown(controls: Sequence[Control]) -> Iterable[str]:
    if not controls:
        yield "there was no positive control"
    for control in controls:
        if not control.shown:
            yield f"the control {control.name} was not shown: {control.detail}"


def _numbers(known: Mapping[str, Canary], found: Found) -> dict[str, float]:
    counted = {
        "canaries": len(known),
        "findings": len(found.findings),
        **totals(found.searched),
    }
    return {name: float(number) for name, number in counted.items()}


def totals(searched: Iterable[Searched]) -> dict[str, int]:
    """How much was searched in all places together, by name."""
    looks = tuple(searched)
    at_rest = [one for one in looks if one.kind == "at rest"]
    in_motion = [one for one in looks if one.kind == "in motion"]
    return {
        "nodes": len({one.place for one in at_rest}),
        "files": sum(one.files for one in at_rest),
        "bytes_at_rest": sum(one.bytes for one in at_rest),
        "links": len({one.place for one in in_motion}),
        "packets": sum(one.packets for one in in_motion),
        "bytes_in_motion": sum(one.bytes for one in in_motion),
        "unpacked_bytes": sum(one.unpacked_bytes for one in looks),
    }


def _verdict(
    validity: Validity, reason: str, numbers: dict[str, float], counterexample: tuple[Any, ...] = ()
) -> Verdict:
    return Verdict(NAME, PROMISE, validity, reason, counterexample, numbers)
