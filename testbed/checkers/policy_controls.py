"""Positive controls of versions of a policy that were in force for a while.

A version that withholds something shows nothing where nothing of it was written while it was in
force, or where that crosses at no other time either. One that lets more cross must have been seen
to: else it was not in force.
"""

from __future__ import annotations

from collections.abc import Iterable

from testbed.checkers.territory import SETTLED_NS, Territory, crosses_border, place_of
from testbed.history.policy_change import PolicyChange, Reach
from testbed.history.residency import Canary, Control, Found

NAME = "policy change"


def controls_of_changes(
    territory: Territory, canaries: Iterable[Canary], found: Found
) -> tuple[Control, ...]:
    """The controls of each version, shown or not.

    Args:
        territory: Where each class may be, with the versions.
        canaries: Everything that was written.
        found: The searches at rest and in motion together.
    """
    known = {canary.token: canary for canary in canaries}
    crossed = [
        (known[finding.canary], finding.time_ns)
        for finding in found.findings
        if finding.canary in known and crosses_border(territory, place_of(finding))
    ]
    return tuple(_control(territory, known, crossed, change) for change in territory.changes)


def _control(
    territory: Territory,
    known: dict[str, Canary],
    crossed: list[tuple[Canary, int]],
    change: PolicyChange,
) -> Control:
    if change.in_force_ns is None:
        return Control(NAME, False, f"{change.name}: it never was in force everywhere")
    freed = [
        canary
        for canary, time_ns in crossed
        if _differs(territory, change, canary, wider=True) and change.may_hold(time_ns, SETTLED_NS)
    ]
    withheld = [
        canary
        for canary in known.values()
        if _differs(territory, change, canary, wider=False)
        and change.holds(territory.written_ns.get(canary.token, 0), SETTLED_NS)
    ]
    classes = {canary.data_class for canary in withheld}
    elsewhen = {
        canary.data_class for canary, time_ns in crossed if not change.holds(time_ns, SETTLED_NS)
    }
    detail = (
        f"{change.name}: {len(freed)} findings of what it lets cross, {len(withheld)} canaries"
        f" that it withholds were written under it"
    )
    if missing := classes - elsewhen:
        detail += f"; {', '.join(sorted(missing))} was seen to cross at no other time"
    return Control(NAME, bool(freed) or bool(withheld and not missing), detail)


def _differs(territory: Territory, change: PolicyChange, canary: Canary, *, wider: bool) -> bool:
    """Whether a canary may be in more places by a version, or in fewer."""
    if canary.data_class not in change.reach or canary.data_class not in territory.allowed:
        return False
    allowed = territory.allowed[canary.data_class]
    base = None if allowed is None else tuple(allowed)
    edited = change.reach[canary.data_class].get(canary.jurisdiction, ())
    return _beyond(edited, base) if wider else _beyond(base, edited)


def _beyond(one: Reach, other: Reach) -> bool:
    return other is not None and (one is None or not set(one) <= set(other))
