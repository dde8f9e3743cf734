"""Fault windows: when each fault of a history was injected, seen to bite, healed, seen gone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.history.history import History
from testbed.history.operation import Operation
from testbed.history.problem import HistoryError, Problem

PHASES = ("inject", "effect", "heal", "absence")


@dataclass(frozen=True, slots=True)
class FaultWindow:
    """One injection of one fault; every time in nanoseconds since the run began.

    The fault may have bitten from ``inject_ns`` on and surely did at ``effect_ns``; it may have
    gone from ``heal_ns`` on and surely had at ``absence_ns``.

    Args:
        kind: The fault's kind, for example ``region-cut``.
        title: Kind and target for people, unique among the faults that hold at one time.
        inject_ns: When the injection began.
        effect_ns: When its effect was looked at; None if it never was.
        effect_shown: Whether the effect was shown.
        heal_ns: When healing began; None for a fault without one.
        absence_ns: When its absence was looked at; None if it never was.
        absence_shown: Whether the absence was shown.
        details: Everything else that the lines say of it, for example ``target``.
    """

    kind: str
    title: str
    inject_ns: int
    effect_ns: int | None = None
    effect_shown: bool = False
    heal_ns: int | None = None
    absence_ns: int | None = None
    absence_shown: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bitten_ns(self) -> int:
        """The latest time at which it had taken effect, as far as shown; else its injection."""
        return self.effect_ns if self.effect_shown and self.effect_ns else self.inject_ns


def fault_windows(history: History) -> tuple[FaultWindow, ...]:
    """The faults of a history in the order of their injections.

    A line's value is an object with ``phase`` (one of ``PHASES``), ``title``, and for ``effect``
    and ``absence`` ``shown`` (true or false).

    Raises:
        HistoryError: A line of a fault does not say these, or continues a fault that was never
            injected.
    """
    windows: list[FaultWindow] = []
    last: dict[str, int] = {}
    problems: list[Problem] = []
    for line in history.faults:
        expected = _expected(line, last)
        if expected:
            problems.append(Problem(line.index or 0, 0, expected))
            continue
        phase, title = line.value["phase"], line.value["title"]
        if phase == "inject":
            last[title] = len(windows)
            windows.append(FaultWindow(line.f, title, line.time, details=_details(line)))
        else:
            windows[last[title]] = _continued(windows[last[title]], phase, line)
    if problems:
        raise HistoryError(history.source, problems)
    return tuple(windows)


def _expected(line: Operation, last: Mapping[str, int]) -> str | None:
    value = line.value
    if not isinstance(value, dict):
        return f"expected the value of fault '{line.f}' to be an object"
    phase, title = value.get("phase"), value.get("title")
    if phase not in PHASES:
        return f"expected the phase of fault '{line.f}' as one of {', '.join(PHASES)}"
    if not isinstance(title, str):
        return f"expected the title of fault '{line.f}' as text"
    if phase in ("effect", "absence") and not isinstance(value.get("shown"), bool):
        return f"expected 'shown' of fault '{title}' as true or false"
    if phase != "inject" and title not in last:
        return f"fault '{title}' has a line '{phase}' but was never injected"
    return None


def _continued(window: FaultWindow, phase: str, line: Operation) -> FaultWindow:
    details = {**window.details, **_details(line)}
    if phase == "effect":
        shown = line.value["shown"]
        return dataclasses.replace(window, effect_ns=line.time, effect_shown=shown, details=details)
    if phase == "heal":
        return dataclasses.replace(window, heal_ns=line.time, details=details)
    return dataclasses.replace(
        window, absence_ns=line.time, absence_shown=line.value["shown"], details=details
    )


def _details(line: Operation) -> dict[str, Any]:
    return {
        name: value for name, value in line.value.items() if name not in ("phase", "title", "shown")
    }
