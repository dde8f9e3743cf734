"""One experiment under each value of a variable, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from testbed.report.judgement import Outcome, Promise, merge_outcomes
from testbed.report.suite import Suite
from testbed.report.terminal import sign
from testbed.report.wording import SIGNS, percent

RESIDENCY = "residency"
"""The promise that says where data is."""

TOTALS: tuple[tuple[str, str, str | None], ...] = (
    ("met", "rows_in_conflict", None),
    ("lost", "rows_that_lost", "conflicts"),
    ("differ", "differing_rows", None),
    ("stuck", "stuck", None),
    ("counted", "counted", None),
    ("writes lost", "lost_writes", None),
    ("own unread", "violations", "read-your-writes"),
    ("read back", "violations", "monotonic-reads"),
    ("stale", "stale_reads", None),
    ("leaks", "leaks", RESIDENCY),
)
"""Heading, number and promise of what is summed up over a value's runs: rows written in several
regions while a fault held, those that surely lost an acknowledged write, that ended differently;
streams and slots that were stuck; conflicts by PostgreSQL's own counters; acknowledged writes that
are gone; reads of sessions that lacked what the session had written, or had read before; reads that
lacked an acknowledged write of anybody; findings of personal data where it may not be."""

SPREADS: tuple[tuple[str, str], ...] = (
    ("agreed ms", "converged_ms_max"),
    ("served again ms", "rto_ms_max"),
    ("oldest read ms", "staleness_max_ms"),
)
"""Heading and number of times, of which the median and the greatest are shown."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One column.

    Args:
        heading: Above it.
        values: One a value of the variable; None where no run of it has the number.
    """

    heading: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """What a suite showed under one value.

    Args:
        value: The variable's value.
        suite: The runs.
    """

    value: str
    suite: Suite

    @property
    def broken(self) -> tuple[str, ...]:
        """The promises that some run broke, by name."""
        names = [one.name for one in self._promises() if one.outcome is Outcome.VIOLATION]
        return tuple(dict.fromkeys(names))

    @property
    def where(self) -> str:
        """Where personal data was that may not be there, and how it came there; empty for no leak.

        Of the first run that shows it, without its single findings.
        """
        leaked = (
            one.causes
            for one in self._promises()
            if one.name == RESIDENCY and one.outcome is Outcome.VIOLATION
        )
        return "; ".join(cause.sentence for cause in next(leaked, ()))

    @property
    def availability(self) -> Mapping[str, float]:
        """The least share of operations that were answered, by region."""
        least: dict[str, float] = {}
        for run in self.suite.runs:
            for region, share in (run.judgement.availability if run.judgement else {}).items():
                least[region] = min(share, least.get(region, 1.0))
        return least

    def total(self, number: str, promise: str | None = None) -> float | None:
        """A number over all runs; None where no run has it.

        Args:
            number: Its name.
            promise: The promise whose number it is; any if None.
        """
        found = list(self._numbers(number, promise))
        return sum(found) if found else None

    def spread(self, number: str) -> tuple[float, float] | None:
        """Median and greatest of a number that is above zero; None where no run has such a one."""
        found = sorted(each for each in self._numbers(number) if each > 0)
        return (median(found), found[-1]) if found else None

    def _promises(self) -> Iterator[Promise]:
        for run in self.suite.runs:
            yield from run.judgement.promises if run.judgement else ()

    def _numbers(self, number: str, promise: str | None = None) -> Iterator[float]:
        for one in self._promises():
            if promise in (None, one.name) and number in one.numbers:
                yield one.numbers[number]


def outcome_of_all(compared: Sequence[Compared]) -> Outcome:
    """All of them as one: a control that fails makes it a violation."""
    return merge_outcomes([one.suite.outcome for one in compared])


def measured(compared: Sequence[Compared]) -> tuple[Cells, ...]:
    """The columns of what some run measured, in their order."""
    return tuple(cell for cell in _cells(compared) if any(one is not None for one in cell.values))


def _cells(compared: Sequence[Compared]) -> Iterator[Cells]:
    for heading, number, promise in TOTALS:
        sums = (one.total(number, promise) for one in compared)
        yield Cells(heading, tuple(None if each is None else f"{each:.0f}" for each in sums))
    for heading, number in SPREADS:
        times = (one.spread(number) for one in compared)
        yield Cells(
            heading,
            tuple(None if each is None else f"{each[0]:.0f} to {each[1]:.0f}" for each in times),
        )


def print_comparison(console: Console, variable: str, compared: Sequence[Compared]) -> None:
    """Prints one line a value: rows, and times (median and greatest); what broke; what was served.

    A column is there if some run measured what it shows: see :data:`TOTALS` and :data:`SPREADS`.

    Args:
        console: Where to.
        variable: The variable's name.
        compared: In the order of its values.
    """
    console.print(f"The same schedules under each {variable}:")
    # One space between columns, and the last one wraps: in 80 columns nothing is cut off.
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True, min_width=1)
    for heading in ("value", "verdict"):
        table.add_column(heading, no_wrap=True)
    table.add_column("runs", justify="right", no_wrap=True)
    cells = measured(compared)
    for cell in cells:
        table.add_column(cell.heading, justify="right", no_wrap=cell is not cells[-1])
    for place, one in enumerate(compared):
        table.add_row(
            sign(one.suite.outcome, console),
            one.value,
            SIGNS[one.suite.outcome].word,
            str(len(one.suite.runs)),
            *(cell.values[place] or "-" for cell in cells),
        )
    console.print(table)
    for one in compared:
        if one.broken:
            console.print(f"{one.value} broke {', '.join(one.broken)}")
        if one.where:
            console.print(Padding(Text(one.where), (0, 0, 0, 2)))
    regions = list(dict.fromkeys(name for one in compared for name in one.availability))
    served = Table(box=None, pad_edge=False)
    served.add_column("served at least", no_wrap=True)
    for region in regions:
        served.add_column(region, justify="right", no_wrap=True)
    for one in compared:
        shares = (percent(one.availability.get(region)) for region in regions)
        served.add_row(one.value, *shares)
    console.print(served)
