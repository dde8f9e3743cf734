"""How an operation of a counterexample looks: its bar, and its name inside of it."""

from __future__ import annotations

from testbed.report.acts import Act

_PATTERNED = ("fail", "info")


def bar_style(act: Act) -> str:
    """The classes of its bar: full where it is told of, pale beside, patterned if unanswered."""
    outcome = act.outcome if act.outcome in _PATTERNED else "ok"
    return f"act {outcome} telling" if act.telling else f"act {outcome}"


def name_style(act: Act) -> str:
    """The class of its name: light on a full bar alone, as on any other it could not be read."""
    return "on-act" if act.telling and act.outcome not in _PATTERNED else "on-pale"
