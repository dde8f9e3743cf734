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

from testbed.report.visible import compact
from testbed.report.wording import number

CASES_MAX = 3
"""So many contradictions of one promise are drawn; verdict.json has all."""

_ACTS_MAX = 60
_WORDS_MAX = 8
_LOST_MAX = 4
_LINES_MAX = 12
_OUTCOMES = {
    "ok": "acknowledged",
    "info": "of unknown outcome",
    "fail": "refused",
}


@dataclass(frozen=True, slots=True)
class Act:
    """An operation of a counterexample.

    Args:
        process: The client.
        region: Its region, or empty.
        node: Who answered, or empty.
        call: What was asked, and what a read showed.
        outcome: ``ok``, ``fail``, ``info``, or empty.
        start_s: When it was sent.
        end_s: When it was answered; None where it never was.
        part: Its part in the contradiction, or empty.
        telling: Whether the contradiction is about it, rather than what led there.
    """

    process: str
    region: str
    node: str
    call: str
    outcome: str
    start_s: float
    end_s: float | None
    part: str = ""
    telling: bool = True

    @property
    def sentence(self) -> str:
        """Who did what when, and who answered."""
        where = f" in {self.region}" if self.region else ""
        by = f" by {self.node}" if self.node else ""
        until = f" to {self.end_s:.3f} s" if self.end_s is not None else " on"
        outcome = _OUTCOMES.get(self.outcome, self.outcome)
        part = f"{self.part}: " if self.part else ""
        told = f", {outcome}{by}" if outcome else by
        return (
            f"{part}process {self.process}{where}: {self.call}{told}, {self.start_s:.3f} s{until}"
        )


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One counterexample.

    Args:
        words: What contradicts what, line by line.
        acts: The operations, by time.
        since_s: When the contradiction lasted from, where it has a length.
        until_s: And until when.
    """

    words: tuple[str, ...]
    acts: tuple[Act, ...] = ()
    since_s: float | None = None
    until_s: float | None = None


def contradictions(items: Sequence[Any]) -> list[Contradiction]:
    """What there is to tell and to draw of a promise's counterexample.

    Operations that stand alone, such as every lost write, are one contradiction together.
    """
    alone = [item for item in items if _act(item) is not None]
    found = [_together(alone)] if alone else []
    for item in items:
        if _act(item) is None and len(found) < CASES_MAX:
            found.append(_contradiction(item))
    return found


def _together(items: Sequence[Mapping[str, Any]]) -> Contradiction:
    acts = [act for item in items if (act := _act(item)) is not None]
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
        acts = [act for one in item if (act := _act(one)) is not None]
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
        return Contradiction(tuple(words), _ordered(_listed(item)), since_s, until_s)
    named = [
        replace(act, part=name.replace("_", " "))
        for name, value in item.items()
        if (act := _act(value)) is not None
    ]
    rest = [
        f"{_plain(name)} {_amount(name, value)}"
        for name, value in item.items()
        if _act(value) is None and value is not None
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
        act = _act(one)
        if act is not None:
            telling = kept is None or str(one.get("value")) in kept
            yield replace(act, telling=telling)


def _act(item: Any) -> Act | None:
    """An operation as checkers show it; None for anything else."""
    if not isinstance(item, Mapping) or "f" not in item:
        return None
    start_s, end_s = _seconds(item.get("start_ns")), _seconds(item.get("end_ns"))
    if start_s is None:
        return None
    call = " ".join(
        compact(item[name], 60) for name in ("f", "key", "value") if item.get(name) is not None
    )
    return Act(
        process=compact(item.get("process", "?"), 20),
        region=compact(item.get("region") or "", 60),
        node=compact(item.get("node") or "", 60),
        call=call,
        outcome=compact(item.get("outcome") or "", 20),
        start_s=start_s,
        end_s=None if end_s is None else max(end_s, start_s),
    )


def _ordered(acts: Iterator[Act] | Sequence[Act]) -> tuple[Act, ...]:
    return tuple(sorted(acts, key=lambda act: act.start_s)[:_ACTS_MAX])


def _span(item: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """From when to when a contradiction lasted; nothing where it does not say both."""
    since_s, until_s = _seconds(item.get("from_ns")), _seconds(item.get("to_ns"))
    known = since_s is not None and until_s is not None and since_s <= until_s
    return (since_s, until_s) if known else (None, None)


def _seconds(time_ns: Any) -> float | None:
    if not isinstance(time_ns, int | float) or isinstance(time_ns, bool):
        return None
    return time_ns / 1e9 if math.isfinite(time_ns) and abs(time_ns) < 1e18 else None


def _plain(name: str) -> str:
    return name.removesuffix("_ns").removesuffix("_ms").replace("_", " ")


def _amount(name: str, value: Any) -> str:
    """A value with its unit: times of the run in seconds."""
    if name.endswith("_ns") and (time_s := _seconds(value)) is not None:
        return f"{time_s:.3f} s"
    if name.endswith("_ms") and isinstance(value, int | float):
        return f"{number(value)} ms"
    return _told(value)


def _told(value: Any) -> str:
    """A list of names as words, a number without idle digits, anything else as compact JSON."""
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return compact(", ".join(value), 160)
    if isinstance(value, float) and math.isfinite(value):
        return number(value)
    return compact(value, 160)


_KNOWN = frozenset(
    {"line", "process", "region", "node", "f", "key", "value", "outcome", "start_ns", "end_ns"}
    | {"term", "kind"}
)
