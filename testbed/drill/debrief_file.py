"""The files of a debrief: HTML and Markdown for people, JSON for machines."""

from __future__ import annotations

from pathlib import Path

from testbed.drill.channel import RUN
from testbed.drill.debrief import Debrief, debrief_of
from testbed.drill.debrief_html import render_html
from testbed.drill.debrief_markdown import render_markdown
from testbed.drill.drill import Drill
from testbed.drill.outcome import Outcome
from testbed.drill.session_file import read_setup
from testbed.history.whole_file import write_whole
from testbed.metrics.textfile import write_textfile
from testbed.runner.folder import FolderError, RunFolder, write_json

HTML, MARKDOWN, SCORECARD = "debrief.html", "debrief.md", "scorecard.json"


def write_debrief(path: Path, drill: Drill, outcome: Outcome) -> Debrief:
    """Write what a drill's folder gives, its metrics included: each file whole or not at all.

    Raises:
        FolderError: The folder is incomplete or damaged, or cannot be written.
        HistoryError: The history is damaged.
    """
    setup = read_setup(path)
    debrief = debrief_of(
        RunFolder(path / RUN),
        drill,
        outcome,
        auto=setup.auto,
        control=setup.control,
        source=setup.source,
    )
    try:
        write_whole(path / HTML, render_html(debrief))
        write_whole(path / MARKDOWN, render_markdown(debrief))
    except OSError as error:
        raise FolderError(f"{path} cannot be written: {error.strerror}") from error
    write_json(path / SCORECARD, debrief.plain())
    write_textfile(RunFolder(path / RUN))
    return debrief
