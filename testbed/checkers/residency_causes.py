"""How data came abroad: causes, told from where leaks were found and from what carried them.

A cause is named only for what was seen: a place that keeps the data (a cache, a backup, a log)
names itself; a table or a write-ahead log abroad is explained by what carried the same canary
across the wan. What nothing explains is said to be unexplained.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from testbed.checkers.residency import leaks
from testbed.checkers.territory import Territory, place_of
from testbed.checkers.verdict import Cause
from testbed.history.residency import LEAK, AtRest, Canary, Finding, Found, OnWire

CAUSES: Mapping[str, str] = MappingProxyType(
    {
        "older policy": "a server publishes by a version of the policy that is not in force",
        "column list": "a publication's column list lets a personal column through",
        "row filter": "a publication's row filter lets pinned rows through",
        "failover": "a server abroad may become primary: it receives every table",
        "standby": "a physical standby or its base backup is abroad: it receives every table",
        "backup": "a backup or a dump is stored abroad",
        "statement log": "a log with personal values is kept abroad",
        "cache": "a cache abroad keeps pinned rows",
        "Consul": "a personal value is in Consul's key-value store abroad",
        "routing": "clients' statements were routed to a server abroad",
        "copy": "pinned rows were copied abroad by a client, outside of replication",
        "read": "pinned rows were read from abroad",
        "unexplained": "nothing that was recorded says how it came there",
    }
)
"""Short name -> what happened, the most telling first."""

_KEPT = (
    (r"cache's own file", "cache"),
    (r"Consul", "Consul"),
    (r"^(unlinked )?(backup|dump)", "backup"),
    (r"^(unlinked )?log file", "statement log"),
)
"""What a file's origin says by itself."""

_CARRIERS = (
    (r"logical replication", "row filter"),
    # What a publication lets through is read by its subscriber: at first, or when it is seeded.
    (r"COPY from the server to (placement_seed|pg_\d+_sync_\d+)", "row filter"),
    (r"physical replication|COPY from the server to pg_basebackup", "standby"),
    (r"PostgreSQL (statement|prepared|bound|COPY to the server|error)", "routing"),
    (r"COPY from the server to pg_dump", "backup"),
    (r"COPY from the server", "copy"),
    (r"row returned by a query", "read"),
    (r"Consul", "Consul"),
    # A stream that is no database's own: what ships lines.
    (r"port \d+", "statement log"),
)
"""What the words for a carrier on the wire say, the most telling first."""

_PUBLISHED = frozenset({"row filter", "column list"})
"""What a publication lets through."""

_FETCHED = frozenset({"cache", "Consul", "backup"})
"""What keeps data that a client fetched for it."""


_CONSEQUENCES = frozenset(
    {
        # A server logs what clients bring: that they were sent there is the cause.
        ("statement log", "routing"),
        # What a server abroad holds is dumped with the rest of it.
        ("backup", "row filter"),
        ("backup", "column list"),
        ("backup", "routing"),
    }
)
"""What a place says by itself, where what brought the same canary abroad says more."""

_DUMPED = ("backup", "copy")
"""The same of what lies in a database there."""


def causes(
    territory: Territory,
    canaries: Mapping[str, Canary],
    found: Found,
    column_classes: Collection[str] = (),
) -> tuple[Cause, ...]:
    """The causes of all leaks but the controls', the most telling first.

    Args:
        territory: Where each class may be, and what there is.
        canaries: By token.
        found: The searches at rest and in motion together.
        column_classes: Classes that are some columns of rows whose other columns may cross.
    """
    leaked = [pair for pair in leaks(territory, canaries, found) if pair[0].purpose != LEAK]
    by_canary: dict[str, list[Finding]] = {}
    for canary, finding in leaked:
        by_canary.setdefault(canary.token, []).append(finding)
    named: dict[str, list[tuple[Canary, Finding]]] = {}
    for canary, finding in leaked:
        same = by_canary[canary.token]
        name = _cause(finding, same, column=canary.data_class in column_classes)
        if name in _PUBLISHED and _once_allowed(territory, canary, same):
            name = "older policy"
        named.setdefault(name, []).append((canary, finding))
    return tuple(_summed(name, named[name]) for name in CAUSES if name in named)


def _once_allowed(territory: Territory, canary: Canary, same: Iterable[Finding]) -> bool:
    """Whether all that a publication sent of a canary, another version of the policy let cross."""
    sent = [
        one
        for one in same
        if isinstance(one.where, OnWire)
        and _carried([one.how], column=False, stored=False) in _PUBLISHED
    ]
    return all(territory.once_allowed(canary, one) for one in sent)


def _cause(finding: Finding, same: Iterable[Finding], *, column: bool) -> str:
    """The cause of a finding, from all findings of the same canary abroad."""
    same = tuple(same)
    # What was put into a database abroad is dumped with the rest of it.
    put = any(isinstance(one.where, AtRest) and not _kept(one) for one in same)
    if isinstance(finding.where, AtRest):
        ways = [one.how for one in same if isinstance(one.where, OnWire)]
        brought = _carried(ways, column=column, stored=True)
        kept = _kept(finding)
        follows = (kept, brought) in _CONSEQUENCES or (put and (kept, brought) == _DUMPED)
        return brought if not kept or follows else kept
    name = _carried([finding.how], column=column, stored=False)
    # What was fetched in order to be kept is no second mistake; WAL is archived by a physical
    # replication.
    kept = next((kept for one in same if (kept := _kept(one)) in _FETCHED), "")
    fetched = name in ("copy", "read") or (name, kept) == ("standby", "backup")
    if put and (kept, name) == _DUMPED:
        return name
    return kept if kept and fetched else name


def _kept(finding: Finding) -> str:
    """What a place that keeps data says by itself; empty where it says nothing."""
    return next((name for pattern, name in _KEPT if re.search(pattern, finding.how)), "")


def _carried(ways: Iterable[str], *, column: bool, stored: bool) -> str:
    """What carried data, from the words of the findings on the wire."""
    joined = "; ".join(ways)
    name = next((name for pattern, name in _CARRIERS if re.search(pattern, joined)), "unexplained")
    if name == "row filter" and column:
        return "column list"
    # What was read by a query, and is in a table there, was put there.
    return "copy" if name == "read" and stored else name


def _summed(name: str, pairs: list[tuple[Canary, Finding]]) -> Cause:
    return Cause(
        name=name,
        what=CAUSES[name],
        findings=len(pairs),
        classes=tuple(dict.fromkeys(canary.data_class for canary, _ in pairs)),
        places=tuple(dict.fromkeys(place_of(finding) for _, finding in pairs)),
    )
