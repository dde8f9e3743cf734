"""What is printed when a run or a suite is over."""

from __future__ import annotations

import io
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from testbed.checkers.counted import counted
from testbed.report.judgement import Outcome
from testbed.report.loss import check_loss
from testbed.report.recorded import RecordedRun
from testbed.report.story import caveats, headline, outcome_of
from testbed.report.suite import Suite, run_faults, run_name
from testbed.report.visible import visible
from testbed.report.wording import SIGNS, percent, seconds

_LOG_WIDTH = 100
_RUNS_MAX = 30
_DETAILS_MAX = 5
_WORST_FIRST = (Outcome.VIOLATION, Outcome.ERROR, Outcome.UNKNOWN, Outcome.VALID)


def is_plain(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """True where no escape code may be written: a pipe, a CI log, NO_COLOR, a dumb terminal."""
    return (
        not stream.isatty()
        or bool(environ.get("NO_COLOR"))
        or bool(environ.get("CI"))
        or environ.get("TERM", "") in {"", "dumb"}
    )


def console_for(stream: TextIO, environ: Mapping[str, str]) -> Console:
    """A console on a stream: coloured on a terminal, plain text everywhere else."""
    plain = is_plain(stream, environ)
    if isinstance(stream, io.TextIOWrapper) and not stream.encoding.lower().startswith("utf"):
        # A character that the terminal does not have must not end the program.
        stream.reconfigure(errors="replace")
    columns = environ.get("COLUMNS", "")
    width = None if stream.isatty() else int(columns) if columns.isdigit() else _LOG_WIDTH
    return Console(
        file=stream,
        force_terminal=False if plain else None,
        color_system=None if plain else "auto",
        no_color=plain or None,
        width=width or None,
        markup=False,
        emoji=False,
        highlight=False,
        _environ=environ,
    )


def sign(outcome: Outcome, console: Console) -> Text:
    """The outcome's symbol in its colour, in ASCII where the console has no more."""
    shown = SIGNS[outcome]
    symbol = shown.plain if console.options.ascii_only else shown.symbol
    return Text(symbol, style=f"bold {shown.colour}")


def print_run(console: Console, run: RecordedRun) -> None:
    """Prints what became of one run."""
    _print(console, _run_parts(run, console, all_promises=True))


def print_suite(console: Console, suite: Suite) -> None:
    """Prints what became of a suite: all runs in a list, those that are not green in detail."""
    if len(suite.runs) == 1 and not suite.problem:
        print_run(console, suite.runs[0])
        return
    _print(console, _suite_parts(suite, console))


def _print(console: Console, parts: Iterator[RenderableType]) -> None:
    """Prints the parts; in a log without the spaces that would fill each line."""
    if console.color_system is not None:
        console.print(Group(*parts))
        return
    with console.capture() as capture:
        console.print(Group(*parts))
    for line in capture.get().splitlines():
        console.file.write(f"{line.rstrip()}\n")
    console.file.flush()


def _suite_parts(suite: Suite, console: Console) -> Iterator[RenderableType]:
    counts = suite.counts
    tallies = [f"{counts[each]} {SIGNS[each].word}" for each in _WORST_FIRST if counts[each]]
    took = f" in {seconds(suite.duration_s)}" if suite.duration_s is not None else ""
    total = f"{counted(len(suite.runs), 'example')}{took}: {', '.join(tallies) or 'none ran'}"
    yield _line(suite.outcome, console, f"{suite.experiment}: {total}")
    if suite.problem:
        yield _indented(Text(visible(suite.problem)))
    ranked = sorted(suite.runs, key=lambda run: _WORST_FIRST.index(outcome_of(run)))
    yield from _rows(
        [
            (
                sign(outcome_of(run), console),
                _text(run_name(run)),
                _text(run_faults(run)),
                _text(_figures_in_short(run)),
            )
            for run in ranked[:_RUNS_MAX]
        ]
    )
    if len(ranked) > _RUNS_MAX:
        yield _indented(Text(f"and {counted(len(ranked) - _RUNS_MAX, 'more example', 'more')}"))
    bad = [run for run in ranked if outcome_of(run) is not Outcome.VALID]
    for run in bad[:_DETAILS_MAX]:
        yield Text()
        yield from _run_parts(run, console, all_promises=False)
    if len(bad) > _DETAILS_MAX:
        yield Text(f"and {len(bad) - _DETAILS_MAX} more that did not hold; their folders tell.")


def _run_parts(
    run: RecordedRun, console: Console, *, all_promises: bool
) -> Iterator[RenderableType]:
    """What became of a run; the promises that held are left out of a long list."""
    head = headline(run)
    yield _line(head.outcome, console, f"{head.line} ({run_name(run)}: {run_faults(run)})")
    yield _indented(_text(head.sentence))
    promises = run.judgement.promises if run.judgement else ()
    rows: list[tuple[Text, ...]] = [
        (sign(each.outcome, console), _text(each.promise or each.name), _text(each.reason))
        for each in sorted(promises, key=lambda each: _WORST_FIRST.index(each.outcome))
        if all_promises or each.outcome is not Outcome.VALID
    ]
    yield from _rows(rows)
    yield from _rows([(Text(name, style="bold"), text) for name, text in _figures(run, console)])
    for caveat in caveats(run):
        if caveat.text != head.sentence:
            style = "yellow" if caveat.kind == "inconclusive" else ""
            yield _indented(_text(f"{caveat.kind}: {caveat.text}", style))
    report = run.folder / "report.html"
    pointers = [("report", str(report))] if report.exists() else []
    pointers.append(("replay", f"testbed replay {shlex.quote(str(run.folder))}"))
    yield from _rows([(Text(name, style="bold"), _text(what)) for name, what in pointers])


def _rows(rows: Sequence[tuple[Text, ...]]) -> Iterator[RenderableType]:
    """Rows under one another in columns; nothing for none."""
    if not rows:
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*row)
    yield _indented(table)


def _text(text: str, style: str = "") -> Text:
    """Text from elsewhere: nothing in it is obeyed, and nothing of it is cut off."""
    return Text(visible(text), style=style, overflow="fold")


def _line(outcome: Outcome, console: Console, text: str) -> Text:
    return Text.assemble(sign(outcome, console), " ", (visible(text), "bold"))


def _indented(inside: RenderableType) -> Padding:
    return Padding(inside, (0, 0, 0, 2))


def _figures(run: RecordedRun, console: Console) -> Iterator[tuple[str, Text]]:
    """RTO, RPO and availability, each on a line."""
    judged = run.judgement
    if judged is None:
        return
    for found in judged.recoveries:
        text = _text(f"{found.region}: ")
        back = found.rto_s is not None
        text.append(seconds(found.rto_s) if back else "not back")
        if (kept := judged.kept(found)) is not None:
            text.append(f"{' of' if back else ', promised'} {seconds(found.bound_s)} ")
            text.append_text(sign(kept, console))
        yield "RTO", text
    check = check_loss(run)
    if check is not None:
        yield "RPO", _text(check.sentence)
    if judged.availability:
        shares = (f"{name} {percent(share)}" for name, share in judged.availability.items())
        yield "served", _text(", ".join(shares))


def _figures_in_short(run: RecordedRun) -> str:
    """The longest time without service, where one was promised if it was anywhere; the losses."""
    judged = run.judgement
    found = [each for each in judged.recoveries if each.rto_s is not None] if judged else []
    promised = [each for each in found if each.bound_s is not None] or found
    parts = [f"RTO {seconds(max(each.rto_s or 0.0 for each in promised))}"] if promised else []
    if judged and any(each.rto_s is None for each in judged.recoveries):
        parts.append("not back")
    if judged and judged.loss and judged.loss.lost:
        parts.append(f"{len(judged.loss.lost):,} lost")
    return ", ".join(parts)
