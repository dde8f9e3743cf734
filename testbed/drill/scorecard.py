"""The scorecard: how long people took, measured against what was injected, beside the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from testbed.drill.book import DECLARATIONS, Entry
from testbed.history.fault_window import FaultWindow


@dataclass(frozen=True, slots=True)
class Time:
    """One time of the scorecard.

    Args:
        name: ``detect``, ``diagnose``, ``mitigate``, ``recover`` or ``machine``.
        seconds: From the first inject; None where it never came.
        who: Who said it; ``testbed`` for what was measured.
        said: In their words.
        truth: What it is measured against.
        good: Whether what was said was so; None where nobody can tell.
    """

    name: str
    seconds: float | None
    who: str = ""
    said: str = ""
    truth: str = ""
    good: bool | None = None


NEVER_NS = 2**63
"""Later than anything that anybody can say."""

_NAMES = {"detected": "detect", "cause": "diagnose", "mitigated": "mitigate"}


def times(
    entries: Sequence[Entry], windows: Sequence[FaultWindow], served_ns: int | None
) -> tuple[Time, ...]:
    """The times of a drill, in the order of an incident.

    Args:
        entries: The book.
        windows: What was injected.
        served_ns: When the last wait of any region's clients had ended; None if it did not.
    """
    if not windows:
        return ()
    began_ns = min(window.inject_ns for window in windows)
    found = [_machine(entries, began_ns)]
    found += [_declared(entries, what, windows, served_ns) for what in DECLARATIONS]
    back = next(
        (one for one in entries if (one.kind, one.what) == ("healed", "healthy") and one.good), None
    )
    found.append(
        Time(
            "recover",
            None if back is None else (back.time_ns - began_ns) / 1e9,
            "testbed",
            "the steady state is back and nothing is broken" if back else "not seen",
        )
    )
    return tuple(found)


def _machine(entries: Sequence[Entry], began_ns: int) -> Time:
    seen = next(
        (
            one
            for one in entries
            if (one.kind, one.what) == ("machine", "unsteady") and one.time_ns >= began_ns
        ),
        None,
    )
    if seen is None:
        return Time("machine", None, "testbed", "the bounds of the steady state were never broken")
    return Time("machine", (seen.time_ns - began_ns) / 1e9, "testbed", seen.text)


def _declared(
    entries: Sequence[Entry], what: str, windows: Sequence[FaultWindow], served_ns: int | None
) -> Time:
    """The first declaration of a kind, against the truth."""
    name = _NAMES[what]
    began_ns = min(window.inject_ns for window in windows)
    said = [one for one in entries if (one.kind, one.what) == ("declare", what)]
    truth, from_ns = _truth(what, windows, served_ns)
    if not said:
        return Time(name, None, truth=truth)
    # A declaration that came too early was wrong; the first one that was right counts.
    right = [one for one in said if from_ns is None or one.time_ns >= from_ns]
    counted = right[0] if right else said[0]
    good = None if what == "cause" or from_ns is None else bool(right)
    seconds = (counted.time_ns - began_ns) / 1e9
    return Time(name, round(seconds, 3), counted.who, counted.text, truth, good)


def _truth(
    what: str, windows: Sequence[FaultWindow], served_ns: int | None
) -> tuple[str, int | None]:
    """What a declaration is measured against, and from when on it is right."""
    first = min(windows, key=lambda window: window.inject_ns)
    if what == "detected":
        return f"{first.title} began", first.inject_ns
    if what == "cause":
        listed = "; ".join(
            f"{one.kind} {one.details.get('resolved') or one.title.partition(' ')[2]}"
            for one in windows
        )
        return listed, first.inject_ns
    if served_ns is None:
        return "a region was not served again", NEVER_NS
    if served_ns <= first.inject_ns:
        return "no client waited for longer than a second", None
    return (
        f"every region was served again after {(served_ns - first.inject_ns) / 1e9:.1f} s",
        served_ns,
    )


def false_alarms(entries: Sequence[Entry], windows: Sequence[FaultWindow]) -> tuple[Entry, ...]:
    """Declarations that came before anything was injected."""
    began_ns = min((window.inject_ns for window in windows), default=None)
    return tuple(
        one
        for one in entries
        if one.kind == "declare" and (began_ns is None or one.time_ns < began_ns)
    )


def document(found: Sequence[Time]) -> list[dict[str, Any]]:
    """The times as plain JSON."""
    return [
        {
            "name": one.name,
            "seconds": one.seconds,
            "who": one.who,
            "said": one.said,
            "truth": one.truth,
            "good": one.good,
        }
        for one in found
    ]
