"""A run as one HTML file: no script, nothing from elsewhere, readable on a phone and on paper."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Sequence
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from testbed.checkers.counted import counted
from testbed.history.residency_record import FILE
from testbed.report.contradiction import CASES_MAX, contradictions
from testbed.report.counterexample import counterexample_text
from testbed.report.figures.canvas import VARIANTS
from testbed.report.figures.contradiction import figures
from testbed.report.figures.frame import Frame, frame
from testbed.report.figures.lag import drawn_links, lag_figure
from testbed.report.figures.overview import overview
from testbed.report.figures.region import region_figure
from testbed.report.figures.streams import observed_streams, streams_figure
from testbed.report.judgement import Outcome, Promise
from testbed.report.lanes import fault_title, full_title
from testbed.report.log_story import log_rows
from testbed.report.loss import check_loss
from testbed.report.page import page_environment
from testbed.report.recorded import RecordedRun
from testbed.report.story import caveats, headline, moments
from testbed.report.tiles import about, environment_pairs, region_note, tiles
from testbed.report.visible import compact, visible
from testbed.report.wording import bounds, moment, number, percent, seconds

_REGIONS_MAX = 16
_TEXT_MAX = 8000
_DRAWN_MAX = 8
"""So many counterexamples are drawn: the page stays below a megabyte whatever broke."""

_DEBRIEF = "debrief.html"
"""Stands beside the run folder of a drill."""

_PARTS = (
    ("promises", "Promises", "promises"),
    ("why", "Counterexamples", "explained"),
    ("overview", "At one look", "overview"),
    ("story", "What happened", "moments"),
    ("rto", "RTO", "recoveries"),
    ("rpo", "RPO", "loss"),
    ("regions", "Regions", "regions"),
    ("lag", "Replication lag", "lag"),
    ("streams", "Replication", "streams"),
    ("staleness", "Staleness", "staleness"),
    ("evidence", "Evidence", "evidence"),
    ("links", "Links", "links"),
    ("logs", "Logs", "log_rows"),
    ("plan", "Plan and replay", ""),
    ("environment", "Environment", "environment"),
)
"""The parts of the page: anchor, name, and what it needs to be there."""

_WORST_FIRST = (Outcome.VIOLATION, Outcome.ERROR, Outcome.UNKNOWN, Outcome.VALID)


def render_html(run: RecordedRun) -> str:
    """The report of one run.

    Args:
        run: As read from its folder; whatever is missing in it is left out and named.

    Returns:
        A whole document, well-formed as HTML and as XML, below a megabyte.
    """
    frames = [frame(run, variant) for variant in VARIANTS]
    shown = _verdict(run, frames) | _pictures(run, frames) | _lag(run, frames) | _tables(run)
    parts = [(anchor, name) for anchor, name, needs in _PARTS if not needs or shown[needs]]
    return _environment().get_template("report.html.j2").render(shown, parts=parts)


def _verdict(run: RecordedRun, frames: Sequence[Frame]) -> dict[str, Any]:
    """What the page begins with: the verdict, and what contradicts each broken promise."""
    found = headline(run)
    promises = sorted(run.judgement.promises, key=_worst_first) if run.judgement else []
    open_ = [one for one in promises if one.counterexample and one.outcome is not Outcome.VALID]
    return {
        "run": run,
        "headline": found,
        "outcome": found.outcome,
        "about": about(run),
        "audited": (run.folder / FILE).exists(),
        "debrief": _debrief(run),
        "tiles": tiles(run),
        "caveats": caveats(run),
        "promises": promises,
        "explained": _explained(open_, frames),
        "explained_at": {promise.name: place for place, promise in enumerate(open_, 1)},
    }


def _debrief(run: RecordedRun) -> str:
    """Where the debrief of the drill is that a run is part of, from its folder; empty without."""
    return f"../{_DEBRIEF}" if (run.folder.parent / _DEBRIEF).exists() else ""


def _pictures(run: RecordedRun, frames: Sequence[Frame]) -> dict[str, Any]:
    """The run over time."""
    happened = moments(run)
    rows = log_rows(run, happened)
    return {
        "overview": [overview(each) for each in frames] if run.calls or run.roles else [],
        "moments": happened,
        "log_rows": rows,
        "log_nodes": sorted({row.node for row in rows if row.node}),
        "regions": [
            {
                "name": name,
                "note": region_note(run, name),
                "figures": [region_figure(each, name) for each in frames],
            }
            for name in list(frames[0].series)[:_REGIONS_MAX]
        ],
        "has_reads": any(any(series.reads) for series in frames[0].series.values()),
    }


def _lag(run: RecordedRun, frames: Sequence[Frame]) -> dict[str, Any]:
    """Replication lag by link where it was measured, else what servers said of their streams."""
    lag = run.judgement.lag if run.judgement else None
    drawn = drawn_links(lag.links) if lag else []
    streams = [] if drawn else observed_streams(run.streams)
    return {
        "streams": streams,
        "streams_figures": [streams_figure(each, streams) for each in frames] if streams else [],
        "lag": lag if lag and lag.links else None,
        "staleness": run.judgement.staleness if run.judgement else (),
        "lag_drawn": drawn[0].measurement if drawn else "",
        "lag_figures": [lag_figure(each, drawn) for each in frames] if drawn else [],
    }


def _tables(run: RecordedRun) -> dict[str, Any]:
    """What was measured and what it rests on, in rows."""
    judged = run.judgement
    return {
        "recoveries": judged.recoveries if judged else (),
        "kept": judged.kept if judged else None,
        "loss": judged.loss if judged else None,
        "loss_check": check_loss(run),
        "full_title": lambda title, time_s: full_title(run, title, time_s),
        "evidence": run.evidence,
        "links": judged.links if judged else (),
        "environment": environment_pairs(run),
        "folder_argument": shlex.quote(str(run.folder)),
    }


def _explained(promises: Sequence[Promise], frames: Sequence[Frame]) -> list[dict[str, Any]]:
    """The first contradictions of each promise in words, and as figures up to a number."""
    room = _DRAWN_MAX
    explained = []
    for promise in promises:
        told = []
        for found in contradictions(promise.counterexample)[:CASES_MAX]:
            drawn = figures(frames, found) if room > 0 else []
            room -= bool(drawn)
            told.append({"words": found.words, "figures": drawn})
        explained.append({"promise": promise, "found": told})
    return explained


def _worst_first(promise: Promise) -> int:
    return _WORST_FIRST.index(promise.outcome)


@functools.cache
def _environment() -> Environment:
    return page_environment(
        {
            "seconds": seconds,
            "moment": moment,
            "number": number,
            "counted": counted,
            "json": compact,
            "bounds": bounds,
            "percent": percent,
            "cut": visible,
            "counterexample": _counterexample,
            "fault_title": fault_title,
        }
    )


def _counterexample(items: Sequence[Any]) -> Markup:
    """Lines that stay lines: ``_shown`` would spell their ends out."""
    text = counterexample_text(items)
    if len(text) > _TEXT_MAX:
        text = f"{text[:_TEXT_MAX]}…\nthe rest is in verdict.json"
    return Markup("\n").join(text.split("\n"))
