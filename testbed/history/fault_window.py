"""Fault windows: when each fault of a history was injected, seen to bite, healed, seen gone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.history.history import History
from testbed.history.operation import Operation
from testbed.history.problem import HistoryError, Problem

PHASES = ("inject", "injected", "effect", "heal", "healed", "absence")


@dataclass(frozen=True, slots=True)
class FaultWindow:
    """One injection of one fault; every time in nanoseconds since the run began.

    The fault may have bitten from ``inject_ns`` on and was seen to at ``effect_ns``; it may have
    gone from ``heal_ns`` on and was seen gone at ``absence_ns``.

    Args:
        kind: The fault's kind, for example ``region-cut``.
        title: Kind and target for people.
        inject_ns: When the injection began.
        injected_ns: When it was done; None if it failed.
        effect_ns: When its effect had been looked for; None if it never was.
        effect_shown: Whether the effect was shown.
        heal_ns: When healing began; None for a fault that was not healed.
        healed_ns: When it was done; None if it failed.
        absence_ns: When its absence had been looked for; None if it never was.
        absence_shown: Whether the absence was shown.
        details: Everything else that the lines say of it, for example ``step``, ``resolved``.
    """

    kind: str
    title: str
    inject_ns: int
    injected_ns: int | None = None
    effect_ns: int | None = None
    effect_shown: bool = False
    heal_ns: int | None = None
    healed_ns: int | None = None
    absence_ns: int | None = None
    absence_shown: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bitten_ns(self) -> int:
        """The latest time at which it had taken effect: the end of its injection."""
        return self.inject_ns if self.injected_ns is None else self.injected_ns

    @property
    def resolved(self) -> str:
        """What its target was at that moment: a name, a link ``a->b``; empty where nobody says."""
        return str(self.details.get("resolved") or "")

    @property
    def resolved_node(self) -> str:
        """The same without the program behind a node's name."""
        return self.resolved.split("/")[0]


def fault_windows(history: History) -> tuple[FaultWindow, ...]:
    """The faults of a history in the order of their injections.

    A line's value is an object with ``phase`` (one of ``PHASES``) and ``title``, for ``effect``
    and ``absence`` with ``shown`` (true or false), and with ``step``, the fault's number in the
    schedule, where a fault of the same title holds at the same time.

    Raises:
        HistoryError: A line of a fault does not say these, or continues a fault that was never
            injected.
    """
    windows: list[FaultWindow] = []
    last: dict[Any, int] = {}
    problems: list[Problem] = []
    for line in history.faults:
        expected = _expected(line, last)
        if expected:
            problems.append(Problem(line.index or 0, 0, expected))
        elif line.value["phase"] == "inject":
            last[_identity(line)] = len(windows)
            title = line.value["title"]
            windows.append(FaultWindow(line.f, title, line.time, details=_details(line)))
        else:
            place = last[_identity(line)]
            windows[place] = _continued(windows[place], line)
    if problems:
        raise HistoryError(history.source, problems)
    return tuple(windows)


def _identity(line: Operation) -> tuple[Any, str]:
    return line.value.get("step"), line.value["title"]


def _expected(line: Operation, last: Mapping[Any, int]) -> str | None:
    value = line.value
    if not isinstance(value, dict):
        return f"expected the value of fault '{line.f}' to be an object"
    if value.get("phase") not in PHASES:
        return f"expected the phase of fault '{line.f}' as one of {', '.join(PHASES)}"
    if not isinstance(value.get("title"), str):
        return f"expected the title of fault '{line.f}' as text"
    if type(value.get("step", 0)) is not int:
        return f"expected 'step' of fault '{value['title']}' as a whole number"
    return _unfit(line, last)


def _unfit(line: Operation, last: Mapping[Any, int]) -> str | None:
    phase, title = line.value["phase"], line.value["title"]
    if phase in ("effect", "absence") and not isinstance(line.value.get("shown"), bool):
        return f"expected 'shown' of fault '{title}' as true or false"
    if phase != "inject" and _identity(line) not in last:
        return f"fault '{title}' has a line '{phase}' but was never injected"
    return None


def _continued(window: FaultWindow, line: Operation) -> FaultWindow:
    phase = line.value["phase"]
    changed: dict[str, Any] = {f"{phase}_ns": line.time}
    if phase in ("effect", "absence"):
        changed[f"{phase}_shown"] = line.value["shown"]
    return dataclasses.replace(window, details={**window.details, **_details(line)}, **changed)


def _details(line: Operation) -> dict[str, Any]:
    named = ("phase", "title", "shown", "observation")
    return {name: value for name, value in line.value.items() if name not in named}
