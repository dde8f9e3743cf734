from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from testbed.report.recorded import RecordedRun
from testbed.report.suite import Suite
from testbed.report.terminal import console_for, is_plain, print_run, print_suite

RUNS = ["broken", "valid", "unknown", "failed", "unjudged"]


class Terminal(io.StringIO):
    """Text that says of itself that it is a terminal."""

    def isatty(self) -> bool:
        return True


def printed(run: RecordedRun | Suite, stream: io.StringIO, environ: dict[str, str]) -> str:
    console = console_for(stream, environ)
    if isinstance(run, Suite):
        print_suite(console, run)
    else:
        print_run(console, run)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("stream", "environ", "plain"),
    [
        (Terminal(), {"TERM": "xterm"}, False),
        (io.StringIO(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": ""}, False),
        (Terminal(), {"TERM": "xterm", "CI": "true"}, True),
        (Terminal(), {"TERM": "dumb"}, True),
        (Terminal(), {}, True),
    ],
)
def test_escape_codes_are_for_terminals_alone(
    stream: io.StringIO, environ: dict[str, str], plain: bool, broken: RecordedRun
) -> None:
    assert is_plain(stream, environ) is plain
    assert ("\x1b" not in printed(broken, stream, environ)) is plain


@pytest.mark.parametrize("name", RUNS)
def test_the_verdict_stands_in_the_first_line(name: str, request: pytest.FixtureRequest) -> None:
    text = printed(request.getfixturevalue(name), io.StringIO(), {})
    words = {
        "broken": "✗ Broken: 1 of 6 promises",
        "valid": "✓ All 6 promises held",
        "unknown": "? Inconclusive: not a pass",
        "failed": "! The environment failed",
        "unjudged": "? Not judged",
    }
    assert text.startswith(words[name])
    assert "testbed replay" in text


def test_figures_and_reasons_are_printed(broken: RecordedRun) -> None:
    text = " ".join(printed(broken, io.StringIO(), {}).split())
    assert "✗ No acknowledged write is lost" in text
    assert "eu-central: 9.1 s of 30.0 s ✓" in text
    assert "3.65 s = 182" in text
    assert "eu-west 54.1 %" in text


def test_lines_of_a_log_have_no_idle_space(broken: RecordedRun) -> None:
    for line in printed(broken, io.StringIO(), {}).splitlines():
        assert line == line.rstrip()
        assert len(line) <= 100


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
@pytest.mark.parametrize("name", RUNS)
def test_every_width_is_kept_and_nothing_is_cut_off(
    name: str, columns: int, request: pytest.FixtureRequest
) -> None:
    text = printed(request.getfixturevalue(name), io.StringIO(), {"COLUMNS": str(columns)})
    assert max(map(len, text.splitlines())) <= columns
    assert "…" not in text


def test_a_suite_lists_all_runs_with_the_worst_first(
    broken: RecordedRun, valid: RecordedRun, unknown: RecordedRun, failed: RecordedRun
) -> None:
    suite = Suite("failover", (valid, unknown, broken, failed), duration_s=612.0)
    lines = printed(suite, io.StringIO(), {}).splitlines()
    assert lines[0] == (
        "✗ failover: 4 examples in 10 min 12 s: "
        "1 broken, 1 environment failed, 1 inconclusive, 1 held"
    )
    assert [line.split()[0] for line in lines[1:5]] == ["✗", "!", "?", "✓"]


def test_a_suite_of_one_run_is_that_run(valid: RecordedRun) -> None:
    alone = printed(Suite("failover", (valid,)), io.StringIO(), {})
    assert alone == printed(valid, io.StringIO(), {})


def test_a_suite_that_failed_before_any_run_says_why() -> None:
    suite = Suite("failover", (), problem="consul could not be built: no Go; install golang-go")
    text = printed(suite, io.StringIO(), {})
    assert text.startswith("! failover: 0 examples: none ran")
    assert "install golang-go" in text


def test_a_long_suite_is_summed_up(valid: RecordedRun, broken: RecordedRun) -> None:
    text = printed(Suite("failover", (valid,) * 50 + (broken,) * 20), io.StringIO(), {})
    assert "and 40 more" in text
    assert "and 15 more that did not hold" in text
    assert len(text.splitlines()) < 140


def test_escape_codes_in_names_are_not_obeyed(broken: RecordedRun) -> None:
    evil = replace(broken, folder=Path("/tmp/\x1b]0;owned\x07run"))
    assert "\x1b" not in printed(evil, io.StringIO(), {})


def test_a_terminal_without_unicode_gets_ascii(broken: RecordedRun) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    console = console_for(stream, {})
    print_run(console, broken)
    stream.flush()
    assert raw.getvalue().decode("ascii").startswith("XX Broken: 1 of 6 promises")


def test_a_console_of_any_kind_will_do(broken: RecordedRun) -> None:
    stream = io.StringIO()
    print_run(Console(file=stream, force_terminal=True, color_system="truecolor"), broken)
    assert "\x1b[" in stream.getvalue()
