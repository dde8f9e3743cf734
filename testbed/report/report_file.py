"""Writes the HTML report of a run folder, and the auditor's one where there is one."""

from __future__ import annotations

from pathlib import Path

from testbed.history.residency_record import RecordError
from testbed.history.whole_file import write_whole
from testbed.report.audit_file import write_audit
from testbed.report.folder import read_run
from testbed.report.html import render_html
from testbed.report.recorded import RecordedRun


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
    run = read_run(folder)
    target = output or folder / "report.html"
    try:
        write_whole(target, render_html(run))
        write_audit(run)
    except RecordError as error:
        raise ReportError(f"{error}: the auditor's report is left out") from error
    except OSError as error:
        raise ReportError(f"{target} cannot be written: {error.strerror}") from error
    return run
