"""One experiment under each value of a variable."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from testbed.report.comparison import Compared, outcome_of_all, print_comparison
from testbed.report.judgement import Judgement, Outcome, Promise
from testbed.report.recorded import RecordedRun
from testbed.report.suite import Suite
from testbed.report.terminal import console_for


def run(differing: float, converged_ms: float, served: float, broken: RecordedRun) -> RecordedRun:
    outcome = Outcome.VIOLATION if differing else Outcome.VALID
    promises = (
        Promise("conflicts", "met", Outcome.VALID, numbers={"rows_in_conflict": 3.0}),
        Promise("replication", "flows", Outcome.VALID, numbers={"converged_ms_max": converged_ms}),
        Promise("convergence", "same", outcome, numbers={"differing_rows": differing}),
    )
    judgement = Judgement(outcome, promises=promises, availability={"west": 1.0, "east": served})
    return replace(broken, judgement=judgement, folder=Path("run"))


def test_each_value_has_a_line_and_the_whole_is_as_good_as_the_worst(broken: RecordedRun) -> None:
    good = Suite("conflicts", (run(0, 100, 1.0, broken), run(0, 300, 0.75, broken)))
    bad = Suite("conflicts", (run(4, 50, 1.0, broken),))
    compared = [Compared("merge", good), Compared("none", bad)]
    stream = io.StringIO()
    print_comparison(console_for(stream, {"COLUMNS": "120"}), "strategy", compared)
    first, second = (line.split() for line in stream.getvalue().splitlines()[-2:])
    assert first[1:] == ["merge", "held", "2", "6", "0", "200", "to", "300", "75", "%", "-"]
    assert second[1:7] == ["none", "broken", "1", "3", "4", "50"]
    assert second[-1] == "convergence"
    assert outcome_of_all(compared) is Outcome.VIOLATION
    assert outcome_of_all(compared[:1]) is Outcome.VALID
