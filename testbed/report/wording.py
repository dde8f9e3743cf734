"""Numbers as people read them, and outcomes as words with a symbol."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.report.judgement import Outcome


@dataclass(frozen=True, slots=True)
class Sign:
    """How an outcome is shown: never by colour alone.

    Args:
        symbol: One character.
        plain: The same in ASCII, for terminals that have no more.
        word: In capitals where it stands alone.
        colour: A name that rich knows.
    """

    symbol: str
    plain: str
    word: str
    colour: str


SIGNS = {
    Outcome.VALID: Sign("✓", "ok", "held", "green"),
    Outcome.VIOLATION: Sign("✗", "XX", "broken", "red"),
    Outcome.UNKNOWN: Sign("?", "??", "inconclusive", "yellow"),
    Outcome.ERROR: Sign("!", "!!", "environment failed", "magenta"),
}


def seconds(value: float | None) -> str:
    """``9.1 s``; ``-`` for none; more digits below a tenth; minutes from two of them on."""
    if value is None:
        return "-"
    if abs(value) >= 7200:
        return f"{int(value // 3600)} h {int(value % 3600 // 60)} min"
    if abs(value) >= 120:
        return f"{int(value // 60)} min {int(value % 60)} s"
    return f"{value:.3f} s" if 0 < abs(value) < 0.1 else f"{value:.1f} s"


def moment(value: float | None) -> str:
    """A time on the run's clock: always seconds, so that it compares with the plan and figures."""
    return "-" if value is None else f"{value:.1f} s"


def number(value: float | None) -> str:
    """At most three digits after the point, thousands apart; ``-`` for none."""
    if value is None:
        return "-"
    text = f"{value:,.3f}" if abs(value) < 100 else f"{value:,.1f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def bounds(pair: tuple[float, float] | None) -> str:
    """``12 to 14``; one number where both are the same; ``-`` for none."""
    if pair is None:
        return "-"
    low, high = (number(round(value, 1)) for value in pair)
    return low if low == high else f"{low} to {high}"


def percent(share: float | None) -> str:
    """A share of 0 to 1 in per cent; never rounded up to all of it."""
    if share is None:
        return "-"
    text = f"{share * 100:.1f}"
    return "99.9 %" if text == "100.0" and share < 1 else f"{text.removesuffix('.0')} %"
