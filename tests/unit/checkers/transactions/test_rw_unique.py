"""The model of registers with unique values: each anomaly that is planted, and what is said."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from testbed.checkers.budget import Budget, OutOfBudgetError
from testbed.checkers.request import Request
from testbed.checkers.transactions import causal, order_search
from testbed.checkers.transactions.anomaly import FORMS, implied_by
from testbed.checkers.transactions.commit_graph import TRIED
from testbed.checkers.transactions.level import ALL as LEVELS
from testbed.checkers.transactions.order_solver import Exhausted, OrderSolver
from testbed.checkers.transactions.resolve import resolve
from testbed.checkers.transactions.rw_unique import check
from testbed.checkers.transactions.unique_anomalies import RULED_OUT_BY
from testbed.checkers.transactions.unique_levels import LevelJudge
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.problem import HistoryError
from tests.transaction_tables import table_of


def r(key: str, value: Any) -> list[Any]:
    return ["r", key, value]


def w(key: str, value: Any) -> list[Any]:
    return ["w", key, value]


def judged(*transactions: Any, level: str = "serializable", timed: bool = False) -> Verdict:
    """Each transaction its operations, by a process of its own, or more of a row."""
    history = [
        {"process": at, **(each if isinstance(each, dict) else {"ops": each})}
        for at, each in enumerate(transactions)
    ]
    return check(table_of(history, timed=timed, lists=False), Request(levels=(level,)))


LONG_FORK = (
    [w("x", 1)],
    [w("y", 2)],
    [r("x", 1), r("y", None)],
    [r("y", 2), r("x", None)],
)
PLANTED: dict[str, tuple[list[Any], str]] = {
    "garbage-read": ([[r("x", 7)]], "read-uncommitted"),
    "G1a": ([{"ops": [w("x", 1)], "outcome": "fail"}, [r("x", 1)]], "read-committed"),
    "G1b": ([[w("x", 1), w("x", 2)], [r("x", 1)]], "read-committed"),
    "future-read": ([[r("x", 1), w("x", 1)]], "read-committed"),
    "internal": ([[w("x", 1), r("x", 2)], [w("x", 2)]], "item-cut-isolation"),
    "G1c": ([[r("x", 1), w("y", 2)], [r("y", 2), w("x", 1)]], "read-committed"),
    "G1c-process": (
        [
            {"process": 9, "ops": [r("x", 1)]},
            {"process": 9, "ops": [w("y", 2)]},
            [r("y", 2), w("x", 1)],
        ],
        "read-committed",
    ),
    "observed-transaction-vanishes": (
        [[w("x", 1), w("y", 2)], [r("x", 1), r("y", None)]],
        "read-committed",
    ),
    "fractured-read": ([[w("x", 1), w("y", 2)], [r("y", None), r("x", 1)]], "read-atomic"),
    "causal-violation": (
        [[w("x", 1)], [r("x", 1), w("y", 2)], [r("y", 2), r("x", None)]],
        "causal",
    ),
    "lost-update": (
        [[w("x", 1)], [r("x", 1), w("x", 2)], [r("x", 1), w("x", 3)]],
        "parallel-snapshot-isolation",
    ),
    "G-nonadjacent": (list(LONG_FORK), "prefix"),
    "G2-item": ([[r("x", None), w("y", 1)], [r("y", None), w("x", 2)]], "serializable"),
}


@pytest.mark.parametrize("anomaly", PLANTED)
def test_a_planted_anomaly_is_named_with_the_weakest_level_that_it_violates(anomaly: str) -> None:
    transactions, weakest = PLANTED[anomaly]
    verdict = judged(*transactions)
    assert verdict.validity == Validity.VIOLATION
    (example,) = verdict.counterexample
    assert example["anomaly"] == anomaly
    assert verdict.levels is not None
    assert weakest in verdict.levels.violated
    assert anomaly not in example["text"][0], "the name is printed above the text"
    assert example["operations"]


NOT_INITIAL: dict[str, list[Any]] = {
    "observed-transaction-vanishes": [[r("x", 1), r("y", 0)]],
    "fractured-read": [[r("y", 0), r("x", 1)]],
    "causal-violation": [[r("x", 1), w("z", 1)], [r("z", 1), r("y", 0)]],
    "prefix-violation": [
        [r("x", 0), w("x", 2)],
        [r("z", 0), w("z", 2)],
        [r("x", 2), r("z", 0)],
        [r("z", 2), r("x", 0)],
    ],
    "G-single": [[r("x", 0), r("y", 0), w("x", 3)], [r("x", 0), w("x", 4)]],
    "G2-item": [[r("x", 0), w("y", 3)], [r("y", 0), w("x", 3)]],
}
"""By versions of which none is the initial one: their order has to be searched for."""


@pytest.mark.parametrize("planted", NOT_INITIAL)
@pytest.mark.parametrize("asked", RULED_OUT_BY)
def test_an_anomaly_asked_for_is_found_and_no_other(planted: str, asked: str) -> None:
    first = [[w("x", 0), w("y", 0), w("z", 0)], [r("x", 0), r("y", 0), w("x", 1), w("y", 1)]]
    if planted in {"prefix-violation", "G-single", "G2-item"}:
        first = first[:1]
    history = [
        {"process": at, "ops": ops} for at, ops in enumerate([*first, *NOT_INITIAL[planted]])
    ]
    verdict = check(table_of(history, lists=False), Request(anomalies=(asked,)))
    there = asked in implied_by([planted])
    assert verdict.validity == (Validity.VIOLATION if there else Validity.VALID), verdict.reason
    assert bool(verdict.counterexample) == there


@pytest.mark.parametrize("form", FORMS)
def test_what_no_level_alone_rules_out_is_there_where_a_case_of_it_is(form: str) -> None:
    first = [[w("x", 0), w("y", 0), w("z", 0)], [r("x", 0), r("y", 0), w("x", 1), w("y", 1)]]
    cases = {
        "observed-transaction-vanishes": {"G-monotonic", "G-MSR", "G-update", "G-SIb"},
        "fractured-read": {"G-update", "G-SIb"},
    }
    for planted, there in cases.items():
        history = [
            {"process": at, "ops": ops} for at, ops in enumerate([*first, *NOT_INITIAL[planted]])
        ]
        for asked in ("G-monotonic", "G-MSR", "G-update", "G-SIb"):
            found = anomalies(*history, asked=asked + form).validity
            assert found == (Validity.VIOLATION if asked in there else Validity.UNKNOWN), asked
            without = anomalies(*history[:2], asked=asked + form).validity
            assert without == Validity.VALID


SEARCHED = ([r("y", 2), w("x", 0), w("y", 0)], [r("x", 2), w("y", 1)], [w("x", 2), w("y", 2)])
"""Of these only a search through the orders of versions tells that they are not serializable."""


def test_what_a_search_ruled_out_is_told_by_its_last_circle() -> None:
    (shown,) = judged(*SEARCHED).counterexample
    assert [edge["kind"] for edge in shown["edges"]] == ["ww", "rw"]
    forced = "(the other order is impossible)"
    assert [edge["why"] for edge in shown["edges"]] == [
        f'T1 set "y" = 0 before T2 set "y" = 1 {forced}',
        f'T2 read "x" = 2, before T1 set "x" = 0 {forced}',
    ]


def given_up(_solver: OrderSolver, _effort: int | None = None) -> None:
    raise Exhausted


def test_what_was_given_up_is_decided_when_it_is_asked_for_again() -> None:
    history = [{"process": at, "ops": ops} for at, ops in enumerate(SEARCHED)]
    judge = LevelJudge(resolve(table_of(history, timed=False, lists=False)), Budget())
    with mock.patch.object(OrderSolver, "solve", given_up):
        assert judge.decide("serializable", 0).holds is None
    assert judge.decide("serializable").holds is False


@pytest.mark.parametrize(
    ("where", "name", "value", "why"),
    [
        (OrderSolver, "solve", given_up, "no answer after 0 contradictions"),
        (order_search, "NODES_MAX", 0, "too many to search"),
        (order_search, "PAIRS_MAX", 0, "too many to search"),
    ],
)
def test_a_search_that_is_given_up_decides_nothing(
    where: Any, name: str, value: Any, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = judged(*SEARCHED)
    assert verdict.validity == Validity.VIOLATION
    assert verdict.counterexample
    monkeypatch.setattr(where, name, value)
    undecided = judged(*SEARCHED)
    assert undecided.validity == Validity.UNKNOWN
    assert why in undecided.reason


def anomalies(*transactions: Any, asked: str, timed: bool = True) -> Verdict:
    table = table_of(transactions, timed=timed, lists=False)
    return check(table, Request(anomalies=tuple(asked.split(","))))


def test_what_two_orders_of_versions_are_without_one_order_need_not_be() -> None:
    # Prefix consistency and parallel snapshot isolation hold, and snapshot isolation does not.
    every = (
        [r("x", None), w("y", 0)],
        [r("y", None), w("y", 1)],
        [r("x", 3), r("y", None)],
        [r("x", None), w("x", 3)],
    )
    history = [{"process": at, "ops": ops} for at, ops in enumerate(every)]
    for asked in ("prefix-violation", "G-single"):
        assert anomalies(*history, asked=asked, timed=False).validity == Validity.VALID
    both = anomalies(*history, asked="prefix-violation,G-single", timed=False)
    assert both.validity == Validity.UNKNOWN
    assert "whether one order is without all of them is not known" in both.reason


def test_a_level_that_fails_does_not_show_each_anomaly_that_it_rules_out() -> None:
    history = [{"process": at, "ops": ops} for at, ops in enumerate(LONG_FORK)]
    found = anomalies(*history, asked="write-skew", timed=False)
    assert found.validity == Validity.UNKNOWN
    assert "whether for this reason is not looked for" in found.reason


def test_a_stale_read_is_an_anomaly_of_its_session_or_of_real_time() -> None:
    first = {"ops": [w("x", 1)], "process": 0, "start": 0, "end": 1}
    mine = {"ops": [r("x", None)], "process": 0, "start": 2, "end": 3}
    other = {**mine, "process": 1}
    assert anomalies(first, mine, asked="G2").validity == Validity.VALID
    assert anomalies(first, mine, asked="G-single-process").validity == Validity.VIOLATION
    assert anomalies(first, other, asked="G-single-process").validity == Validity.VALID
    found = anomalies(first, other, asked="fractured-read-realtime")
    assert found.validity == Validity.VIOLATION
    untimed = anomalies(first, other, asked="G-single-realtime", timed=False)
    assert untimed.validity == Validity.UNKNOWN
    assert "no times" in untimed.reason
    before_it_was_written = [{"ops": [r("x", 1)]}, {"ops": [w("x", 1)], "process": 1}]
    for timed, validity in ((True, Validity.VIOLATION), (False, Validity.UNKNOWN)):
        found = anomalies(*before_it_was_written, asked="G1c-realtime", timed=timed)
        assert found.validity == validity
    verdict = judged(first, other, level="strong-read-atomic", timed=True)
    assert verdict.validity == Validity.VIOLATION
    assert verdict.counterexample[0]["anomaly"] == "fractured-read-realtime"
    assert verdict.levels is not None
    assert verdict.levels.violated == ("strong-read-atomic",)
    assert verdict.levels.allowed == ("serializable", "strong-monotonic-atomic-view")


def test_what_single_reads_show_is_found_and_nothing_follows_from_it() -> None:
    dirty = [{"ops": [w("x", 1)], "outcome": "fail"}, {"ops": [r("x", 1), w("x", 2)]}]
    for asked in ("dirty-update", "G1a", "G1", "G1a-realtime"):
        assert anomalies(*dirty, asked=asked).validity == Validity.VIOLATION
    for asked in ("G1b", "G1c", "G2-realtime", "internal", "cyclic-versions", "lost-update"):
        assert anomalies(*dirty, asked=asked).validity == Validity.VALID
    nobody = [{"ops": [r("x", 7)]}, {"ops": [w("y", 1)]}, {"ops": [r("y", 1)]}]
    assert anomalies(*nobody, asked="garbage-read").validity == Validity.VIOLATION
    assert anomalies(*nobody, asked="internal,G2").validity == Validity.VALID


def test_where_no_order_of_versions_agrees_the_others_are_not_known() -> None:
    circle = [{"ops": [r("x", 1), w("y", 2)]}, {"ops": [r("y", 2), w("x", 1)]}]
    assert anomalies(*circle, asked="G1c").validity == Validity.VIOLATION
    assert anomalies(*circle, asked="G0").validity == Validity.VALID
    unknown = anomalies(*circle, asked="G-nonadjacent")
    assert unknown.validity == Validity.UNKNOWN
    assert "circle" in unknown.reason


def test_what_only_a_second_read_of_a_key_shows_is_a_circle_too() -> None:
    late = [
        {"ops": [r("x", None), r("x", 1)], "start": 0, "end": 1},
        {"process": 1, "ops": [w("x", 1)], "start": 2, "end": 3},
    ]
    assert anomalies(*late, asked="G1c-realtime").validity == Validity.VIOLATION
    assert anomalies(*late, asked="G1c-process").validity == Validity.VALID
    late[1]["process"] = 0
    assert anomalies(*late, asked="G1c-process").validity == Validity.VIOLATION


def test_an_order_that_sessions_forbid_is_not_the_one_without_the_anomaly() -> None:
    """Without G-single x = 2 is the older version, and its writer is the later one of a session."""
    history = [
        {"process": 0, "ops": [w("x", 1)]},
        {"process": 0, "ops": [w("x", 2), w("y", 2)]},
        {"process": 1, "ops": [r("y", 2), r("x", 1)]},
    ]
    assert anomalies(*history, asked="G-single").validity == Validity.VALID
    for also in ("G0-process", "G1c-process"):
        assert anomalies(*history, asked=also).validity == Validity.VALID
        assert anomalies(*history, asked=f"G-single,{also}").validity == Validity.UNKNOWN
    assert anomalies(*history, asked="G-single,G0").validity == Validity.VALID
    assert anomalies(*history, asked="G-single,G1a-process").validity == Validity.VALID
    assert anomalies(*history, asked="G0,G-single-process").validity == Validity.VIOLATION


def test_an_order_that_reads_forbid_is_not_the_one_that_sessions_ask_for() -> None:
    """By what was read x = 4 is the older version, by the session x = 3 is."""
    history = [
        {"process": 0, "ops": [w("x", 3), r("y", 5)]},
        {"process": 0, "ops": [w("x", 4)]},
        {"process": 1, "ops": [r("x", 4), w("y", 5)]},
    ]
    for asked in ("G0-process", "G1c", "G0,G0-process", "G0,G1c"):
        assert anomalies(*history, asked=asked).validity == Validity.VALID
    assert anomalies(*history, asked="G1c,G0-process").validity == Validity.UNKNOWN
    fine = [*history[:2], {"process": 1, "ops": [r("x", 4)]}, {"process": 2, "ops": [w("y", 5)]}]
    assert anomalies(*fine, asked="G1c,G0-process").validity == Validity.VALID
    untimed = anomalies(*fine, asked="G1c,G0-realtime", timed=False)
    assert untimed.validity == Validity.UNKNOWN


def test_of_two_anomalies_each_may_be_avoidable_and_not_both() -> None:
    fork = [{"process": at, "ops": ops} for at, ops in enumerate(LONG_FORK)]
    assert anomalies(*fork, asked="G-single,lost-update").validity == Validity.VALID
    assert anomalies(*fork, asked="G-single,prefix-violation").validity == Validity.VIOLATION
    skew = [{"process": at, "ops": ops} for at, ops in enumerate(PLANTED["G2-item"][0])]
    assert anomalies(*skew, asked="G-single,prefix-violation").validity == Validity.VALID


@pytest.mark.parametrize("anomaly", PLANTED)
def test_an_anomaly_is_found_behind_many_transactions_that_have_nothing_to_do_with_it(
    anomaly: str,
) -> None:
    """More of them than searches for a small cycle begin at; chains, so that they have edges."""
    transactions, weakest = PLANTED[anomaly]
    others = [
        {"process": 1000 + at % 7, "ops": [r("z", at - 1 if at else None), w("z", at)]}
        for at in range(TRIED + 50)
    ]
    verdict = judged(*others, *transactions)
    assert verdict.validity == Validity.VIOLATION
    assert verdict.counterexample[0]["anomaly"] == anomaly
    assert verdict.levels is not None
    assert weakest in verdict.levels.violated


@pytest.mark.parametrize("level", ["read-committed", "read-atomic", "causal"])
def test_readers_between_the_transactions_of_a_cycle_do_not_hide_it(level: str) -> None:
    """Each cycle has an edge that the level forces, and a reader before each transaction of it."""
    cycles = {
        "read-committed": [
            [w("x", 1), w("y", 1)],
            [w("x", 2), w("y", 2), r("p", 1)],
            [r("x", 1), r("y", 2), w("p", 1)],
        ],
        "read-atomic": [
            [w("x", 1), w("y", 1)],
            [w("x", 2), w("y", 2)],
            [r("x", 1), r("y", 2)],
            [r("y", 1), r("x", 2)],
        ],
        "causal": [
            [w("x", 1)],
            [r("x", 1), w("x", 2)],
            [r("x", 2), w("y", 1)],
            [r("y", 1), r("x", 1)],
        ],
    }
    cycle = cycles[level]
    assert judged(*cycle, level=level).validity == Validity.VIOLATION
    reader = [r("z", 1)]
    for place in range(len(cycle) + 1):
        history = [[w("z", 1)], *cycle[:place], reader, *cycle[place:]]
        assert judged(*history, level=level).validity == Validity.VIOLATION
    spread = [each for one in cycle for each in (reader, one)]
    assert judged([w("z", 1)], *spread, reader, level=level).validity == Validity.VIOLATION
    # And a writer that the level puts behind the first of the cycle, and before nothing in it.
    first = [*cycle[0], w("a", 1), w("b", 1)]
    behind = [[w("b", 2)], [r("a", 1), r("b", 2)]]
    for history in ([first, *cycle[1:], *behind], [*behind, first, *cycle[1:]]):
        assert judged(*history, level=level).validity == Validity.VIOLATION


def test_what_hangs_on_a_cycle_does_not_hide_it() -> None:
    """Successors in the session or by what they read, more of them than searches begin at."""
    readers = [{"process": 2000 + at, "ops": [r("q", 1)]} for at in range(TRIED + 50)]
    cycle = [
        {"process": 9, "ops": [r("x", 1)]},
        {"process": 9, "ops": [w("y", 2), w("q", 1)]},
        [r("y", 2), w("x", 1)],
    ]
    later = [{"process": 9, "ops": [w("z", at)]} for at in range(3)]
    # Each is read together with another writer of its b, which the levels then put behind it.
    followers = [
        {"process": 3000 + at, "ops": ops}
        for at in range(TRIED + 50)
        for ops in ([r("q", 1), w(f"a{at}", 1), w(f"b{at}", 1)],)
    ]
    behind = [
        ops
        for at in range(TRIED + 50)
        for ops in ([w(f"b{at}", 2)], [r(f"a{at}", 1), r(f"b{at}", 2)])
    ]
    for before, more in ((readers, later[:1]), (readers, later), (followers, behind)):
        history = (*before, *cycle, *more)
        verdict = judged(*history)
        assert verdict.validity == Validity.VIOLATION
        assert verdict.counterexample[0]["anomaly"] == "G1c-process"
        assert verdict.levels is not None
        assert "read-committed" in verdict.levels.violated
        for level in ("read-committed", "read-atomic", "causal"):
            assert judged(*history, level=level).validity == Validity.VIOLATION


@pytest.mark.parametrize("anomaly", PLANTED)
def test_without_its_last_transaction_a_planted_anomaly_is_gone(anomaly: str) -> None:
    transactions, _ = PLANTED[anomaly]
    if len(transactions) > 1 and anomaly not in {"G1c", "G1c-process", "internal"}:
        assert judged(*transactions[:-1]).validity != Validity.VIOLATION


def test_a_cycle_is_told_edge_by_edge() -> None:
    (example,) = judged(*LONG_FORK).counterexample
    edges = example["edges"]
    assert [edge["kind"] for edge in edges] == ["wr", "rw", "wr", "rw"]
    assert [edge["to"] for edge in edges] == [edge["from"] for edge in edges[1:] + edges[:1]]
    assert 'T2 read "x" = 1, which T1 wrote' in edges[0]["why"]


def session(process: int, ends: list[Any], between: int) -> list[Any]:
    """A session, with transactions between that have no part in anything."""
    idle = [[w(f"{process}-{number}", number)] for number in range(between)]
    return [{"process": process, "ops": ops} for ops in (ends[0], *idle, ends[1])]


@pytest.mark.parametrize(
    ("level", "others", "first", "second"),
    [
        ("read-committed", [], [[r("y", 2)], [w("x", 1)]], [[r("x", 1)], [w("y", 2)]]),
        ("causal", [[w("x", 1)]], [[r("x", 1)], [w("y", 2)]], [[r("y", 2)], [r("x", None)]]),
        (
            "snapshot-isolation",
            [[w("x", 1)], [w("y", 2)]],
            [[r("x", 1)], [r("y", None)]],
            [[r("y", 2)], [r("x", None)]],
        ),
    ],
)
def test_of_a_session_a_witness_has_the_first_and_the_last_transaction(
    level: str, others: list[Any], first: list[Any], second: list[Any]
) -> None:
    def shown(between: int) -> Any:
        sessions = [*session(20, first, between), *session(30, second, between)]
        (example,) = judged(*others, *sessions, level=level).counterexample
        return example

    for between in (0, 1, 40):
        assert len(shown(between)["operations"]) == 4 + len(others), shown(between)
        assert shown(between)["anomaly"] == shown(0)["anomaly"]
        assert len(shown(between).get("edges", ())) == len(shown(0).get("edges", ()))
    assert sum("process 20 did" in line for line in shown(40)["text"]) == 1


@pytest.mark.parametrize("level", ["strong-read-committed", "strict-serializable"])
def test_of_times_a_witness_has_the_first_and_the_last_transaction(level: str) -> None:
    idle = [[w(f"z{number}", number)] for number in range(9)]
    (example,) = judged([r("x", 1)], *idle, [w("x", 1)], level=level, timed=True).counterexample
    assert len(example["operations"]) == 2
    assert sorted(edge["kind"] for edge in example["edges"]) == ["realtime", "wr"]


def test_strict_serializability_minds_time() -> None:
    transactions = [[w("x", 1)], [r("x", None)]]
    assert judged(*transactions).validity == Validity.VALID
    verdict = judged(*transactions, level="strict-serializable", timed=True)
    assert verdict.validity == Validity.VIOLATION
    assert verdict.counterexample[0]["anomaly"].endswith("-realtime")


def test_strict_serializability_is_unknown_without_times() -> None:
    verdict = judged([w("x", 1)], [r("x", 1)], level="strict-serializable")
    assert verdict.validity == Validity.UNKNOWN


def test_the_default_is_strict_where_there_are_times() -> None:
    history = table_of([{"ops": [w("x", 1)]}, {"process": 1, "ops": [r("x", None)]}], lists=False)
    assert check(history, Request()).validity == Validity.VIOLATION


def test_blind_writes_that_no_order_explains_are_refuted_by_search() -> None:
    # Whoever of the two writers of x came first, one of the readers has seen the other too early.
    verdict = judged(
        [w("x", 1), w("a", 1)],
        [w("x", 2), w("b", 2)],
        [r("x", 1), r("b", 2)],
        [r("x", 2), r("a", 1)],
    )
    assert verdict.validity == Validity.VIOLATION


def test_nothing_read_is_unknown() -> None:
    assert judged([w("x", 1)]).validity == Validity.UNKNOWN


def test_an_indeterminate_write_that_was_read_took_effect() -> None:
    unsure = {"ops": [w("x", 1), w("y", 2)], "outcome": "info"}
    assert judged(unsure, [r("x", 1)]).validity == Validity.VALID
    assert judged(unsure, [r("x", 1), r("y", None)]).validity == Validity.VIOLATION
    assert judged(unsure, [r("x", None), r("y", None)]).validity == Validity.VALID


def test_the_initial_value_can_be_given() -> None:
    history = table_of([{"ops": [r("x", 0), w("x", 1)]}], lists=False)
    assert check(history, Request(init=0)).validity == Validity.VALID
    assert check(history, Request()).validity == Validity.VIOLATION


@pytest.mark.parametrize("transactions", [[[w("x", 1)], [w("x", 1)]], [[w("x", 0)]]])
def test_a_value_that_is_written_twice_is_refused_with_its_line(transactions: Any) -> None:
    history = table_of([{"ops": ops} for ops in transactions], lists=False)
    with pytest.raises(HistoryError, match=r"history:\d+"):
        check(history, Request(init=0))


def test_a_level_between_is_valid_or_violated_as_its_neighbours_are() -> None:
    skew = PLANTED["G2-item"][0]
    assert judged(*skew, level="update-atomic").validity == Validity.VALID
    assert judged(*skew, level="repeatable-read").validity == Validity.VIOLATION
    assert judged(*skew, level="update-serializable").validity == Validity.UNKNOWN
    vanished = PLANTED["observed-transaction-vanishes"][0]
    assert judged(*vanished, level="monotonic-view").validity == Validity.VIOLATION


def test_reads_of_a_key_that_differ_are_no_item_cut() -> None:
    twice = [[w("x", 1)], [r("x", None), r("x", 1)]]
    assert judged(*twice, level="item-cut-isolation").validity == Validity.VIOLATION
    assert judged(*twice, level="read-committed").validity == Validity.VALID
    between = [[w("x", 1)], [w("x", 2)], [r("x", 1), r("y", None), r("x", 2)]]
    assert judged(*between, level="item-cut-isolation").validity == Validity.VIOLATION


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_is_judged_in_every_form(level: str) -> None:
    verdict = judged([w("x", 1)], [r("x", 1)], level=level, timed=True)
    assert verdict.validity == Validity.VALID


def test_a_spent_budget_ends_the_check() -> None:
    history = table_of([{"ops": [w("x", 1)]}, {"ops": [r("x", 1)]}], lists=False)
    with pytest.raises(OutOfBudgetError):
        check(history, Request(budget=Budget(timeout_s=-1.0)))


@pytest.mark.parametrize(("clocks", "edges"), [(2, 1), (2, 1024), (3, 2), (256, 1)])
def test_what_was_found_is_kept_where_room_has_to_be_made(clocks: int, edges: int) -> None:
    cycle = [[w("x", 1)], [r("x", 1), w("x", 2)], [r("x", 2), w("y", 1)], [r("y", 1), r("x", 1)]]
    held = [[w(f"k{at}", 1)] for at in range(9)]
    used = [[r(f"k{at}", 1), w(f"k{at}", 2)] for at in range(9)]
    again = [[r(f"k{at}", 2)] for at in range(9)]
    with mock.patch.multiple(causal, CLOCKS=clocks, EDGES=edges):
        for history in (
            [*cycle, *held, *used, *again],
            [*held, *cycle, *used, *again],
            [*held, *used, *again, *cycle],
        ):
            assert judged(*history, level="causal").validity == Validity.VIOLATION
            valid = [each for each in history if each is not cycle[-1]]
            assert judged(*valid, level="causal").validity == Validity.VALID


def test_room_for_edges_is_made_also_where_there_is_room_for_clocks() -> None:
    writers = [[w("x", at), w(f"y{at}", 1)] for at in range(2)]
    reader = [r("y0", 1), r("y1", 1), r("x", 0)]
    history = [*writers, *[reader] * 8]
    with mock.patch.multiple(causal, CLOCKS=6, EDGES=8):
        assert judged(*history, level="causal").validity == Validity.VALID
        other = [*reader[:2], r("x", 1)]
        assert judged(*history, other, level="causal").validity == Validity.VIOLATION


def test_an_indeterminate_transaction_stands_in_no_session() -> None:
    # T3 saw the indeterminate T2, which says nothing of what the first session wrote.
    history = [
        {"process": 0, "ops": [w("x", 1)]},
        {"process": 1, "ops": [w("y", 2)], "outcome": "info"},
        {"process": 2, "ops": [r("y", 2), r("x", None)]},
    ]
    assert judged(*history, level="causal").validity == Validity.VALID
    assert judged(*history, level="strong-session-serializable").validity == Validity.VALID


def test_a_transaction_hands_on_what_it_was_handed() -> None:
    # T2 neither misses anything nor is missed; without it T1 and T3 have nothing to do with each
    # other, and two transactions that miss what others saw are allowed.
    def chain(*middle: Any) -> list[Any]:
        return [
            [w("x", 1)],
            *middle,
            [r("z", 2), r("y", None)],
            [w("y", 3)],
            [r("y", 3), r("x", None)],
        ]

    apart = chain([w("z", 2)])
    through = chain([r("x", 1), w("z", 2)])
    for level in ("snapshot-isolation", "prefix", "parallel-snapshot-isolation", "serializable"):
        assert judged(*apart, level=level).validity == Validity.VALID
    assert judged(*through, level="causal").validity == Validity.VALID
    assert judged(*through, level="parallel-snapshot-isolation").validity == Validity.VALID
    assert judged(*through, level="prefix").validity == Validity.VIOLATION
    assert judged(*through, level="snapshot-isolation").validity == Validity.VIOLATION


def test_values_that_are_written_again_are_all_told() -> None:
    with pytest.raises(HistoryError) as refused:
        resolve(
            table_of(
                [{"process": at, "ops": [w("x", 1), w("y", at)]} for at in range(4)], lists=False
            )
        )
    assert refused.value.total == 3
    assert len(refused.value.problems) == 3


def test_two_orders_of_blind_writes_that_are_both_excluded_by_what_the_writers_missed() -> None:
    # Whoever comes second must have seen the first, and neither did.
    history = [
        [w("x", 1), w("z", 1), r("u", None)],
        [w("x", 2), w("u", 2), r("z", None)],
    ]
    assert judged(*history, level="causal").validity == Validity.VALID
    assert judged(*history, level="prefix").validity == Validity.VALID
    for level in ("parallel-snapshot-isolation", "snapshot-isolation", "serializable"):
        assert judged(*history, level=level).validity == Validity.VIOLATION
        assert judged(history[0], [w("x", 2), w("u", 2)], level=level).validity == Validity.VALID


def test_two_orders_of_blind_writes_that_are_both_excluded_by_their_readers() -> None:
    def half(mine: int, others: int, key: str) -> list[Any]:
        """If 1 comes first, its reader misses who wrote 2; what saw that one missed ``key``."""
        return [
            [w("x", others), w(f"y{others}", 5)],
            [w(key, 7)],
            [r("x", mine), r(key, 7)],
            [r(f"y{others}", 5), r(key, None)],
        ]

    one, two = half(1, 2, "a"), half(2, 1, "b")
    for level in ("causal", "parallel-snapshot-isolation"):
        assert judged(*one, *two, level=level).validity == Validity.VALID
    for level in ("prefix", "snapshot-isolation", "serializable"):
        assert judged(*one, *two, level=level).validity == Validity.VIOLATION
        assert judged(*one, *two[:3], level=level).validity == Validity.VALID


def test_a_reader_that_the_order_of_another_key_lets_see_what_it_missed() -> None:
    # Of k the second comes before the third, for it missed m; of x the first, for it missed q.
    history = [
        [w("x", 1), r("q", None)],
        [w("x", 2), w("q", 8), w("k", 2), r("m", None)],
    ]
    for level in ("causal", "prefix"):
        third = [r("x", 1), w("k", 3), w("m", 9)]
        assert judged(*history, third, level=level).validity == Validity.VALID
    for level in ("parallel-snapshot-isolation", "snapshot-isolation", "serializable"):
        assert judged(*history, third, level=level).validity == Validity.VIOLATION
        assert judged(*history, third[1:], level=level).validity == Validity.VALID


def test_time_is_no_reason_where_the_level_asked_for_does_not_respect_it():
    """Of two that are in an order for another reason one had also ended before the other began."""
    rows = (
        [w("x", 1), w("y", 1), r("z", 2)],
        [w("x", 2), w("z", 2)],
        [r("y", 1), r("x", 2)],
    )
    verdict = judged(*rows, level="causal", timed=True)
    assert verdict.validity == Validity.VIOLATION
    (shown,) = verdict.counterexample
    assert not shown["anomaly"].endswith(FORMS[1:])
    assert "realtime" not in {edge["kind"] for edge in shown["edges"]}


def test_a_forced_edge_is_told_with_the_reader_that_forces_it() -> None:
    verdict = judged(
        [w("x", 1), w("y", 1), w("z", 1)],
        [w("x", 2), w("y", 2)],
        [w("z", 3)],
        [r("x", 1), r("z", 3)],
        [r("x", 1), r("y", 2)],
        [r("x", 2), r("y", 1)],
        level="read-committed",
        timed=True,
    )
    edges = verdict.counterexample[0]["edges"]
    assert [edge["kind"] for edge in edges] == ["forced", "forced"]
    for edge in edges:
        assert f"so {edge['from']} would have to come before {edge['to']}" in edge["why"]


def test_what_the_first_transaction_of_a_session_wrote_is_missed_by_the_next() -> None:
    session = [{"process": 9, "ops": [op]} for op in (w("x", 1), r("x", None))]
    (example,) = judged(*session, level="read-atomic").counterexample
    assert example["anomaly"].endswith("-process")
    assert "process 9 did" in example["edges"][0]["why"]


def test_a_write_that_was_read_is_why_another_of_its_transaction_is_missed() -> None:
    for other in (0, 5):  # also where its transaction had ended before
        writer = {"ops": [w("x", 1), w("y", 1)], "start": 0, "end": 1 + other}
        reader = {"ops": [r("y", None), r("x", 1)], "start": 3, "end": 4}
        (example,) = judged(writer, reader, level="strong-read-atomic", timed=True).counterexample
        assert 'read "x" = 1, which T' in example["edges"][0]["why"]


@pytest.mark.parametrize("level", ["read-committed", "read-atomic", "causal"])
def test_a_cycle_is_found_behind_many_transactions_that_lie_between_two(level: str) -> None:
    between = [[r("z", at - 1 if at else -1), w("z", at)] for at in range(TRIED + 50)]
    first = ([r("x", 1), w("y", 2), w("z", -1)], [r("y", 2), w("x", 1)])
    last = ([r("z", TRIED + 49), r("p", 1), w("q", 2)], [r("q", 2), w("p", 1)])
    verdict = judged(*between, *first, *last, level=level)
    assert verdict.validity == Validity.VIOLATION
    assert verdict.counterexample[0]["anomaly"] == "G1c"
    assert len(verdict.counterexample[0]["edges"]) == 2
