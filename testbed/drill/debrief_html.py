"""The debrief as one HTML file: no script, nothing from elsewhere."""

from __future__ import annotations

import functools

from jinja2 import Environment

from testbed.checkers.verdict import Validity
from testbed.drill.debrief import NAMES, Debrief, loss_line
from testbed.report.judgement import Outcome
from testbed.report.page import page_environment
from testbed.report.wording import moment, number, seconds

_OUTCOMES = {
    None: Outcome.ERROR,
    Validity.VALID: Outcome.VALID,
    Validity.VIOLATION: Outcome.VIOLATION,
    Validity.UNKNOWN: Outcome.UNKNOWN,
}


def render_html(debrief: Debrief) -> str:
    """A whole document, well-formed as HTML and as XML."""
    return (
        _environment()
        .get_template("debrief.html.j2")
        .render(
            debrief=debrief,
            drill=debrief.drill,
            outcome=_OUTCOMES[debrief.outcome.validity],
            outcomes=_OUTCOMES,
            line=f"{debrief.drill.title}: the objective was {debrief.outcome.word}",
            names=NAMES,
            loss=loss_line(debrief.lost),
        )
    )


@functools.cache
def _environment() -> Environment:
    filters = {"seconds": seconds, "moment": moment, "number": number}
    return page_environment(filters, package="testbed.drill")
