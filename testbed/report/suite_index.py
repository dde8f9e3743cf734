"""``index.html`` of a suite: every run on one page, filtered without a script."""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment
from markupsafe import Markup

from testbed.checkers.counted import counted
from testbed.report.comparison import Compared, measured, outcome_of_all
from testbed.report.judgement import Outcome
from testbed.report.page import page_environment
from testbed.report.recorded import RecordedRun
from testbed.report.story import headline, outcome_of, promise_words
from testbed.report.suite import run_faults, run_name
from testbed.report.tiles import Tile
from testbed.report.visible import compact
from testbed.report.wording import SIGNS, number, percent, seconds

_WORST_FIRST = (Outcome.VIOLATION, Outcome.ERROR, Outcome.UNKNOWN, Outcome.VALID)
_CHOICES_MAX = 40


@dataclass(frozen=True, slots=True)
class Row:
    """A run in the list.

    Args:
        name: Its name.
        variant: The value under which it ran, or empty.
        outcome: How it ended.
        faults: In a few words.
        rto: Its longest time without service, or ``-``.
        lost: How many acknowledged writes it lost, or ``-``.
        lag: Its worst replication lag, or ``-``.
        sentence: What it showed.
        report: Where its report is, relative to the page; None where there is none.
        audit: The same of the auditor's report.
        kinds: The kinds of its faults.
        broken: The promises that it broke or left open, by name.
        classes: What the filters choose by.
    """

    name: str
    variant: str
    outcome: Outcome
    faults: str
    rto: str
    lost: str
    lag: str
    sentence: str
    report: str | None
    audit: str | None
    kinds: tuple[str, ...]
    broken: tuple[str, ...]
    classes: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter: the identifier of its button, its name, and how many runs have it."""

    key: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Filter:
    """A row of buttons of which one is chosen; the first one chooses every run."""

    key: str
    name: str
    choices: tuple[Choice, ...]


def render_index(suites: Sequence[Compared], folder: Path) -> str:
    """The page of one suite, or of the suites under each value of a variable.

    Args:
        suites: One with an empty value, or one a value.
        folder: Where the page will be: links are relative to it.

    Returns:
        A whole document, well-formed as HTML and as XML.
    """
    found = [
        _row(run, one.value, folder)
        for one in suites
        for run in sorted(one.suite.runs, key=lambda run: _WORST_FIRST.index(outcome_of(run)))
    ]
    rows, filters = _filtered(found)
    outcome = outcome_of_all(suites)
    experiments = dict.fromkeys(one.suite.experiment for one in suites)
    runs = [run for one in suites for run in one.suite.runs]
    return (
        _environment()
        .get_template("suite.html.j2")
        .render(
            filter_style=_filter_style(filters),
            outcome=outcome,
            line=f"{' and '.join(experiments)}: {_tally(found) or 'no run'}",
            sentence=_sentence(suites, outcome),
            about=_about(runs, suites, folder),
            tiles=_tiles(runs, suites),
            variants=suites if len(suites) > 1 else (),
            cells=measured(suites),
            filters=filters,
            rows=rows,
            has_lag=any(row.lag != "-" for row in rows),
            problems=[
                f"{one.value}: {one.suite.problem}" if one.value else one.suite.problem
                for one in suites
                if one.suite.problem
            ],
        )
    )


def _row(run: RecordedRun, variant: str, folder: Path) -> Row:
    judged = run.judgement
    promises = judged.promises if judged else ()
    steps = run.schedule or (run.plan.schedule if run.plan else ())
    lag_ms = judged.lag.worst_ms if judged and judged.lag else None
    found = headline(run)
    return Row(
        name=run_name(run),
        variant=variant,
        outcome=outcome_of(run),
        faults=run_faults(run),
        rto=_longest(run),
        lost=number(len(judged.loss.lost)) if judged and judged.loss else "-",
        lag="-" if lag_ms is None else f"{lag_ms:,.0f} ms",
        # What a run that held showed stands in its other columns.
        sentence=found.line if found.outcome is Outcome.VALID else found.sentence,
        report=_link(run.folder / "report.html", folder),
        audit=_link(run.folder / "audit.html", folder),
        kinds=tuple(dict.fromkeys(step.kind for step in steps)) or ("no fault",),
        broken=tuple(one.name for one in promises if one.outcome is not Outcome.VALID),
    )


def _longest(run: RecordedRun) -> str:
    """The longest time without service, where one was promised if it was anywhere."""
    recoveries = run.judgement.recoveries if run.judgement else ()
    if any(found.rto_s is None for found in recoveries):
        return "not back"
    promised = [found for found in recoveries if found.bound_s is not None] or recoveries
    return seconds(max((found.rto_s or 0.0 for found in promised), default=None))


def _link(path: Path, folder: Path) -> str | None:
    if not path.exists():
        return None
    return quote(os.path.relpath(os.fsencode(path), os.fsencode(folder)))


def _filtered(rows: Sequence[Row]) -> tuple[list[Row], list[Filter]]:
    """The rows with what the filters choose them by, and those filters that have a choice."""
    kinds: list[tuple[str, str, list[tuple[str, ...]]]] = [
        ("verdict", "Verdict", [(SIGNS[row.outcome].word,) for row in rows]),
        ("fault", "Fault", [row.kinds for row in rows]),
        ("promise", "Promise that did not hold", [row.broken for row in rows]),
        ("under", "Under", [(row.variant,) if row.variant else () for row in rows]),
    ]
    filters: list[Filter] = []
    classes: list[list[str]] = [[] for _ in rows]
    for key, name, values in kinds:
        counts = Counter(each for those in values for each in those)
        telling = len(counts) > 1 or (len(counts) == 1 and max(counts.values()) < len(rows))
        if not telling:
            continue
        keys = {each: f"{key}-{place}" for place, each in enumerate(list(counts)[:_CHOICES_MAX])}
        for those, chosen in zip(values, classes, strict=True):
            chosen += [keys[each] for each in those if each in keys]
        every = Choice(f"{key}-all", "all", len(rows))
        choices = (Choice(keys[each], each, counts[each]) for each in keys)
        filters.append(Filter(key, name, (every, *choices)))
    marked = (
        Row(**{name: getattr(row, name) for name in Row.__slots__} | {"classes": " ".join(those)})
        for row, those in zip(rows, classes, strict=True)
    )
    return list(marked), filters


def _filter_style(filters: Iterable[Filter]) -> Markup:
    """A chosen button hides the runs that do not have its class."""
    rules = (
        f"body:has(#{choice.key}:checked) .runs tbody tr:not(.{choice.key})"
        for each in filters
        for choice in each.choices[1:]
    )
    selectors = ",\n".join(rules)
    return Markup(f"\n{selectors} {{ display: none; }}\n" if selectors else "")  # noqa: S704 - our keys


def _tally(rows: Sequence[Row]) -> str:
    counts = Counter(row.outcome for row in rows)
    told = [f"{counts[each]} {SIGNS[each].word}" for each in _WORST_FIRST if counts[each]]
    return f"{counted(len(rows), 'run')}, {', '.join(told)}" if told else ""


def _sentence(suites: Sequence[Compared], outcome: Outcome) -> str:
    """Which promises were broken, or why nothing can be said."""
    broken = Counter(
        promise_words(promise)
        for one in suites
        for run in one.suite.runs
        for promise in (run.judgement.promises if run.judgement else ())
        if promise.outcome is Outcome.VIOLATION
    )
    if broken:
        told = [f"“{name}” in {counted(count, 'run')}" for name, count in broken.most_common(4)]
        more = f", and {len(broken) - 4} more" if len(broken) > 4 else ""
        return f"Broken: {', '.join(told)}{more}."
    problem = next((one.suite.problem for one in suites if one.suite.problem), "")
    if problem:
        return problem
    if outcome is Outcome.VALID:
        return "Every promise held in every run."
    return "What is inconclusive is no pass: the runs below say what was missing."


def _about(runs: Sequence[RecordedRun], suites: Sequence[Compared], folder: Path) -> str:
    """What the runs have in common."""
    plans = [run.plan for run in runs if run.plan]
    parts = [f"deployment {name}" for name in dict.fromkeys(plan.deployment for plan in plans)]
    if plans:
        common = [
            f"{name}={compact(value, 40)}"
            for name, value in plans[0].variables.items()
            if all(plan.variables.get(name) == value for plan in plans)
        ]
        parts += common
    took = [one.suite.duration_s for one in suites if one.suite.duration_s is not None]
    parts += [f"took {seconds(sum(took))}"] if took else []
    return " · ".join([*parts, str(folder)])


def _tiles(runs: Sequence[RecordedRun], suites: Sequence[Compared]) -> list[Tile]:
    counts: Counter[Outcome] = Counter()
    for one in suites:
        counts.update(one.suite.counts)
    rows = tuple(
        (f"{SIGNS[each].symbol} {SIGNS[each].word}", str(counts[each])) for each in _WORST_FIRST
    )
    tiles = [Tile("Runs", number(len(runs)), rows=rows)]
    judged = [run.judgement for run in runs if run.judgement]
    back = [
        (found.rto_s, found.bound_s, run_name(run))
        for run in runs
        for found in (run.judgement.recoveries if run.judgement else ())
        if found.rto_s is not None and found.bound_s is not None
    ]
    if back:
        rto_s, bound_s, name = max(back)
        tiles.append(
            Tile(
                "Longest time without service",
                seconds(rto_s),
                f"promised {seconds(bound_s)}; {name}",
            )
        )
    losses = [one.loss for one in judged if one.loss]
    if losses:
        lost = sum(len(loss.lost) for loss in losses)
        bad = sum(bool(loss.lost) for loss in losses)
        tiles.append(
            Tile(
                "Acknowledged writes lost", number(lost), f"in {bad} of {counted(len(runs), 'run')}"
            )
        )
    shares = [share for one in judged for share in one.availability.values()]
    if shares:
        tiles.append(
            Tile("Operations served", percent(min(shares)), "in the worst region of the worst run")
        )
    lags = [one.lag.worst_ms for one in judged if one.lag and one.lag.worst_ms is not None]
    if lags:
        tiles.append(
            Tile("Worst replication lag", f"{max(lags):,.0f} ms", "at least, on some link")
        )
    return tiles


@functools.cache
def _environment() -> Environment:
    return page_environment({"number": number, "counted": counted, "percent": percent})
