"""Names of anomalies, and which of them are a case of which other."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import pairwise

from testbed.checkers.request import RequestError

FORMS = ("", "-process", "-realtime")
"""A cycle of dependencies alone; one that also needs the order of a session; of real time."""

MEANING = {
    "garbage-read": "a read returned what nobody wrote",
    "duplicate-elements": "a read returned the same element twice",
    "cyclic-versions": "the versions of a key follow each other in a circle",
    "incompatible-order": "two reads of a key cannot come from one order of its versions",
    "internal": "a transaction's read contradicts its own earlier reads and writes of the key",
    "future-read": "a transaction read what it wrote only afterwards",
    "dirty-update": "a committed write builds on an aborted one",
    "G0": "a circle of overwrites",
    "G1a": "a committed transaction read an aborted write",
    "G1b": "a transaction read what another one had overwritten itself",
    "G1c": "a circle of overwrites and reads of what was written",
    "G1": "G1a, G1b or G1c",
    "lost-update": "two transactions read the same version of a key and both replaced it",
    "G-cursor": "a transaction replaced a version of a key that was no longer the one it had read",
    "observed-transaction-vanishes": (
        "a transaction saw another one's write and later missed one of its other writes"
    ),
    "fractured-read": "a transaction saw one of another one's writes and missed another",
    "causal-violation": "a transaction missed a write that happened before what it read",
    "prefix-violation": "no prefix of one order of commits explains what transactions read",
    "G-monotonic": "a transaction missed a write although what it had seen before depends on it",
    "G-single": "a circle with one missed write",
    "G-SIb": "a circle with one missed write, in every order of beginnings and commits",
    "G-MSR": "what transactions read is not, read by read, from snapshots that only move on",
    "G-nonadjacent": "a circle in which no two missed writes follow each other",
    "G-update": "a circle with missed writes among updates and one reader, or with a single one",
    "write-skew": "two transactions each missed what the other one wrote",
    "G2-item": "a circle with missed writes",
    "G2": "a circle with missed writes, of items or of predicates",
}
"""Every anomaly without its form, the worst first, and what it is in a few words.

G0 to G2 after Adya, "Weak Consistency", MIT 1999, and Adya, Liskov and O'Neil, ICDE 2000; the
others after Kingsbury and Alvaro, "Elle", VLDB 2020, and its taxonomy of consistency models;
fractured reads and vanishing transactions after Bailis et al., VLDB 2013 and SIGMOD 2014; the
causal and the prefix cycle after Cerone, Bernardi and Gotsman, CONCUR 2015; G-monotonic, G-MSR,
G-SIb and G-update after Adya's thesis. The histories know
reads of items alone, so every G-single and every G-nonadjacent is a G2-item.
"""

_IMPLIES: Mapping[str, tuple[str, ...]] = {
    "G0": ("G1c",),
    "G1a": ("G1",),
    "G1b": ("G1",),
    "G1c": ("G1",),
    "garbage-read": ("G1a",),
    "incompatible-order": ("G1a",),
    "dirty-update": ("G1a",),
    "future-read": ("G1c",),
    "lost-update": ("write-skew", "G2-item"),
    "G-cursor": ("G-single",),
    "observed-transaction-vanishes": ("fractured-read", "G-monotonic"),
    "fractured-read": ("causal-violation",),
    "causal-violation": ("prefix-violation", "G-single"),
    "prefix-violation": ("G-nonadjacent",),
    "G-monotonic": ("G-single", "G-MSR"),
    "G-single": ("G-SIb", "G-update"),
    "G-SIb": ("G-nonadjacent",),
    "G-MSR": ("G-nonadjacent",),
    "G-update": ("G2-item",),
    "G-nonadjacent": ("G2-item",),
    "write-skew": ("G2-item",),
    "G2-item": ("G2",),
}

_ALIASES = {
    "otv": "observed-transaction-vanishes",
    "aborted-read": "G1a",
    "dirty-read": "G1a",
    "intermediate-read": "G1b",
    "circular-information-flow": "G1c",
    "dirty-write": "G0",
    "write-cycle": "G0",
    "read-skew": "G-single",
    "g-single-item": "G-single",
    "g-nonadjacent-item": "G-nonadjacent",
    "duplicate-element": "duplicate-elements",
    "p4": "lost-update",
    "a5a": "G-single",
    "a5b": "write-skew",
}

ALIKE = {"G-SIb": "G-single", "G-SIb-realtime": "G-single-realtime"}
"""What is not looked for, but there exactly where another one is: without a form all transactions
may have begun before any committed, with real time they may have begun and committed when they did.
"""
_UNSOUGHT = frozenset(ALIKE) | {"G-SIb-process"}
"""Where sessions alone are to be respected only the two others decide it."""

ALL = tuple(name + form for form in FORMS for name in MEANING)
"""Every canonical name, the worst first."""


def implied_by(anomalies: Iterable[str]) -> frozenset[str]:
    """The anomalies and all that they are a case of."""
    return _closure(frozenset(anomalies), forwards=True)


def implying(anomalies: Iterable[str]) -> frozenset[str]:
    """The anomalies and all that are a case of one of them: what to look for when asked."""
    return _closure(frozenset(anomalies), forwards=False)


def absent(
    found: Iterable[str], unsure: Iterable[str] = (), *, timed: bool = True
) -> frozenset[str]:
    """What is surely not there: what was looked for and not found, and what is a case of that.

    Args:
        found: What is there.
        unsure: What was not looked for, or not to the end.
        timed: Whether the history has times; else nothing is sure of real time.
    """
    unknown = implied_by(found).union(unsure, _UNSOUGHT)
    sure = {name for name in ALL if name not in unknown and (timed or not name.endswith(FORMS[-1]))}
    return implying(sure.union(name for name, alike in ALIKE.items() if alike in sure))


def split_form(anomaly: str) -> tuple[str, str]:
    """The name without its form, and the form."""
    for form in FORMS[1:]:
        if anomaly.endswith(form):
            return anomaly.removesuffix(form), form
    return anomaly, ""


def meaning_of(anomaly: str) -> str:
    """What an anomaly is, in a few words."""
    name, form = split_form(anomaly)
    also = {"": "", "-process": ", with the order of a session"}
    return MEANING[name] + also.get(form, ", with the order of real time")


def canonical_anomalies(text: str) -> tuple[str, ...]:
    """Canonical names of a list of anomalies, such as ``G0, G1a, lost-update``.

    Raises:
        RequestError: Names that are not known, each with the nearest ones that are.
    """
    return canonical(text, known_anomalies(), "anomaly", MEANING)


@cache
def known_anomalies() -> dict[str, str]:
    """Every name and alias, in lower case, with its canonical name."""
    known = {name.lower(): name for name in ALL}
    return known | {alias + form: name + form for alias, name in _ALIASES.items() for form in FORMS}


def squashed(name: str) -> str:
    """A name without what people write in different ways: case, hyphens, a leading colon."""
    return name.strip().lstrip(":").lower().translate(_JOINTS)


_JOINTS = dict.fromkeys(map(ord, "-_ \t"))


def canonical(
    text: str,
    known: Mapping[str, str],
    noun: str,
    usual: Iterable[str],
    elsewhere: Callable[[str], str | None] = lambda _name: None,
) -> tuple[str, ...]:
    """The canonical names of a comma-separated list, each once, in the order given.

    Args:
        text: The list; see :func:`squashed` for what does not matter.
        known: Lower-case name to canonical name.
        noun: What they are, for the message.
        usual: The names to list where none is near.
        elsewhere: What to say of a name that is none of these but means something else.

    Raises:
        RequestError: Names that are not known, or none at all.
    """
    meant = {squashed(name): canonical for name, canonical in known.items()}
    found: dict[str, None] = {}
    problems = []
    for given in text.split(","):
        name = squashed(given)
        if name in meant:
            found[meant[name]] = None
        elif name:
            hint = elsewhere(given.strip()) or _nearest(given, known, usual)
            problems.append(f"there is no {noun} {given.strip()!r}; {hint}")
    if not found and not problems:
        problems.append(f"no {noun} is named")
    if problems:
        raise RequestError(problems)
    return tuple(found)


def _nearest(given: str, known: Mapping[str, str], usual: Iterable[str]) -> str:
    name = "-".join(given.strip().lstrip(":").lower().replace("_", " ").split())
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    names = list(dict.fromkeys(known[each] for each in near))
    return f"did you mean {' or '.join(names)}?" if names else f"expected {', '.join(usual)}"


@cache
def _closure(anomalies: frozenset[str], *, forwards: bool) -> frozenset[str]:
    steps = _edges(forwards=forwards)
    reached = set(anomalies)
    waiting = list(anomalies)
    while waiting:
        for after in steps.get(waiting.pop(), ()):
            if after not in reached:
                reached.add(after)
                waiting.append(after)
    return frozenset(reached)


@cache
def _edges(*, forwards: bool) -> dict[str, tuple[str, ...]]:
    """Implications among all forms: a cycle is also one that may use the order of sessions."""
    pairs = [
        (name + form, other + form)
        for form in FORMS
        for name, others in _IMPLIES.items()
        for other in others
    ]
    for weak, strong in pairwise(FORMS):
        pairs += [(name + weak, name + strong) for name in MEANING]
    steps: dict[str, tuple[str, ...]] = {}
    for before, after in pairs:
        key, value = (before, after) if forwards else (after, before)
        steps[key] = (*steps.get(key, ()), value)
    return steps
