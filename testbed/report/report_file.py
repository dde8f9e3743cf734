"""Writes the HTML reports: of a run, the auditor's one where there is one, and of a suite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from testbed.history.residency_record import RecordError
from testbed.history.whole_file import write_whole
from testbed.report.audit_file import write_audit
from testbed.report.comparison import Compared
from testbed.report.folder import read_run
from testbed.report.html import render_html
from testbed.report.recorded import RecordedRun
from testbed.report.suite_folder import read_suites
from testbed.report.suite_index import render_index


class ReportError(Exception):
    """The report could not be written; the message says where and why."""


def write_report(folder: Path, output: Path | None = None) -> RecordedRun:
    """Render a run and write it whole or not at all.

    Args:
        folder: The run folder.
        output: Where to; ``report.html`` in the folder if None.

    Returns:
        The run as it was read.

    Raises:
        RunFolderError: There is no run to show.
        ReportError: The file can't be written.
    """
    # The page names its folder: the same page from wherever it is asked for.
    run = read_run(folder.absolute())
    target = output or folder / "report.html"
    try:
        write_whole(target, render_html(run))
        write_audit(run)
    except RecordError as error:
        raise ReportError(f"{error}: the auditor's report is left out") from error
    except OSError as error:
        raise ReportError(f"{target} cannot be written: {error.strerror}") from error
    return run


def write_index(folder: Path, suites: Sequence[Compared], output: Path | None = None) -> Path:
    """Write the page that lists all runs of a suite, whole or not at all.

    Args:
        folder: The suite's folder.
        suites: What became of it: one with an empty value, or one for each value.
        output: Where to; ``index.html`` in the folder if None.

    Returns:
        The file.

    Raises:
        ReportError: The file can't be written.
    """
    target = output or folder / "index.html"
    try:
        write_whole(target, render_index(suites, target.parent))
    except OSError as error:
        raise ReportError(f"{target} cannot be written: {error.strerror}") from error
    return target


def write_suite_reports(
    folder: Path, output: Path | None = None
) -> tuple[tuple[Compared, ...], Path]:
    """Write every report of a suite's folder again: of each run, and the list of them.

    Returns:
        What became of the suite, and where the list is.

    Raises:
        RunFolderError: There is no suite in the folder.
        ReportError: A file can't be written.
    """
    folder = folder.absolute()
    suites = read_suites(folder)
    for one in suites:
        for run in one.suite.runs:
            write_report(run.folder)
    return suites, write_index(folder, suites, output)
