"""What pytest says of tests that ran clusters: outcomes of their own, exit codes, runs."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import pytest

from experiments.outcomes import Kind, kind_of

_SHOWN: Mapping[Kind, tuple[str, str, str]] = {
    Kind.INCONCLUSIVE: ("inconclusive", "I", "INCONCLUSIVE"),
    Kind.ENVIRONMENT: ("environment failed", "N", "ENVIRONMENT FAILED"),
    Kind.USAGE: ("bad usage", "U", "BAD USAGE"),
}
"""Category in the summary, letter and word; a broken promise is a failure like any other."""


class Reports:
    """Watches the reports of a session; with pytest-xdist those of every worker.

    Args:
        config: Of the session.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._worker = hasattr(config, "workerinput")
        self._kinds: set[Kind] = set()
        self._others = False
        self._runs: list[tuple[str, str]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, Any]:
        """Note on the report why a test did not pass, and what it ran."""
        report: Any = yield
        kind = kind_of(call.excinfo.value) if call.excinfo is not None else None
        if kind is not None:
            report.testbed_kind = kind.value
        if kind not in (None, Kind.BROKEN) and hasattr(report, "wasxfail"):
            # Nobody can expect to learn nothing.
            del report.wasxfail
            report.outcome = "failed"
        made = getattr(item, "funcargs", {}).get("run_plan")
        if made is not None and call.when == "call":
            report.testbed_runs = [
                [_word(one.validity), str(one.folder.path)] for one in made.judgements
            ]
        return report

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """Category, letter and word of what is neither a pass nor a broken promise."""
        kind = getattr(report, "testbed_kind", None)
        return _SHOWN.get(Kind(kind)) if kind and report.failed else None

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Remember what decides the exit code."""
        self._runs += [(word, folder) for word, folder in getattr(report, "testbed_runs", ())]
        if report.failed:
            kind = getattr(report, "testbed_kind", None)
            if kind:
                self._kinds.add(Kind(kind))
            else:
                self._others = True

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Give a session that failed for nothing but the testbed's kinds the worst one's code."""
        failed = session.exitstatus == pytest.ExitCode.TESTS_FAILED
        if failed and self._kinds and not self._others and not self._worker:
            worst = next(kind for kind in Kind if kind in self._kinds)
            session.exitstatus = worst.exit_code

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The reasons of what showed nothing, and where every run is."""
        for category, _, word in _SHOWN.values():
            found = terminalreporter.stats.get(category, [])
            if found:
                terminalreporter.section(word.lower(), "=")
            for report in found:
                terminalreporter.section(report.nodeid, "_")
                terminalreporter.write_line(report.longreprtext)
        if self._runs:
            terminalreporter.section("runs", "=")
        for word, folder in self._runs:
            terminalreporter.write_line(f"{word:12} {folder}")


def _word(validity: Any) -> str:
    names = {"VALID": "held", "VIOLATION": "broken", "UNKNOWN": "inconclusive"}
    return "failed" if validity is None else names[validity.name]
