"""The model of registers by inference: what each assumption lets be found, and what is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from testbed.checkers.request import Request
from testbed.checkers.transactions import register_cursor, register_dependencies
from testbed.checkers.transactions.register_versions import register_versions
from testbed.checkers.transactions.resolve import resolve
from testbed.checkers.transactions.rw_register import check
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.problem import HistoryError
from tests.transaction_tables import table_of


def r(key: str, value: Any) -> list[Any]:
    return ["r", key, value]


def w(key: str, value: Any) -> list[Any]:
    return ["w", key, value]


def judged(*transactions: Any, timed: bool = True, **request: Any) -> Verdict:
    """Each transaction its operations, by a process of its own, or more of a row."""
    history = [
        {"process": at, **(each if isinstance(each, dict) else {"ops": each})}
        for at, each in enumerate(transactions)
    ]
    return check(table_of(history, timed=timed, lists=False), Request(**request))


def found(verdict: Verdict) -> set[str]:
    return {each["anomaly"] for each in verdict.counterexample} | {
        name for each in verdict.counterexample for name in each.get("names", ())
    }


def test_a_value_that_nobody_wrote_is_no_anomaly() -> None:
    # As in a recorded history of elle-cli, which Elle finds valid.
    assert judged([w("x", 2)], [r("x", 3)], [r("x", 2)]).validity == Validity.VALID


PLANTED: dict[str, list[Any]] = {
    "G1a": [{"ops": [w("x", 1)], "outcome": "fail"}, [r("x", 1)]],
    "G1b": [[w("x", 1), w("x", 2)], [r("x", 1)]],
    "internal": [[w("x", 1), r("x", 2)], [w("x", 2)], [r("x", 2)]],
    "future-read": [[r("x", 1), w("x", 1)], [r("x", 1)]],
    "lost-update": [[w("x", 1)], [r("x", 1), w("x", 2)], [r("x", 1), w("x", 3)]],
    "observed-transaction-vanishes": [[w("x", 1), w("y", 2)], [r("x", 1), r("y", None)]],
    "fractured-read": [[w("x", 1), w("y", 2)], [r("y", None), r("x", 1)]],
    "causal-violation": [[w("x", 1)], [r("x", 1), w("y", 2)], [r("y", 2), r("x", None)]],
    "prefix-violation": [
        [w("x", 1)],
        [w("y", 2)],
        [r("x", 1), r("y", None)],
        [r("y", 2), r("x", None)],
    ],
    "G2-item": [[r("x", None), w("y", 1)], [r("y", None), w("x", 2)]],
    "G1c": [[r("x", 1), w("y", 2)], [r("y", 2), w("x", 1)]],
}


@pytest.mark.parametrize("anomaly", PLANTED)
def test_what_follows_without_assumptions_is_found(anomaly: str) -> None:
    verdict = judged(*PLANTED[anomaly], timed=False)
    assert verdict.validity == Validity.VIOLATION
    assert anomaly in found(verdict)
    assert all(example["operations"] for example in verdict.counterexample)


@pytest.mark.parametrize(
    ("anomaly", "level"), [("fractured-read", "read-atomic"), ("causal-violation", "causal")]
)
def test_a_later_version_is_missed_also_where_there_are_more_than_can_be_paired(
    anomaly: str, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_dependencies, "LATER_MAX", 0)
    others = [[w("a", 1)], [r("a", 1), w("b", 1)]]
    verdict = judged(*others, *PLANTED[anomaly], timed=False, levels=(level,))
    assert verdict.validity == Validity.VIOLATION
    assert anomaly in found(verdict)
    valid = judged(*others, [r("x", None), w("x", 1)], [r("x", 1)], timed=False, levels=(level,))
    assert valid.validity == Validity.VALID


def test_repeated_reads_that_disagree_are_internal() -> None:
    verdict = judged([w("x", 1)], [r("x", None), r("x", 1)], timed=False)
    assert "internal" in found(verdict)


def test_each_version_that_a_transaction_read_of_a_key_is_a_dependency() -> None:
    circle = ([r("x", None), r("x", 1), w("y", 3)], [r("y", 3), w("x", 1)])
    verdict = judged(*circle, timed=False, levels=("read-committed",))
    assert verdict.validity == Validity.VIOLATION
    assert found(verdict) == {"G1c"}
    assert verdict.numbers["dependencies"] == 3
    missed = ([r("x", None), r("x", 1), r("x", 1)], [w("x", 1)])
    verdict = judged(*missed, timed=False, levels=("consistent-view",))
    assert verdict.validity == Validity.VIOLATION
    assert "G-single" in found(verdict)
    assert verdict.numbers["dependencies"] == 2


def test_what_a_transaction_read_first_is_what_it_touched() -> None:
    history = [
        {"ops": [r("x", 2), r("x", 1), r("x", 2), r("y", 7)]},
        {"ops": [w("x", 1), w("x", 2)]},
    ]
    versions = register_versions(resolve(table_of(history, lists=False)))
    touched = versions.touches()
    ops = versions.read_op.tolist()
    assert ops == [0, 1, 3]
    assert versions.wrote_row.tolist() == [1], "what it overwrote itself it did not leave behind"
    x, y = versions.read_version[[0, 2]].tolist()
    assert touched.row.tolist() == [0, 0, 1]
    assert touched.first.tolist() == touched.last.tolist() == [x, y, x]


def test_writes_that_follow_reads_order_versions() -> None:
    # T3 read both keys; of y it missed what replaced the version that it read.
    history = (
        [w("x", 1)],
        [r("x", 1), w("x", 2), w("y", 3)],
        [r("y", 3), r("x", 1)],
    )
    assert judged(*history, timed=False).validity == Validity.VALID
    verdict = judged(*history, timed=False, params={"wfr_keys": True})
    assert verdict.validity == Validity.VIOLATION
    assert "a transaction read the one and wrote the other" in str(verdict.counterexample)


def test_sequential_keys_order_what_a_process_touched() -> None:
    history = (
        {"process": 7, "ops": [w("x", 1)]},
        {"process": 7, "ops": [w("x", 2), w("y", 3)]},
        [r("y", 3), r("x", 1)],
    )
    assert judged(*history, timed=False).validity == Validity.VALID
    assert judged(*history, timed=False, params={"sequential_keys": True}).validity == (
        Validity.VIOLATION
    )


def test_the_first_transaction_of_all_is_overwritten_like_any_other() -> None:
    # Without the order of the versions of x it only read from the second one.
    history = (
        {"process": 7, "ops": [r("y", 5), w("x", 1)]},
        {"process": 7, "ops": [w("x", 2), w("y", 5)]},
    )
    request: dict[str, Any] = {"timed": False, "levels": ("serializable",)}
    assert judged(*history, **request).validity == Validity.VALID
    verdict = judged(*history, **request, params={"sequential_keys": True})
    assert verdict.validity == Validity.VIOLATION
    assert 'T2 set key "x" to 1, T1 set key "x" to 2, a later version' in texts(verdict, "G1c")


@pytest.mark.parametrize(
    ("outcomes", "validity"),
    [
        # What an indeterminate transaction wrote comes after what its process touched before.
        (("ok", "info"), Validity.VIOLATION),
        # But it may have taken effect after what its process did next.
        (("info", "ok"), Validity.VALID),
    ],
)
def test_sequential_keys_with_an_indeterminate_transaction(
    outcomes: tuple[str, str], validity: Validity
) -> None:
    history = (
        {"process": 6, "ops": [w("x", 7)]},
        {"process": 7, "ops": [w("x", 1)], "outcome": outcomes[0]},
        {"process": 7, "ops": [w("x", 2), w("y", 3)], "outcome": outcomes[1]},
        [r("y", 3), r("x", 1)],
    )
    verdict = judged(*history, timed=False, params={"sequential_keys": True})
    assert verdict.validity == validity


def test_a_circle_of_overwrites_alone_is_found() -> None:
    history = ([r("x", 1), w("x", 2), w("y", 1)], [r("y", 1), w("y", 2), w("x", 1)])
    request: dict[str, Any] = {"timed": False, "params": {"wfr_keys": True}}
    assert "G0" in found(judged(*history, **request, levels=("read-uncommitted",)))


TWO = ([w("y", 2)], [w("y", 1), w("x", 1)])


def test_of_two_versions_that_a_transaction_read_the_second_is_the_later_one() -> None:
    history = (*TWO, [r("y", 2), r("y", 1)], [r("x", 1), r("y", 2)])
    assert "G-single" not in found(judged(*history, timed=False, params={}))
    verdict = judged(*history, timed=False, params={"sequential_keys": True})
    assert "G-single" in found(verdict)
    assert "a process touched the one before the other" in str(verdict.counterexample)


def test_the_last_version_that_a_transaction_read_is_before_what_its_process_touches_next() -> None:
    reader = [
        {"process": 9, "ops": [r("y", 2), r("y", 1)]},
        {"process": 9, "ops": [w("y", 3), w("z", 1)]},
    ]
    late = [r("z", 1), r("y", 1)]
    verdict = judged(*TWO, *reader, late, timed=False, params={"sequential_keys": True})
    assert "G-single" in found(verdict)


@pytest.mark.parametrize(
    ("ops", "known"),
    [
        ([r("y", 2), r("y", 1), w("y", 3)], True),
        ([r("y", 2), w("y", 3), r("y", 1)], False),
    ],
)
def test_a_write_is_later_than_each_version_that_was_read_before_it(
    ops: list[Any], known: bool
) -> None:
    late = [r("z", 1), r("y", 1)]
    verdict = judged(*TWO, [*ops, w("z", 1)], late, timed=False, params={"wfr_keys": True})
    assert ("G-single" in found(verdict)) == known


CURSOR = (
    [w("x", 1)],
    [r("x", None), w("x", 2)],
    {"process": 9, "ops": [r("x", 1)]},
    {"process": 9, "ops": [r("x", 2)]},
)
"""The second transaction read the initial state and wrote 2; a process saw 1 before 2."""


def test_a_version_that_was_replaced_between_its_read_and_the_write_after_it() -> None:
    request: dict[str, Any] = {"timed": False, "levels": ("cursor-stability",)}
    assert judged(*CURSOR, **request).validity == Validity.VALID
    verdict = judged(*CURSOR, **request, params={"sequential_keys": True})
    assert verdict.validity == Validity.VIOLATION
    assert found(verdict) == {"G-cursor"}
    text = "".join(verdict.counterexample[0]["text"])
    assert 'T1 read key "x" as nil; T2 set key "x" to 1 next; only then T1 set' in text
    contrary = (*CURSOR[:2], CURSOR[3], CURSOR[2])
    verdict = judged(*contrary, **request, params={"sequential_keys": True})
    assert verdict.validity == Validity.VALID


def test_a_search_for_a_replaced_version_that_is_given_up_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(register_cursor, "STEPS_MAX", 0)
    other = ([w("a", 1), w("b", 1)], [r("a", 1), r("b", None), w("a", 2)])
    request: dict[str, Any] = {"timed": False, "params": {"wfr_keys": True}}
    verdict = judged(*other, **request, levels=("cursor-stability",))
    assert verdict.validity == Validity.UNKNOWN
    assert "G-cursor" in verdict.reason
    monkeypatch.undo()
    assert judged(*other, **request, levels=("cursor-stability",)).validity == Validity.VALID


def test_an_update_is_lost_whichever_read_saw_what_it_replaced() -> None:
    history = ([w("x", 1)], [r("x", 1), w("x", 2)], [r("x", 2), r("x", 1), w("x", 3)])
    verdict = judged(*history, timed=False, levels=("cursor-stability",))
    assert found(verdict) == {"lost-update"}
    repeated = ([w("x", 1)], [r("x", 1), r("x", 1), w("x", 2)])
    assert "lost-update" not in found(judged(*repeated, timed=False))


def test_what_one_assumption_says_is_kept_beside_what_another_one_does() -> None:
    # Both say what x is before it is 2: the process of its writer, and what its writer read.
    history = (
        [w("x", 1)],
        {"process": 7, "ops": [w("x", 5)]},
        {"process": 7, "ops": [r("x", 1), w("x", 2), w("y", 3)]},
        [r("y", 3), r("x", 1)],
    )
    params = {"wfr_keys": True, "sequential_keys": True}
    assert "fractured-read" in found(judged(*history, timed=False, params=params))
    later = [r("x", 1), w("z", 1)], [r("x", 2), r("z", None)]
    assert "G-single" not in found(judged(*history[:3], *later, timed=False, params=params))
    missed = [r("x", 1), r("z", 1)], [r("x", 2), w("z", 1)]
    assert "G-single" in found(judged(*history[:3], *missed, timed=False, params=params))


def test_linearizable_keys_order_what_time_does() -> None:
    history = (
        {"ops": [w("x", 1)], "start": 0, "end": 1},
        {"ops": [w("x", 2), w("y", 3)], "start": 2, "end": 9},
        {"ops": [r("y", 3), r("x", 1)], "start": 3, "end": 8},
    )
    assert judged(*history).validity == Validity.VALID
    assert judged(*history, params={"linearizable_keys": True}).validity == Validity.VIOLATION


def test_the_order_of_transactions_orders_versions() -> None:
    # T2 read from T1, so its x is the later one; T3 saw T2 and yet the older x.
    history = (
        [w("x", 1), w("z", 1)],
        [r("z", 1), w("x", 2), w("y", 3)],
        [r("y", 3), r("x", 1)],
    )
    assert judged(*history, timed=False).validity == Validity.VALID
    assert judged(*history, timed=False, params={"transaction_order": True}).validity == (
        Validity.VIOLATION
    )


def test_an_assumption_that_is_contradicted_is_reported() -> None:
    verdict = judged([w("x", 1)], [w("x", 2)], [r("x", 1)], params={"linearizable_keys": True})
    assert found(verdict) == {"cyclic-versions"}
    assert "linearizable_keys" in verdict.counterexample[0]["text"][-1]


def test_a_contradiction_of_one_key_leaves_the_others_in_order() -> None:
    verdict = judged(
        {"ops": [w("a", 1)], "start": 0, "end": 1},
        {"ops": [w("a", 2)], "start": 2, "end": 3},
        {"ops": [r("a", 1)], "start": 4, "end": 5},
        {"ops": [w("x", 1)], "start": 10, "end": 11},
        {"ops": [w("x", 2), w("y", 3)], "start": 12, "end": 19},
        {"ops": [r("y", 3), r("x", 1)], "start": 13, "end": 18},
        params={"linearizable_keys": True},
    )
    assert {"cyclic-versions", "fractured-read"} <= found(verdict)


def test_many_readers_and_writers_of_one_key_are_joined_without_circles() -> None:
    reads = [[r("x", None), w(f"own {at}", at)] for at in range(12)]
    writes = [[w("x", at + 1), r(f"mine {at}", None)] for at in range(12)]
    updates = [[r("x", None), w("x", 100)]]
    verdict = judged(*reads, *updates, *writes, timed=False)
    assert verdict.validity == Validity.VALID
    later = judged(*reads, *updates, *writes, [r("x", 3), r("own 5", 5)], timed=False)
    assert later.validity == Validity.VALID
    back = [w("y", 7), r("x", 3)]
    circle = judged(*reads, [r("x", None), r("y", 7)], *writes, back, timed=False)
    assert found(circle) >= {"G-single"}


def test_a_value_that_is_written_twice_leaves_it_unknown() -> None:
    verdict = judged([w("x", 1)], [w("x", 1)], [r("x", 1)])
    assert verdict.validity == Validity.UNKNOWN
    assert "written once" in verdict.reason


def test_without_lines_a_repeated_value_is_told_by_its_processes() -> None:
    every = [(4, [w("x", 1)]), (6, [r("x", 1)]), (6, [w("x", 1)]), (6, [r("x", 1)]), (4, [])]
    table = table_of([{"process": process, "ops": ops} for process, ops in every], lists=False)
    verdict = check(replace(table, line=np.zeros_like(table.line)), Request())
    assert verdict.validity == Validity.UNKNOWN
    where = "in transaction 1 of process 4 and in transaction 2 of process 6"
    assert verdict.reason.endswith(f"key x is set to 1 {where}")


def test_appends_are_refused_with_their_lines() -> None:
    append = ["append", "x", 2]
    with pytest.raises(HistoryError) as refused:
        judged([w("x", 1)], [r("x", 1), append], [w("y", 1)], [append, append])
    assert [problem.line for problem in refused.value.problems] == [2, 4]


def test_nothing_inferred_is_unknown() -> None:
    assert judged([w("x", 1)], [w("y", 1)]).validity == Validity.UNKNOWN


def test_the_initial_value_comes_first() -> None:
    skew = ([r("x", 0), w("y", 1)], [r("y", 0), w("x", 2)])
    assert judged(*skew, timed=False).validity == Validity.UNKNOWN
    assert judged(*skew, timed=False, init=0).validity == Validity.VIOLATION


def test_anomalies_can_be_asked_for_by_name() -> None:
    skew = PLANTED["G2-item"]
    assert judged(*skew, timed=False, anomalies=("G2",)).validity == Validity.VIOLATION
    assert judged(*skew, timed=False, anomalies=("G1c",)).validity == Validity.VALID


def test_anomalies_that_are_not_looked_for_are_not_absent() -> None:
    harmless = [w("x", 1)], [r("x", 1), w("y", 2)], [r("y", 2)]
    # A long fork may be one, which is told by transactions taken apart; those of registers are not.
    undecided = judged(*PLANTED["prefix-violation"], timed=False, anomalies=("G-MSR",))
    assert undecided.validity == Validity.UNKNOWN
    assert "G-MSR is not looked for" in undecided.reason
    untimed = judged(*harmless, timed=False, anomalies=("G-single-realtime",))
    assert untimed.validity == Validity.UNKNOWN
    assert untimed.reason == "the history has no times, G-single-realtime cannot be shown to hold"
    assert judged(*harmless, anomalies=("G-single-realtime",)).validity == Validity.VALID


def test_what_was_found_and_not_asked_for_is_told() -> None:
    skew = PLANTED["G2-item"]
    assert judged(*skew, timed=False, anomalies=("G1c",)).reason.endswith(
        "; not asked for: write-skew, G2-item"
    )
    assert "not asked for" not in judged(*skew, timed=False, anomalies=("G2",)).reason


def test_sessions_count_also_where_the_history_has_no_times() -> None:
    session = {"process": 7, "ops": [w("x", 1)]}, {"process": 7, "ops": [r("x", None)]}
    level = ("strong-session-serializable",)
    assert judged(*session, timed=False, levels=("serializable",)).validity == Validity.VALID
    assert judged(*session, timed=False, levels=level).validity == Validity.VIOLATION


def texts(verdict: Verdict, anomaly: str) -> str:
    return "\n".join(
        line for each in verdict.counterexample if each["anomaly"] == anomaly
        for line in each["text"]
    )  # fmt: skip


def test_a_transaction_that_vanishes_is_found_among_others() -> None:
    verdict = judged([w("a", 1)], [w("b", 2), w("c", 3)], [r("b", 2), r("c", None)], timed=False)
    told = texts(verdict, "observed-transaction-vanishes")
    assert 'T2 set key "c" to 3, and T1 read key "b" as 2, of the same transaction' in told
    assert 'after that T1 read key "c" as nil, an older version' in told


def test_the_initial_value_is_missed_also_behind_one_that_nobody_wrote() -> None:
    # 9 comes before 2 and the initial value before both, but nobody is known to have written 9.
    verdict = judged(
        [r("x", 9), w("x", 2), w("y", 3)],
        [r("y", 3), r("x", None)],
        timed=False,
        params={"wfr_keys": True},
    )
    assert verdict.validity == Validity.VIOLATION


def test_the_initial_value_is_missed_where_only_what_nobody_wrote_lies_between() -> None:
    # Write skew: each missed what the other one wrote over a value that nobody wrote.
    verdict = judged(
        [r("x", 9), w("x", 2), r("y", None)],
        [r("y", 8), w("y", 3), r("x", None)],
        timed=False,
        params={"wfr_keys": True},
    )
    assert found(verdict) == {"G2-item", "write-skew"}
    told = texts(verdict, "G2-item")
    why = "a later version: the initial state comes first"
    assert f'T1 read key "x" as nil, T2 set key "x" to 2, {why}' in told
    assert f'T2 read key "y" as nil, T1 set key "y" to 3, {why}' in told


def test_what_is_told_names_the_operations() -> None:
    aborted = judged(
        {"ops": [w("a", 2)], "outcome": "fail"},
        {"ops": [w("x", 1)], "outcome": "fail"},
        {"ops": [w("x", 2)], "outcome": "fail"},
        [r("x", 2)],
        timed=False,
    )
    assert 'T1 read key "x" as 2, but T2 set key "x" to 2 and failed' in texts(aborted, "G1a")
    between = judged([w("x", 1), w("x", 2), w("x", 3)], [r("x", 1)], timed=False)
    assert ('T1 read key "x" as 1, but T2 set key "x" to 1 and then T2 set key "x" to 3') in texts(
        between, "G1b"
    )
    assert "the first of" not in texts(between, "G1b")
    circle = judged(
        [w("z", 0)], [r("x", 1), w("y", 2)], [r("z", 0), r("y", 2), w("x", 1)], timed=False
    )
    told = texts(circle, "G1c")
    assert 'T1 set key "x" to 1, T2 read key "x" as 1' in told
    assert 'T2 set key "y" to 2, T1 read key "y" as 2' in told


def test_how_many_there_are_is_told() -> None:
    own = [w("x", 1), r("x", 2)]
    internal = judged(own, [w("x", 2)], [r("x", None), r("x", 2)], [r("x", 2)], timed=False)
    assert 'T1 set key "x" to 1 and then T1 read key "x" as 2' in texts(internal, "internal")
    assert "(the first of 2 cases)" in texts(internal, "internal")
    lost = judged(*PLANTED["lost-update"], timed=False)
    assert "the first of" not in texts(lost, "lost-update")
    assert [each["count"] for each in lost.counterexample if "count" in each] == [1]


def test_a_later_version_is_told_also_where_others_come_between() -> None:
    # x goes 1, 2, 3 by writes that follow reads; the last transaction knew 1 and saw who set 3.
    verdict = judged(
        [w("x", 1)],
        [r("x", 1), w("x", 2)],
        [r("x", 2), w("x", 3), w("y", 4)],
        [r("y", 4), r("x", 1)],
        timed=False,
        params={"wfr_keys": True},
    )
    whys = [edge["why"] for each in verdict.counterexample for edge in each["edges"]]
    told = 'T1 read key "x" as 1, T2 set key "x" to 3, a later version: others come between'
    assert told in whys


def test_versions_in_a_circle_are_named() -> None:
    verdict = judged([w("x", 1)], [w("x", 2)], [r("x", 1)], params={"linearizable_keys": True})
    told = texts(verdict, "cyclic-versions")
    assert '1 and 2 of key "x" each come before the other' in told
    operations = verdict.counterexample[0]["operations"]
    assert [each["value"] for each in operations] == [[["w", "x", 1]], [["w", "x", 2]]]


@pytest.mark.parametrize(
    ("history", "told"),
    [
        # Its own initial value after a write, and one that nobody wrote before and after another.
        (([w("x", 1)], [r("x", None)]), 'the initial value and 1 of key "x" each come before'),
        (([w("x", 1)], [r("y", 8)], [r("x", 9)], [r("x", 1)]), '9 of key "x" each come before'),
    ],
)
def test_versions_that_nobody_wrote_are_named_in_a_circle(history: Any, told: str) -> None:
    verdict = judged(*history, params={"linearizable_keys": True})
    assert told in texts(verdict, "cyclic-versions")
