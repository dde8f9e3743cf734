"""The positive controls of a residency search: what it must find before its silence counts.

``home``: every class that was written is found on a node of its own jurisdiction, in every
encoding that it is written in. ``foreign at rest``: in every jurisdiction that is abroad for some
class, a canary that may be there is found. ``foreign in motion``: on every link that is forbidden
to some class, a canary that may cross is found, and on one of them inside a TCP stream. ``leak``:
a canary that was put where it must not be is found there, and ``leak in motion``: on its way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from testbed.checkers.residency import leaks
from testbed.checkers.territory import Territory, place_of
from testbed.history.residency import LEAK, AtRest, Canary, Control, Finding, Found, OnWire

TEXT = ("utf-8",)
TYPED = (
    "utf-8",
    "uuid raw",
    "bigint little-endian",
    "numeric little-endian",
    "bytea raw",
)
"""How a row with a column of each type of twin lies in a table's file."""

_NOTHING: Mapping[str, Collection[str]] = MappingProxyType({})


def controls_of(
    territory: Territory,
    canaries: Iterable[Canary],
    found: Found,
    encodings: Mapping[str, Collection[str]] = _NOTHING,
) -> tuple[Control, ...]:
    """The controls of a run, shown or not.

    Args:
        territory: Where each class may be, and what there is.
        canaries: Everything that was written, with those of the controls.
        found: The searches at rest and in motion together.
        encodings: By class, in which encodings it must be seen at home; text if it is absent.
    """
    known = {canary.token: canary for canary in canaries}
    return (
        *_home(territory, known, found, encodings),
        *_foreign_at_rest(territory, known, found),
        *_foreign_in_motion(territory, known, found),
        *_leak(territory, known, found),
    )


def _home(
    territory: Territory,
    known: Mapping[str, Canary],
    found: Found,
    encodings: Mapping[str, Collection[str]],
) -> Iterable[Control]:
    seen = {
        (canary.data_class, finding.encoding)
        for finding in found.findings
        if (canary := known.get(finding.canary)) is not None
        and isinstance(finding.where, AtRest)
        and territory.nodes.get(finding.where.node) == canary.jurisdiction
    }
    written = dict.fromkeys(one.data_class for one in known.values() if one.purpose != LEAK)
    for data_class in written:
        wanted = encodings.get(data_class, TEXT)
        lacking = [name for name in wanted if (data_class, name) not in seen]
        detail = f"{data_class} at home as {', '.join(wanted)}"
        if lacking:
            detail += f"; not found as {', '.join(lacking)}"
        yield Control("home", not lacking, detail)


def _foreign_at_rest(
    territory: Territory, known: Mapping[str, Canary], found: Found
) -> Iterable[Control]:
    forbidden = territory.forbidden(canary.data_class for canary in known.values())
    abroad = dict.fromkeys(
        territory.nodes[place] for place in forbidden if place in territory.nodes
    )
    seen = {
        territory.nodes.get(place_of(finding))
        for finding in _permitted(territory, known, found)
        if isinstance(finding.where, AtRest)
        and known[finding.canary].jurisdiction != territory.nodes.get(finding.where.node)
    }
    for jurisdiction in abroad:
        detail = f"a canary from elsewhere that may be in {jurisdiction}, in files there"
        yield Control("foreign at rest", jurisdiction in seen, detail)


def _foreign_in_motion(
    territory: Territory, known: Mapping[str, Canary], found: Found
) -> Iterable[Control]:
    forbidden = territory.forbidden(canary.data_class for canary in known.values())
    links = [place for place in forbidden if place in territory.links]
    crossed = [
        finding.where
        for finding in _permitted(territory, known, found)
        if isinstance(finding.where, OnWire)
    ]
    seen = {where.link for where in crossed}
    for link in links:
        yield Control("foreign in motion", link in seen, f"a canary that may cross {link}")
    if links:
        streamed = any(
            where.link in links and where.connection.startswith("tcp") for where in crossed
        )
        yield Control("foreign in a stream", streamed, "a canary that may cross, inside TCP")


def _leak(territory: Territory, known: Mapping[str, Canary], found: Found) -> Iterable[Control]:
    """A deliberate leak is caught where it lies; where links are watched, on its way as well."""
    caught: dict[type[AtRest | OnWire], str] = {}
    for canary, finding in leaks(territory, known, found):
        if canary.purpose == LEAK:
            caught.setdefault(type(finding.where), place_of(finding))
    for name, kind in (("leak", AtRest), ("leak in motion", OnWire)):
        if kind is AtRest or territory.links:
            at = f", caught on {caught[kind]}" if kind in caught else ""
            yield Control(name, kind in caught, f"a canary put where it must not be{at}")


def _permitted(territory: Territory, known: Mapping[str, Canary], found: Found) -> list[Finding]:
    """Findings in places where their class may be."""
    return [
        finding
        for finding in found.findings
        if (canary := known.get(finding.canary)) is not None
        and canary.data_class in territory.allowed
        and (place_of(finding) in territory.nodes or place_of(finding) in territory.links)
        and not territory.forbids(canary.data_class, place_of(finding))
    ]
