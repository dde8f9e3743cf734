"""A counterexample taken apart: what is told of it in words, and the operations to draw.

Checkers give plain JSON in a few shapes: an operation; a list of operations that contradict each
other; operations under the names of their parts in it; words with operations; a stretch without
service. Whatever has another shape is shown as compact JSON and drawn nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from testbed.report.acts import ACTS_MAX, Act, Edge, act_of, circle_of, seconds_of
from testbed.report.visible import compact
from testbed.report.wording import number

CASES_MAX = 3
"""So many contradictions of one promise are drawn; verdict.json has all."""

_WORDS_MAX = 8
_LOST_MAX = 4
_LINES_MAX = 12


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One counterexample.

    Args:
        words: What contradicts what, line by line.
        acts: The operations, by time.
        since_s: When the contradiction lasted from, where it has a length.
        until_s: And until when.
        edges: Of a circle of transactions. The times of their acts are places in the history.
    """

    words: tuple[str, ...]
    acts: tuple[Act, ...] = ()
    since_s: float | None = None
    until_s: float | None = None
    edges: tuple[Edge, ...] = ()


def contradictions(items: Sequence[Any]) -> list[Contradiction]:
    """What there is to tell and to draw of a promise's counterexample.

    Operations that stand alone, such as every lost write, are one contradiction together.
    """
    alone = [item for item in items if act_of(item) is not None]
    found = [_together(alone)] if alone else []
    for item in items:
        if act_of(item) is None and len(found) < CASES_MAX:
            found.append(_contradiction(item))
    return found


def _together(items: Sequence[Mapping[str, Any]]) -> Contradiction:
    acts = [act for item in items if (act := act_of(item)) is not None]
    words = [_alone(item, act) for item, act in zip(items, acts, strict=True)]
    most = _LOST_MAX if items[0].get("kind") == "lost" else _WORDS_MAX
    shown = words[:most]
    if len(words) > most:
        shown.append(f"… and {len(words) - most} more in verdict.json")
    return Contradiction(tuple(shown), _ordered(acts))


def _alone(item: Mapping[str, Any], act: Act) -> str:
    """An operation that is a counterexample by itself: a lost write as a sentence of its own."""
    if item.get("kind") != "lost":
        rest = [
            f"{name.replace('_', ' ')} {_told(value)}"
            for name, value in item.items()
            if name not in _KNOWN and value is not None
        ]
        return "; ".join([act.sentence, *rest])
    who = f"{act.node} acknowledged" if act.node else "what was acknowledged:"
    end = f" at {act.end_s:.3f} s" if act.end_s is not None else ""
    after = item.get("after_fault_ms")
    since = ""
    if isinstance(after, int | float) and math.isfinite(after):
        since = f", {number(round(after))} ms after {compact(item.get('last_fault', 'the fault'))}"
    where = item.get("missing_at")
    nodes = _told(where) if isinstance(where, list) else "every node"
    from_ = f" of process {act.process}" + (f" in {act.region}" if act.region else "")
    return f"{who} {act.call}{from_}{end}{since}; the final read of {nodes} lacks it"


def _contradiction(item: Any) -> Contradiction:
    if isinstance(item, list):
        acts = [act for one in item if (act := act_of(one)) is not None]
        if acts:
            return Contradiction(tuple(act.sentence for act in acts), _ordered(acts))
    if not isinstance(item, Mapping):
        return Contradiction((compact(item),))
    since_s, until_s = _span(item)
    text = item.get("text")
    if isinstance(text, list) and text and all(isinstance(line, str) for line in text):
        words = [*text[:_LINES_MAX]]
        if len(text) > _LINES_MAX:
            words.append(f"  … and {len(text) - _LINES_MAX} lines more below")
        transactions, edges = circle_of(item)
        if edges:
            return Contradiction(tuple(words), transactions, edges=edges)
        return Contradiction(tuple(words), _ordered(_listed(item)), since_s, until_s)
    named = [
        replace(act, part=name.replace("_", " "))
        for name, value in item.items()
        if (act := act_of(value)) is not None
    ]
    rest = [
        f"{_plain(name)} {_amount(name, value)}"
        for name, value in item.items()
        if act_of(value) is None and value is not None
    ]
    words = ([", ".join(rest)] if rest else []) + [act.sentence for act in named]
    return Contradiction(tuple(words) or (compact(item),), _ordered(named), since_s, until_s)


def _listed(item: Mapping[str, Any]) -> Iterator[Act]:
    """The operations below words; of a row that differs those tell whose value stayed."""
    operations = item.get("operations")
    versions = item.get("versions")
    kept = None
    if isinstance(versions, Mapping):
        kept = [str(each) for each in versions.values() if each is not None]
    for one in operations if isinstance(operations, list) else ():
        act = act_of(one)
        if act is not None:
            telling = kept is None or str(one.get("value")) in kept
            yield replace(act, telling=telling)


def _ordered(acts: Iterator[Act] | Sequence[Act]) -> tuple[Act, ...]:
    return tuple(sorted(acts, key=lambda act: act.start_s)[:ACTS_MAX])


def _span(item: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """From when to when a contradiction lasted; nothing where it does not say both."""
    since_s, until_s = seconds_of(item.get("from_ns")), seconds_of(item.get("to_ns"))
    known = since_s is not None and until_s is not None and since_s <= until_s
    return (since_s, until_s) if known else (None, None)


def _plain(name: str) -> str:
    return name.removesuffix("_ns").removesuffix("_ms").replace("_", " ")


def _amount(name: str, value: Any) -> str:
    """A value with its unit: times of the run in seconds."""
    if name.endswith("_ns") and (time_s := seconds_of(value)) is not None:
        return f"{time_s:.3f} s"
    if name.endswith("_ms") and isinstance(value, int | float):
        return f"{number(value)} ms"
    return _told(value)


def _told(value: Any) -> str:
    """Names as words, a number without idle digits, what is told of a thing in brackets.

    Anything else is compact JSON.
    """
    if isinstance(value, Mapping):
        said = [
            f"{_plain(str(name))} {_amount(str(name), one)}"
            for name, one in value.items()
            if one is not None and one not in ("", [], {})
        ]
        return compact(f"({', '.join(said)})", 160)
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return compact(", ".join(value), 160)
    if isinstance(value, float) and math.isfinite(value):
        return number(value)
    return compact(value, 160)


_KNOWN = frozenset(
    {"line", "process", "region", "node", "f", "key", "value", "outcome", "start_ns", "end_ns"}
    | {"term", "kind"}
)
