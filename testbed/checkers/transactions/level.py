"""Isolation levels: their names, which is stronger than which, and what each rules out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import product

from testbed.checkers.transactions.anomaly import (
    canonical,
    implied_by,
    implying,
    known_anomalies,
    squashed,
)
from testbed.checkers.verdict import Levels

_BELOW: Mapping[str, tuple[str, ...]] = {
    "read-uncommitted": (),
    "read-committed": ("read-uncommitted",),
    "item-cut-isolation": (),
    "cursor-stability": ("read-committed",),
    "monotonic-atomic-view": ("read-committed",),
    "monotonic-view": ("monotonic-atomic-view",),
    "monotonic-snapshot-read": ("monotonic-view",),
    "consistent-view": ("cursor-stability", "monotonic-view"),
    "forward-consistent-view": ("consistent-view",),
    "read-atomic": ("monotonic-atomic-view", "item-cut-isolation"),
    "update-atomic": ("read-atomic",),
    "causal-cerone": ("read-atomic",),
    "prefix": ("causal-cerone",),
    "parallel-snapshot-isolation": ("causal-cerone", "update-atomic", "consistent-view"),
    "snapshot-isolation": (
        "parallel-snapshot-isolation",
        "prefix",
        "forward-consistent-view",
        "monotonic-snapshot-read",
    ),
    "repeatable-read": ("cursor-stability", "monotonic-atomic-view", "item-cut-isolation"),
    "update-serializable": ("forward-consistent-view",),
    "serializable": ("snapshot-isolation", "repeatable-read", "update-serializable"),
}
"""Each level and those that it includes.

As in the taxonomy of Kingsbury and Alvaro's Elle, whose sources are Adya 1999, Berenson et al.
1995, Bailis et al. 2013 and Cerone, Bernardi and Gotsman 2015. Parallel snapshot isolation includes
consistent view (PL-2+) by its characterization in Cerone and Gotsman, "Analysing Snapshot
Isolation", JACM 2018. That monotonic view includes monotonic atomic view, and monotonic snapshot
reads both, follows from Adya's definitions for reads of items. Cut isolation, and update atomicity
(ROLA), after Bailis and after Liu et al.
"""

_PROSCRIBES: Mapping[str, tuple[str, ...]] = {
    "read-uncommitted": ("G0", "duplicate-elements", "cyclic-versions", "garbage-read"),
    "read-committed": ("G1",),
    "item-cut-isolation": ("internal",),
    "cursor-stability": ("G-cursor", "lost-update"),
    "monotonic-atomic-view": ("observed-transaction-vanishes",),
    "monotonic-view": ("G-monotonic",),
    "monotonic-snapshot-read": ("G-MSR",),
    "consistent-view": ("G-single",),
    "forward-consistent-view": ("G-SIb",),
    "read-atomic": ("internal", "future-read", "fractured-read"),
    "update-atomic": ("lost-update",),
    "causal-cerone": ("causal-violation",),
    "prefix": ("prefix-violation",),
    "snapshot-isolation": ("G-nonadjacent",),
    "repeatable-read": ("G2-item",),
    "update-serializable": ("G-update",),
    "serializable": ("G2",),
}
"""What a level rules out beyond the levels that it includes."""

_FORMS = ("", "strong-session-", "strong-")
_WITHOUT_FORMS = ("item-cut-isolation",)
_NAMES = {"strong-serializable": "strict-serializable", "strong-session-causal-cerone": "causal"}
"""Names of a form that are not made of the form and the level. What is called causal consistency
of transactions includes the order of sessions (Bailis et al. 2013; Biswas and Enea, 2019)."""

_ALIASES: Mapping[str, tuple[str, ...]] = {
    "read-uncommitted": ("pl-1", "ru", "uncommitted-read"),
    "read-committed": ("pl-2", "rc"),
    "item-cut-isolation": ("cut-isolation", "item-cut", "i-ci", "ici"),
    "cursor-stability": ("pl-cs", "cs"),
    "monotonic-view": ("pl-2l",),
    "monotonic-snapshot-read": ("pl-msr", "msr", "monotonic-snapshot-reads"),
    "monotonic-atomic-view": ("mav",),
    "consistent-view": ("pl-2+",),
    "forward-consistent-view": ("pl-fcv", "fcv"),
    "read-atomic": ("ra", "read-atomicity"),
    "update-atomic": ("rola", "ua"),
    "causal-cerone": ("transactional-causal-visibility",),
    "causal": (
        "causal+",
        "causal-consistency",
        "causal-plus",
        "cc",
        "tcc",
        "ccv",
        "strong-session-causal",
        "strong-session-causal+",
    ),
    "strong-causal-cerone": (
        "strong-causal",
        "strong-causal+",
        "strict-causal",
        "strict-causal+",
        "real-time-causal",
        "rtc",
    ),
    "prefix": ("prefix-consistency", "consistent-prefix", "pc"),
    "parallel-snapshot-isolation": ("psi", "parallel-si"),
    "snapshot-isolation": ("si", "pl-si", "snapshot", "generalized-snapshot-isolation", "gsi"),
    "repeatable-read": ("pl-2.99", "rr", "repeatable-reads"),
    "update-serializable": ("pl-3u",),
    "serializable": (
        "pl-3",
        "ser",
        "serialisable",
        "serializability",
        "serialisability",
        "conflict-serializable",
        "conflict-serializability",
        "1sr",
        "one-copy-serializable",
        "one-copy-serializability",
    ),
    "strict-serializable": (
        "pl-ss",
        "sser",
        "strict-serializability",
        "strict-serialisability",
        "strict-1sr",
        "external-consistency",
    ),
}

ALL = tuple(
    _NAMES.get(form + level, form + level)
    for level, form in product(_BELOW, _FORMS)
    if not (form and level in _WITHOUT_FORMS)
)
"""Every canonical name."""


def canonical_levels(text: str) -> tuple[str, ...]:
    """Canonical names of a list of levels, such as ``SI, strong-session-PL-2, serializable``.

    Raises:
        RequestError: Names that are not known, each with the nearest ones that are.
    """
    return canonical(text, _known(), "level", [*_BELOW, *_NAMES.values()], _of_anomalies)


def _of_anomalies(given: str) -> str | None:
    """What to say of a name that is no level because it asks for an anomaly."""
    if given.lower().startswith("anomalies:"):
        return "levels and anomalies cannot be asked for together"
    if squashed(given) in map(squashed, known_anomalies()):
        return f"it is an anomaly, ask for it as anomalies:{given}"
    return None


@cache
def base_of(level: str) -> tuple[str, str]:
    """A level without its form, and the form: ``""``, ``strong-session-`` or ``strong-``."""
    spelled = next((long for long, name in _NAMES.items() if name == level), level)
    form = next((form for form in reversed(_FORMS[1:]) if spelled.startswith(form)), "")
    if spelled.startswith(_FORMS[1]):
        form = _FORMS[1]
    return spelled.removeprefix(form), form


def named(spelled: str) -> str:
    """The canonical name of a form and a level written together."""
    return _NAMES.get(spelled, spelled)


def needs_time(level: str) -> bool:
    """Whether a level promises something about real time."""
    return base_of(level)[1] == "strong-"


def included_in(level: str) -> frozenset[str]:
    """The level and all weaker ones."""
    return _included()[level]


def proscribed_by(levels: Iterable[str]) -> frozenset[str]:
    """Every anomaly that must not be there if all the levels hold."""
    return frozenset().union(*(_proscribed()[level] for level in levels))


def violated_by(anomalies: Iterable[str]) -> frozenset[str]:
    """Every level that cannot hold where these anomalies are."""
    found = implied_by(anomalies)
    return frozenset(level for level in ALL if _proscribed()[level] & found)


def place(anomalies: Iterable[str], absent: frozenset[str]) -> Levels:
    """Where a history stands.

    Args:
        anomalies: What was found in it.
        absent: What is surely not in it.

    Returns:
        The weakest levels that it violates, and the strongest of which all that they rule out is
        absent.
    """
    violated = violated_by(anomalies)
    allowed = [level for level in ALL if _proscribed()[level] <= absent]
    return Levels(
        tuple(v for v in ALL if v in violated and not (included_in(v) - {v}) & violated),
        tuple(a for a in allowed if not any(a in included_in(b) for b in allowed if b != a)),
    )


@cache
def _known() -> dict[str, str]:
    known = {level: level for level in ALL}
    for (name, aliases), form in product(_ALIASES.items(), _FORMS):
        base, own = base_of(name)
        if (own and form) or (form and base in _WITHOUT_FORMS):
            continue
        target = _NAMES.get(form + name, form + name)
        for alias in (name, *aliases):
            known[form + alias] = target
            if form == "strong-":
                known["strict-" + alias] = target
    return known


@cache
def _included() -> dict[str, frozenset[str]]:
    reached = {}
    for level in ALL:
        waiting, seen = [level], {level}
        while waiting:
            base, form = base_of(waiting.pop())
            for lower, weaker in product(_BELOW[base], [form]):
                seen_name = lower if lower in _WITHOUT_FORMS else named(weaker + lower)
                if seen_name not in seen:
                    seen.add(seen_name)
                    waiting.append(seen_name)
            if form and (name := named(_FORMS[_FORMS.index(form) - 1] + base)) not in seen:
                seen.add(name)
                waiting.append(name)
        reached[level] = frozenset(seen)
    return reached


@cache
def _proscribed() -> dict[str, frozenset[str]]:
    suffix = dict(zip(_FORMS, ("", "-process", "-realtime"), strict=True))
    found = {}
    for level in ALL:
        own = set()
        for lower in _included()[level]:
            base, form = base_of(lower)
            own |= {anomaly + suffix[form] for anomaly in _PROSCRIBES.get(base, ())}
        found[level] = implying(own)
    return found
