from __future__ import annotations

from testbed.report.counterexample import counterexample_line, counterexample_text


def test_a_line_of_a_history_reads_as_a_sentence() -> None:
    line = {"time": 10_002_000_000, "process": 7, "region": "eu-west", "type": "invoke",
            "f": "add", "value": 476}  # fmt: skip
    assert counterexample_line(line) == "10.002 s  process 7  eu-west  add 476 -> invoke"


def test_a_whole_operation_tells_all_that_is_known_of_it() -> None:
    operation = {
        "kind": "lost",
        "process": 7,
        "region": "eu-west",
        "node": "eu-west-db1",
        "f": "cas",
        "key": "k",
        "value": [1, 2],
        "outcome": "ok",
        "start_ns": 10_000_000_000,
        "end_ns": 10_005_000_000,
        "missing_at": ["a", "b"],
        "term": None,
        "after_fault_ms": 12.345678,
    }
    assert counterexample_line(operation) == (
        "lost: 10.000 s to 10.005 s  process 7  eu-west  cas k [1,2] -> ok  by eu-west-db1  "
        "missing_at a b, after_fault_ms 12.346"
    )


def test_anything_else_is_compact_json() -> None:
    assert counterexample_line({"cycle": [1, 2]}) == '{"cycle":[1,2]}'
    assert counterexample_line("a sentence") == "a sentence"
    assert counterexample_line({"f": "add"}) == '{"f":"add"}'


def test_the_words_of_a_checker_stand_before_its_operations() -> None:
    operation = {"process": 1, "f": "read", "start_ns": 1_000_000_000, "end_ns": 2_000_000_000}
    item = {"anomaly": "stale", "text": ["it is", "stale"], "operations": [operation]}
    assert counterexample_line(item) == "it is\nstale\n1.000 s to 2.000 s  process 1  read"


def test_a_long_counterexample_is_cut_and_says_so() -> None:
    lines = counterexample_text(list(range(100))).splitlines()
    assert len(lines) == 9
    assert lines[-1] == "... and 92 more in verdict.json"
