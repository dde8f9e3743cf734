"""One experiment under each value of a variable, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from testbed.report.judgement import Outcome, Promise, merge_outcomes
from testbed.report.suite import Suite
from testbed.report.terminal import sign
from testbed.report.wording import SIGNS, percent


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
    def differing_rows(self) -> float:
        """Rows that replicas ended with differently, over all runs."""
        return sum(self._numbers("differing_rows"))

    @property
    def conflicts(self) -> float:
        """Rows that were written in several regions while a fault held, over all runs."""
        return sum(self._numbers("rows_in_conflict"))

    @property
    def rows_that_lost(self) -> float:
        """Rows that surely lost an acknowledged write, allowed or not, over all runs."""
        return sum(self._numbers("rows_that_lost", "conflicts"))

    @property
    def stuck(self) -> float:
        """Streams and slots that were stuck, over all runs."""
        return sum(self._numbers("stuck"))

    @property
    def counted(self) -> float:
        """Conflicts that PostgreSQL counted, over all runs."""
        return sum(
            number
            for one in self._promises()
            if one.name == "conflict-counters"
            for name, number in one.numbers.items()
            if name.endswith("_count")
        )

    @property
    def converged_ms(self) -> tuple[float, float] | None:
        """Median and greatest time from the heal until every node showed everything."""
        found = sorted(each for each in self._numbers("converged_ms_max") if each > 0)
        return (median(found), found[-1]) if found else None

    @property
    def availability(self) -> Mapping[str, float]:
        """The least share of operations that were answered, by region."""
        least: dict[str, float] = {}
        for run in self.suite.runs:
            for region, share in (run.judgement.availability if run.judgement else {}).items():
                least[region] = min(share, least.get(region, 1.0))
        return least

    def _promises(self) -> Iterator[Promise]:
        for run in self.suite.runs:
            yield from run.judgement.promises if run.judgement else ()

    def _numbers(self, name: str, promise: str | None = None) -> list[float]:
        return [
            one.numbers[name]
            for one in self._promises()
            if name in one.numbers and promise in (None, one.name)
        ]


def outcome_of_all(compared: Sequence[Compared]) -> Outcome:
    """All of them as one: a control that fails makes it a violation."""
    return merge_outcomes([one.suite.outcome for one in compared])


def print_comparison(console: Console, variable: str, compared: Sequence[Compared]) -> None:
    """Prints one line a value: rows, and times (median and greatest); what broke; what was served.

    ``met`` are rows that were written in several regions while a fault held, ``lost`` those that
    surely lost an acknowledged write, ``counted`` the conflicts by PostgreSQL's own counters.

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
    for heading in ("runs", "met", "lost", "differ", "stuck", "counted"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("agreed ms", justify="right")
    for one in compared:
        times = one.converged_ms
        table.add_row(
            sign(one.suite.outcome, console),
            one.value,
            SIGNS[one.suite.outcome].word,
            str(len(one.suite.runs)),
            f"{one.conflicts:.0f}",
            f"{one.rows_that_lost:.0f}",
            f"{one.differing_rows:.0f}",
            f"{one.stuck:.0f}",
            f"{one.counted:.0f}",
            "-" if times is None else f"{times[0]:.0f} to {times[1]:.0f}",
        )
    console.print(table)
    for one in compared:
        if one.broken:
            console.print(f"{one.value} broke {', '.join(one.broken)}")
    regions = list(dict.fromkeys(name for one in compared for name in one.availability))
    served = Table(box=None, pad_edge=False)
    served.add_column("served at least", no_wrap=True)
    for region in regions:
        served.add_column(region, justify="right", no_wrap=True)
    for one in compared:
        shares = (percent(one.availability.get(region)) for region in regions)
        served.add_row(one.value, *shares)
    console.print(served)
