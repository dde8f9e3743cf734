"""The debrief as one HTML file: no script, nothing from elsewhere."""

from __future__ import annotations

import functools

from jinja2 import Environment

from testbed.drill.debrief import NAMES, Debrief, loss_line
from testbed.report.page import page_environment, style
from testbed.report.wording import moment, number, seconds

_TONES = {"held": "valid", "missed": "violation", "inconclusive": "unknown", "not played": "error"}
_SIGNS = {"held": "✓", "missed": "✗", "inconclusive": "?", "not played": "!"}


def render_html(debrief: Debrief) -> str:
    """A whole document, well-formed as HTML and as XML."""
    return (
        _environment()
        .get_template("debrief.html.j2")
        .render(
            debrief=debrief,
            drill=debrief.drill,
            outcome=debrief.outcome,
            tone=_TONES[debrief.outcome.word],
            sign=_SIGNS[debrief.outcome.word],
            names=NAMES,
            loss=loss_line(debrief.lost),
            style=style(),
        )
    )


@functools.cache
def _environment() -> Environment:
    filters = {"seconds": seconds, "moment": moment, "number": number}
    return page_environment(filters, package="testbed.drill")
