"""Writes ``audit.html`` and ``audit.json`` of a run in which personal data was searched for."""

from __future__ import annotations

import functools
import json
import shlex
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from testbed.report.audit import audit_of
from testbed.report.judgement import Outcome
from testbed.report.recorded import RecordedRun
from testbed.report.visible import visible
from testbed.report.wording import SIGNS, number

_SHOWN_MAX = 200


def render_audit(document: dict[str, Any]) -> str:
    """The report as one HTML file: no script, nothing from elsewhere.

    Args:
        document: Of :func:`testbed.report.audit.audit_of`.
    """
    style = (resources.files("testbed.report") / "templates" / "report.css").read_text("utf-8")
    return (
        _environment()
        .get_template("audit.html.j2")
        .render(
            audit=document,
            sign=SIGNS[Outcome(document["outcome"])],
            signs={outcome.value: sign for outcome, sign in SIGNS.items()},
            style=Markup(style),  # noqa: S704 - our own file
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
        target = run.folder / name
        partial = target.with_name(f".{name}.part")
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
        written.append(target)
    return tuple(written)


def place_of(where: dict[str, Any]) -> str:
    """Where a finding is, for people."""
    inside = "".join(f" in {name}" for name in reversed(where["inside"]))
    if "node" in where:
        return f"{where['node']}: {where['file']}, byte {where['offset']}{inside}"
    return f"{where['link']}: {where['connection']}, byte {where['offset']}{inside}"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("testbed.report"),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
    )
    environment.filters |= {"number": number, "place": place_of}
    return environment


def _shown(value: Any) -> Any:
    """Markup of our own as it is, all other text made visible."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value
