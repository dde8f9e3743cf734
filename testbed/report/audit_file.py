"""Writes ``audit.html`` and ``audit.json`` of a run in which personal data was searched for."""

from __future__ import annotations

import functools
import json
import shlex
from pathlib import Path
from typing import Any

from jinja2 import Environment

from testbed.history.whole_file import write_whole
from testbed.report.audit import audit_of
from testbed.report.judgement import Outcome
from testbed.report.page import page_environment
from testbed.report.recorded import RecordedRun
from testbed.report.wording import number

_SHOWN_MAX = 200


def render_audit(document: dict[str, Any]) -> str:
    """The report as one HTML file: no script, nothing from elsewhere.

    Args:
        document: Of :func:`testbed.report.audit.audit_of`.
    """
    return (
        _environment()
        .get_template("audit.html.j2")
        .render(
            audit=document,
            outcome=Outcome(document["outcome"]),
            command=shlex.join(document["reproduce"]),
            shown_max=_SHOWN_MAX,
        )
    )


def write_audit(run: RecordedRun) -> tuple[Path, ...]:
    """Write both files into the run folder, each whole or not at all.

    Returns:
        The files; none when personal data was not searched for.

    Raises:
        RecordError: The record of the search is damaged.
        OSError: A file cannot be written.
    """
    document = audit_of(run)
    if document is None:
        return ()
    written = []
    for name, text in (
        ("audit.json", json.dumps(document, indent=1) + "\n"),
        ("audit.html", render_audit(document)),
    ):
        write_whole(run.folder / name, text)
        written.append(run.folder / name)
    return tuple(written)


def place_of(where: dict[str, Any]) -> str:
    """Where a finding is, for people."""
    inside = "".join(f" in {name}" for name in reversed(where["inside"]))
    if "node" in where:
        return f"{where['node']}: {where['file']}, byte {where['offset']}{inside}"
    return f"{where['link']}: {where['connection']}, byte {where['offset']}{inside}"


@functools.cache
def _environment() -> Environment:
    return page_environment({"number": number, "place": place_of})
