"""One experiment under each value of a variable."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from testbed.checkers.verdict import Cause
from testbed.report.comparison import Compared, outcome_of_all, print_comparison
from testbed.report.judgement import Judgement, Outcome, Promise
from testbed.report.recorded import RecordedRun
from testbed.report.suite import Suite
from testbed.report.terminal import console_for


def run(differing: float, converged_ms: float, served: float, broken: RecordedRun) -> RecordedRun:
    outcome = Outcome.VIOLATION if differing else Outcome.VALID
    promises = (
        Promise(
            "conflicts",
            "met",
            Outcome.VALID,
            numbers={"rows_in_conflict": 3.0, "rows_that_lost": 2.0},
        ),
        Promise("replication", "flows", Outcome.VALID, numbers={"converged_ms_max": converged_ms}),
        Promise("convergence", "same", outcome, numbers={"differing_rows": differing}),
        Promise("final-set", "kept", outcome, numbers={"rows_that_lost": differing}),
        Promise("not-stuck", "runs", outcome, numbers={"stuck": differing / 2}),
        Promise(
            "conflict-counters",
            "agree",
            Outcome.VALID,
            numbers={"rows_met": 3.0, "insert_exists_count": 5.0, "counted": 6.0},
        ),
    )
    judgement = Judgement(outcome, promises=promises, availability={"west": 1.0, "east": served})
    return replace(broken, judgement=judgement, folder=Path("run"))


def test_each_value_has_a_line_and_the_whole_is_as_good_as_the_worst(broken: RecordedRun) -> None:
    good = Suite("conflicts", (run(0, 100, 1.0, broken), run(0, 300, 0.75, broken)))
    bad = Suite("conflicts", (run(4, 50, 1.0, broken),))
    compared = [Compared("merge", good), Compared("none", bad)]
    stream = io.StringIO()
    print_comparison(console_for(stream, {"COLUMNS": "80"}), "strategy", compared)
    # Of the second two broken promises more have lines of their own.
    lines = [line.split() for line in stream.getvalue().splitlines()]
    first, second = lines[2:4]
    assert first[1:9] == ["merge", "held", "2", "6", "4", "0", "0", "12"]
    assert first[9:] == ["200", "to", "300"]
    assert second[1:9] == ["none", "broken", "1", "3", "2", "4", "2", "6"]
    assert lines[4] == ["none", "broke", "convergence,", "final-set,", "not-stuck"]
    assert lines[-3:] == [
        ["served", "at", "least", "west", "east"],
        ["merge", "100", "%", "75", "%"],
        ["none", "100", "%", "100", "%"],
    ]
    assert outcome_of_all(compared) is Outcome.VIOLATION
    assert outcome_of_all(compared[:1]) is Outcome.VALID


def test_only_what_was_measured_has_a_column_and_a_leak_says_where(broken: RecordedRun) -> None:
    said = "a cache abroad keeps pinned rows (customers_eu; us-east-store1)"
    cause = Cause("cache", "a cache abroad keeps pinned rows", 7, ("customers_eu",),
                  ("us-east-store1",))  # fmt: skip
    leaked = Promise(
        "residency", "at home", Outcome.VIOLATION, numbers={"leaks": 7.0},
        reason="data of 155 subjects is or was abroad", causes=(cause,),
    )  # fmt: skip
    clean = Promise("residency", "at home", Outcome.VALID, numbers={"leaks": 0.0})
    compared = [
        Compared(value, Suite("placement", (replace(broken, judgement=judged),)))
        for value, judged in (
            ("none", Judgement(Outcome.VALID, promises=(clean,))),
            ("cache_abroad", Judgement(Outcome.VIOLATION, promises=(leaked,))),
            ("unjudged", None),
        )
    ]
    stream = io.StringIO()
    print_comparison(console_for(stream, {"COLUMNS": "80"}), "placement_mutant", compared)
    lines = stream.getvalue().splitlines()
    assert lines[1].split() == ["value", "verdict", "runs", "leaks"]
    assert [line.split()[-1] for line in lines[2:5]] == ["0", "7", "-"]
    assert [line.rstrip() for line in lines[5:7]] == ["cache_abroad broke residency", f"  {said}"]


def test_what_sessions_read_has_columns_of_its_own(broken: RecordedRun) -> None:
    """Reads that lack something, by whose it was; how old they were, where any was old."""

    def judged(own: float, back: float, stale: float, oldest_ms: float) -> Judgement:
        numbers = {"stale_reads": stale, "staleness_max_ms": oldest_ms}
        promises = (
            Promise("read-your-writes", "own", Outcome.VALID, numbers={"violations": own}),
            Promise("monotonic-reads", "back", Outcome.VALID, numbers={"violations": back}),
            Promise("monotonic-writes", "order", Outcome.VALID, numbers={"violations": 99.0}),
            Promise("bounded-staleness", "age", Outcome.VALID, numbers=numbers),
        )
        return Judgement(Outcome.VALID, promises=promises)

    compared = [
        Compared(value, Suite("lag", tuple(replace(broken, judgement=one) for one in found)))
        for value, found in (
            ("any_replica", (judged(9, 4, 900, 800), judged(3, 0, 100, 1200))),
            ("primary", (judged(0, 0, 0, 0),)),
        )
    ]
    stream = io.StringIO()
    print_comparison(console_for(stream, {"COLUMNS": "80"}), "read_routing", compared)
    lines = stream.getvalue().splitlines()
    said = [
        "value",
        "verdict",
        "runs",
        "own",
        "unread",
        "read",
        "back",
        "stale",
        "oldest",
        "read",
        "ms",
    ]
    assert lines[1].split() == said
    assert lines[2].split()[3:] == ["2", "12", "4", "1000", "1000", "to", "1200"]
    assert lines[3].split()[3:] == ["1", "0", "0", "0", "-"]
