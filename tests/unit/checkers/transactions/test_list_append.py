"""Each anomaly planted in a small history is named, and nothing is named in one without."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.checkers.budget import Budget, OutOfBudgetError
from testbed.checkers.request import Request
from testbed.checkers.transactions.anomaly import canonical_anomalies
from testbed.checkers.transactions.level import canonical_levels, included_in
from testbed.checkers.transactions.list_append import check
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.problem import HistoryError
from tests.transaction_tables import table_of


def txn(*ops: str, **fields: Any) -> dict[str, Any]:
    """``"x+1"`` appends 1 to x, ``"x:12"`` reads it as [1, 2], ``"x:"`` as []."""
    micro: list[list[Any]] = []
    for op in ops:
        if "+" in op:
            key, value = op.split("+")
            micro.append(["append", key, int(value)])
        else:
            key, items = op.split(":")
            micro.append(["r", key, [int(item) for item in items]])
    return {"ops": micro, **fields}


def at(start: int, end: int, process: int) -> dict[str, int]:
    return {"start": start, "end": end, "process": process}


def judged(*transactions: dict[str, Any], timed: bool = True, **asked: Any) -> Verdict:
    return check(table_of(transactions, timed=timed), Request(**asked))


def names(verdict: Verdict) -> set[str]:
    found = {each["anomaly"] for each in verdict.counterexample}
    return found | {name for each in verdict.counterexample for name in each.get("names", ())}


SIDE_BY_SIDE = [at(2 * n, 100 + n, n) for n in range(6)]

PLANTED = {
    "G0": [txn("x+1", "y+1"), txn("x+2", "y+2"), txn("x:12", "y:21")],
    "G1a": [txn("x+1", outcome="fail"), txn("x:1")],
    "G1b": [txn("x+1", "x+2"), txn("x:1"), txn("x:12")],
    "G1c": [txn("x+1", "y:2"), txn("y+2", "x:1")],
    "G-single": [txn("x+1"), txn("x+2", "y+1"), txn("y:1", "z+1"), txn("z:1", "x:1"), txn("x:12")],
    "G-nonadjacent": [
        txn("x+1", "a+1"),
        txn("x:1", "y:"),
        txn("y+1", "b+1"),
        txn("y:1", "x:"),
        txn("x:1", "y:1"),
    ],
    "G2-item": [txn("x:", "y+1"), txn("y:", "x+1")],
    "write-skew": [txn("x:", "y+1"), txn("y:", "x+1")],
    "G-monotonic": [txn("x+1"), txn("x:1", "y+1"), txn("y:1", "x:")],
    "G-MSR": [txn("x+1"), txn("y+1"), txn("x:1", "y:"), txn("y:1", "x:")],
    "G-update": [txn("x:", "y+1"), txn("y:", "x+1")],
    "lost-update": [txn("x:", "x+1"), txn("x:", "x+2"), txn("x:12")],
    "G-cursor": [txn("x:", "x+1"), txn("x+2"), txn("x:21")],
    "dirty-update": [txn("x+1", outcome="fail"), txn("x+2"), txn("x:12")],
    "internal": [txn("x:1", "x:"), txn("x+1")],
    "future-read": [txn("x:1", "x+1")],
    "incompatible-order": [txn("x+1"), txn("x+2"), txn("x:12"), txn("x:2")],
    "duplicate-elements": [txn("x+1"), txn("x:11")],
    "garbage-read": [txn("x+1"), txn("x:12")],
    "fractured-read": [txn("x+1", "y+1"), txn("x:1", "y:")],
    "observed-transaction-vanishes": [txn("x+1", "y+1"), txn("x:1", "y:")],
    "causal-violation": [txn("x+1"), txn("x:1", "y+1"), txn("y:1", "x:")],
    "prefix-violation": [
        txn("x+1"),
        txn("y+1"),
        txn("x:1", "y:"),
        txn("y:1", "x:"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("anomaly", PLANTED)
def test_a_planted_anomaly_is_named(anomaly):
    transactions = [
        {**where, **each} for where, each in zip(SIDE_BY_SIDE, PLANTED[anomaly], strict=False)
    ]
    verdict = judged(*transactions)
    assert verdict.validity == Validity.VIOLATION
    assert anomaly in names(verdict)
    asked = judged(*transactions, anomalies=canonical_anomalies(anomaly))
    assert asked.validity == Validity.VIOLATION
    assert anomaly in asked.reason


@pytest.mark.parametrize(
    ("transactions", "anomaly"),
    [
        ([txn("x+1"), txn("x+2"), txn("x:12", "x:1", "x+3")], "G-cursor"),
        ([txn("x+1"), txn("x:1", "x+2"), txn("x:12", "x:1", "x+3"), txn("x:123")], "lost-update"),
    ],
)
def test_each_read_before_an_append_counts_and_not_the_first_alone(transactions, anomaly):
    verdict = judged(*transactions, levels=("cursor-stability",))
    assert verdict.validity == Validity.VIOLATION
    assert anomaly in names(verdict)


def test_a_version_that_is_read_twice_is_not_lost_for_that():
    verdict = judged(txn("x+1"), txn("x:1", "x:1", "x+2"), txn("x:12"))
    assert verdict.validity == Validity.VALID


@pytest.mark.parametrize(
    ("transactions", "violated", "held"),
    [
        # What was missed came before what was seen, in the transaction: views only move on.
        (
            [txn("x+1", "y+1"), txn("x:", "y:1")],
            "consistent-view",
            "strong-monotonic-snapshot-read",
        ),
        # A long fork: no one order of commits, also for reads that need not be of one snapshot.
        (PLANTED["G-MSR"], "monotonic-snapshot-read", "strong-consistent-view"),
        (PLANTED["G-MSR"], "monotonic-snapshot-read", "strong-update-serializable"),
        # The same, each reader the other way round.
        (
            [txn("x+1"), txn("y+1"), txn("y:", "x:1"), txn("x:", "y:1")],
            "snapshot-isolation",
            "strong-monotonic-snapshot-read",
        ),
        # Without the reader the updates are serializable.
        (
            [txn("x:", "y:", "x+1"), txn("x:1", "z+1", "x+2"), txn("z:1", "y:", "x:12", "w+1")],
            "nothing",
            "strict-serializable",
        ),
        (
            [txn("x:", "y:", "x+1"), txn("y:", "y+1"), txn("y:1", "x:")],
            "update-serializable",
            "strong-snapshot-isolation",
        ),
        (
            [txn("x:", "y:", "x+1"), txn("y:", "y+1"), txn("y:1", "z+1"), txn("x:", "z:1")],
            "update-serializable",
            "strong-forward-consistent-view",
        ),
    ],
)
def test_levels_between_are_decided(transactions, violated, held):
    history = [{**where, **each} for where, each in zip(SIDE_BY_SIDE, transactions, strict=False)]
    levels = judged(*history).levels
    assert levels is not None
    assert violated == "nothing" or any(
        violated in included_in(name) or name in included_in(violated) for name in levels.violated
    )
    assert held in {lower for name in levels.allowed for lower in included_in(name)}
    if violated != "nothing":
        asked = judged(*history, levels=(violated,))
        assert asked.validity == Validity.VIOLATION
    assert judged(*history, levels=(held,)).validity == Validity.VALID


def test_a_read_of_nothing_misses_what_it_must_see_also_where_others_saw_it():
    verdict = judged(
        txn("x+1", "y+1", **at(0, 9, 0)), txn("x:1", "y:", **at(1, 8, 1)), txn("y:1", **at(2, 7, 2))
    )
    assert "observed-transaction-vanishes" in names(verdict)


def test_a_read_of_nothing_demands_nothing():
    # The columns of b follow those of c: a read of no element of b has seen none of the writer's.
    verdict = judged(
        txn("a+1", "c+1", **at(0, 9, 0)), txn("b:", "c:", **at(1, 8, 1)), txn("c:1", **at(2, 7, 2))
    )
    assert verdict.validity == Validity.VALID


def test_cases_of_an_anomaly_are_counted():
    verdict = judged(txn("x+1"), *[txn("x:1", "x:")] * 3, anomalies=("internal",))
    assert verdict.counterexample[0]["count"] == 3


def test_a_stale_read_is_an_anomaly_of_its_session_or_of_real_time():
    one = judged(txn("x+1", **at(0, 1, 0)), txn("x:", **at(2, 3, 0)))
    assert "G-single-process" in names(one)
    assert one.levels is not None
    assert "serializable" in one.levels.allowed
    two = judged(txn("x+1", **at(0, 1, 0)), txn("x:", **at(2, 3, 1)))
    seen = {"G-single-realtime", "fractured-read-realtime", "G-monotonic-realtime"}
    assert names(two) == seen
    assert two.levels is not None
    assert "strong-session-serializable" in two.levels.allowed
    overlapping = judged(txn("x+1", **at(0, 2, 0)), txn("x:", **at(1, 3, 1)))
    assert overlapping.validity == Validity.VALID


@pytest.mark.parametrize(
    ("process", "form"), [(0, "-process"), (1, "-realtime")], ids=["session", "real time"]
)
def test_overwriting_against_the_order_of_time(process, form):
    verdict = judged(
        txn("x+2", **at(0, 1, 0)), txn("x+1", **at(2, 3, process)), txn("x:12", **at(4, 5, 7))
    )
    assert "G0" + form in names(verdict)


@pytest.mark.parametrize(
    ("process", "form"), [(0, "-process"), (1, "-realtime")], ids=["session", "real time"]
)
def test_write_skew_that_only_time_closes(process, form):
    verdict = judged(
        txn("x:", "a+1", **at(0, 9, 5)),
        txn("x+1", **at(1, 2, 0)),
        txn("a:", **at(3, 4, process)),
    )
    assert "G2-item" + form in names(verdict)
    assert not {"G2-item", "write-skew", "G-single" + form} & names(verdict)


def test_a_valid_history_shows_nothing():
    verdict = judged(txn("x+1"), txn("x:1", "x+2", "x:12"), txn("x:12", "y:"), txn("y+1"))
    assert verdict.validity == Validity.VALID
    assert verdict.counterexample == ()
    assert verdict.levels is not None
    assert verdict.levels.allowed == ("strict-serializable",)
    assert verdict.numbers["dependencies"] == 4


def test_what_is_not_asked_for_is_told_and_violates_nothing():
    skew = [{**w, **t} for w, t in zip(SIDE_BY_SIDE, PLANTED["G2-item"], strict=False)]
    verdict = judged(*skew, levels=canonical_levels("SI"))
    assert verdict.validity == Validity.VALID
    assert "not asked for: G-update, write-skew, G2-item" in verdict.reason


def test_an_indeterminate_transaction_counts_once_a_read_shows_it():
    seen = judged(txn("x+1", "y+1", outcome="info"), txn("x:1", "y:"))
    assert "fractured-read" in names(seen)
    unseen = judged(txn("x+1", "y+1", outcome="info"), txn("x:", "y:"), txn("y+2"), txn("y:2"))
    assert unseen.validity == Validity.VALID


def test_an_indeterminate_transaction_may_take_effect_later_than_what_followed():
    verdict = judged(
        txn("x+1", outcome="info", process=0, start=0), txn("x:", **at(2, 3, 0)), txn("x:1")
    )
    assert verdict.validity == Validity.VALID


def test_nothing_inferred_is_unknown():
    verdict = judged(txn("x:"), txn("y:"))
    assert verdict.validity == Validity.UNKNOWN
    assert verdict.levels is None
    assert judged().validity == Validity.UNKNOWN


def test_the_same_append_twice_is_unknown_with_both_lines():
    verdict = judged(txn("x+1"), txn("x:1"), txn("x+1"))
    assert verdict.validity == Validity.UNKNOWN
    assert "lines 1 and 3" in verdict.reason
    assert verdict.promise == "The transactions keep to strict-serializable."


def test_without_times_the_default_is_serializable_and_strict_is_unknown():
    stale = [txn("x+1", process=0), txn("x:", process=1)]
    assert judged(*stale, timed=False).validity == Validity.VALID
    strict = judged(*stale, timed=False, levels=("strict-serializable",))
    assert strict.validity == Validity.UNKNOWN
    assert "no times" in strict.reason


def test_forward_consistency_of_sessions_is_unknown_between_two_others():
    stale = [txn("z+1", **at(0, 1, 10)), txn("z:", **at(2, 3, 11))]
    fork = [{**at(10 + n, 20 + n, n), **each} for n, each in enumerate(PLANTED["G-MSR"])]
    (level,) = canonical_levels("strong-session-PL-FCV")
    assert judged(*fork, levels=(level,)).validity == Validity.VALID
    assert judged(*stale, levels=(level,)).validity == Validity.VALID
    both = judged(*stale, *fork, levels=(level,))
    assert both.validity == Validity.UNKNOWN
    assert "G-SIb-process is not looked for" in both.reason
    (weaker,) = canonical_levels("PL-FCV")
    assert judged(*stale, *fork, levels=(weaker,)).validity == Validity.VALID


def test_what_is_too_much_to_take_apart_is_neither_found_nor_excluded(monkeypatch):
    monkeypatch.setattr("testbed.checkers.transactions.list_unfold.UNFOLDED_MAX", 5)
    fork = [{**w, **t} for w, t in zip(SIDE_BY_SIDE, PLANTED["G-MSR"], strict=False)]
    verdict = judged(*fork, levels=canonical_levels("PL-MSR"))
    assert verdict.validity == Validity.UNKNOWN
    assert "given up" in verdict.reason
    # That no circle has one missed write settles it without taking anything apart.
    assert judged(*fork, levels=canonical_levels("PL-2L")).validity == Validity.VALID


def test_a_write_is_refused():
    with pytest.raises(HistoryError, match="expected append or r"):
        judged({"ops": [["w", "x", 1]]})


def test_an_edge_is_told_with_its_reason():
    verdict = judged(txn("x+1"), txn("x+2"), txn("x:1"), txn("x:12"))
    text = "\n".join(verdict.counterexample[0]["text"])
    assert 'T1 read key "x" as [1], T2 appended 2 right after: T1 must come before T2 (rw)' in text
    assert {"from", "to", "kind", "why"} == set(verdict.counterexample[0]["edges"][0])


def test_the_witness_is_the_shortest_circle():
    ring = [txn(f"k{n}:", f"k{(n + 1) % 5}+{n}", **at(n, 100 + n, n)) for n in range(5)]
    pair = [txn("x:", "y+8", **at(10, 110, 10)), txn("y:", "x+9", **at(11, 111, 11))]
    verdict = judged(*ring, *pair)
    assert len(verdict.counterexample[0]["operations"]) == 2
    assert len(judged(*ring).counterexample[0]["operations"]) == 5


def test_many_keys_in_a_history_of_plain_loops():
    size = 2500
    appends = [{"ops": [["append", n, n]]} for n in range(size)]
    reads = [{"ops": [["r", n, [n]]]} for n in range(0, size, 50)]
    verdict = judged(*appends, *reads)
    assert verdict.validity == Validity.VALID
    assert verdict.numbers["keys"] == size


def test_a_budget_ends_it():
    with pytest.raises(OutOfBudgetError, match="no version order"):
        judged(txn("x+1"), txn("x:1"), budget=Budget(timeout_s=0))


def test_write_skew_without_end_is_snapshot_isolation_without_a_search(monkeypatch):
    monkeypatch.setattr("testbed.checkers.transactions.circle._STEPS_PLAIN", 5)
    ring = [txn(f"k{n}:", f"k{(n + 1) % 9}+{n}", **at(n, 100 + n, n)) for n in range(9)]
    verdict = judged(*ring, levels=("strong-snapshot-isolation",))
    assert verdict.validity == Validity.VALID
    assert "G2-item" in verdict.reason


def test_many_appends_that_no_read_shows_need_few_edges():
    size = 60
    writers = [txn(f"x+{n}", **at(n, 1000 + n, n)) for n in range(size)]
    readers = [txn("x:", **at(size + n, 2000 + n, size + n)) for n in range(size)]
    verdict = judged(*writers, *readers)
    assert verdict.validity == Validity.VALID
    assert verdict.numbers["dependencies"] == size


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("update", [False, True], ids=["reads", "updates"])
def test_a_reader_misses_each_append_that_no_read_shows(which, update):
    writers = [txn(f"x+{n}", f"y{n}+1", **at(n, 100 + n, n)) for n in range(4)]
    reader = txn("x:", f"y{which}:1", *(["x+9"] if update else []), **at(50, 200, 9))
    assert "fractured-read" in names(judged(*writers, reader))
    assert "fractured-read" in names(judged(reader | {"start": -1}, *writers))
    skew = txn("x:", "z+1", *(["x+9"] if update else []), **at(50, 200, 9))
    writers[which] = txn(f"x+{which}", "z:", **at(which, 100 + which, which))
    for order in ([skew, *writers], [*writers, skew]):
        verdict = judged(*order, levels=("serializable",))
        assert "G2-item" in names(verdict)
        assert not {"G-single", "internal"} & names(verdict)


def test_what_was_aborted_is_no_version_among_others():
    verdict = judged(
        txn("x+1", "y+2", outcome="fail", **at(0, 90, 0)),
        txn("x+2", "y+1", **at(1, 91, 1)),
        txn("x:12", "y:12", **at(2, 92, 2)),
    )
    assert names(verdict) == {"G1a", "dirty-update"}
    assert verdict.levels is not None
    assert verdict.levels.violated == ("read-committed",)


def test_an_aborted_write_with_nothing_after_it_is_no_dirty_update():
    verdict = judged(txn("x+1"), txn("x+2", outcome="fail"), txn("x:12"))
    assert names(verdict) == {"G1a"}


def test_what_no_read_shows_was_appended_after_what_is_read():
    verdict = judged(
        *[
            {**where, **each}
            for where, each in zip(
                SIDE_BY_SIDE,
                [txn("x+1", "y+2"), txn("x+2", "y+1"), txn("x:1"), txn("y:12")],
                strict=False,
            )
        ]
    )
    assert "G0" in names(verdict)
    assert "which no read shows" in "\n".join(verdict.counterexample[0]["text"])


def test_a_last_append_that_no_read_shows_replaces_what_was_before_those_that_one_shows():
    one = txn("x+1", "y+5", **at(0, 10, process=1))
    two = txn("x+2", "x:12", "x+3", "y:", **at(1, 11, process=2))
    verdict = judged(one, two, levels=("monotonic-view",))
    assert verdict.validity == Validity.VIOLATION
    assert "G-monotonic" in names(verdict)


def test_what_each_order_of_unread_appends_shows_in_its_own_way_is_not_ruled_out():
    one = txn("x:", "y+1", **at(0, 10, process=1))
    two = txn("y:", "y+2", "x+3", **at(1, 11, process=2))
    three = txn("x:3", **at(2, 12, process=3))
    verdict = judged(one, two, three, levels=("consistent-view",))
    assert verdict.validity == Validity.UNKNOWN, verdict.reason
    assert "order of appends that no read shows" in verdict.reason
    assert verdict.levels is not None
    assert "strong-cursor-stability" in verdict.levels.allowed
    allowed = judged(one, two, three, levels=("strong-prefix",))
    assert allowed.validity == Validity.VALID, allowed.reason


def test_who_replaces_an_unread_append_may_have_read_what_both_replace():
    one = txn("x+1", "y+2", **at(0, 10, process=1))
    two = txn("x:", "y:2", "x+3", **at(1, 11, process=2))
    verdict = judged(one, two, levels=("cursor-stability",))
    assert verdict.validity == Validity.UNKNOWN, verdict.reason


def test_unread_appends_beside_those_that_matter_change_nothing():
    one = txn("x:", "y+1", **at(0, 10, process=1))
    two = txn("y:", "y+2", "x+3", **at(1, 11, process=2))
    three = txn("x:3", **at(2, 12, process=3))
    apart = [txn("a+1", **at(20, 21, process=1)), txn("a+2", **at(22, 23, process=2))]
    verdict = judged(one, two, three, *apart, levels=("consistent-view",))
    assert verdict.validity == Validity.UNKNOWN, verdict.reason


def test_nobody_has_to_have_read_all_that_unread_appends_replace():
    one = txn("y+2", "x+1", "p+5", **at(0, 10, process=1))
    two = txn("x:", "y:2", "x+3", "p+6", **at(1, 11, process=2))
    verdict = judged(one, two, levels=("cursor-stability",))
    assert verdict.validity == Validity.UNKNOWN, verdict.reason


def test_elements_of_a_read_that_is_no_prefix_are_looked_at_as_well():
    verdict = judged(txn("x+1"), txn("x+2"), txn("x:12"), txn("x:9"), txn("x:22"))
    assert {"garbage-read", "incompatible-order", "duplicate-elements"} <= names(verdict)
    assert verdict.levels is not None
    assert verdict.levels.violated[0] == "read-uncommitted"


@pytest.mark.parametrize(
    ("last", "anomaly"),
    [("x:29", "garbage-read"), ("x:22", "duplicate-elements"), ("x:23", "G1a")],
)
def test_elements_of_the_last_of_many_reads_that_are_no_prefixes_are_looked_at(last, anomaly):
    """So many disagree about the order that what is worse must not be lost among them."""
    many = [txn("x:21") for _ in range(1001)]
    failed = {**txn("x+3"), "outcome": "fail"}
    verdict = judged(txn("x+1"), txn("x+2"), failed, txn("x:12"), *many, txn(last))
    assert names(verdict) == {"incompatible-order", anomaly}


def test_who_is_seen_only_by_a_read_that_is_no_prefix_took_effect():
    unsure = {**txn("x+3"), "outcome": "info"}
    for last, committed in (("x:3", 5), ("x:1", 4)):
        verdict = judged(txn("x+1"), txn("x+2"), unsure, txn("x:12"), txn(last))
        assert verdict.numbers["committed_transactions"] == committed


def test_an_element_is_told_by_the_first_read_that_shows_it():
    failed = {**txn("x+3"), "outcome": "fail"}
    reads = [txn(read) for read in ("x:124", "x:23", "x:899", "x:7", "x:411", "x:422")]
    verdict = judged(txn("x+1"), txn("x+2"), txn("x+4"), failed, *reads)
    told = {each["anomaly"]: each["text"][-1] for each in verdict.counterexample}
    assert told["garbage-read"].endswith('read key "x" as [8 9 9]; no transaction appended 8')
    assert "as [2 3]; the transaction in line 4 that appended 3 did not commit" in told["G1a"]
    assert told["duplicate-elements"].endswith("as [4 1 1]; this is the second time of 1")


def test_elements_of_the_longest_read_are_told_with_how_many_there_are():
    failed = {**txn("x+2"), "outcome": "fail"}
    verdict = judged(txn("x+1"), failed, txn("x+3"), txn("x:12389"))
    told = {each["anomaly"]: "\n".join(each["text"]) for each in verdict.counterexample}
    assert 'T1 read key "x" as [1 2 3 8 9]; no transaction appended 8' in told["garbage-read"]
    assert "(the first of 2 cases)" in told["garbage-read"]
    assert 'T2 appended 2 to key "x", but did not commit' in told["G1a"]
    assert "(the first of" not in told["G1a"]
    assert 'did not commit; T2 appended 3 to key "x" on top of that' in told["dirty-update"]


def test_what_nobody_appended_is_no_append_of_another():
    verdict = judged(txn("x:91", **at(0, 9, 0)), txn("y:", "x+1", **at(1, 8, 1)))
    assert names(verdict) == {"garbage-read"}


def test_own_appends_in_another_order_than_they_were_made():
    verdict = judged(txn("x+1", "x+2"), txn("x:21"))
    assert "incompatible-order" in names(verdict)
    assert "incompatible-order" in names(judged(txn("x+1", "x+2"), txn("x:2")))


def test_an_append_that_is_gone_of_an_indeterminate_transaction_that_was_seen():
    verdict = judged(txn("x+1", "x+2", outcome="info"), txn("x:2"))
    assert "incompatible-order" in names(verdict)
    assert verdict.validity == Validity.VIOLATION
    unseen = judged(txn("x+1", "x+2", outcome="info"), txn("x+3"), txn("x:3"))
    assert unseen.validity == Validity.VALID


def test_two_updates_of_what_nothing_shows_later_are_lost():
    verdict = judged(*[txn("x:", f"x+{n}", **at(n, 100 + n, n)) for n in range(3)])
    assert {"lost-update", "G2-item"} <= names(verdict)
    single = judged(txn("x:", "x+1"))
    assert single.validity == Validity.UNKNOWN


DISAGREEING = {
    "two orders": [txn("x+1"), txn("x+2"), txn("x:12"), txn("x:21")],
    "an element twice": [txn("x+1"), txn("x+2"), txn("x:121")],
}


@pytest.mark.parametrize("history", DISAGREEING.values(), ids=DISAGREEING.keys())
@pytest.mark.parametrize("anomaly", ["cyclic-versions", "G0", "G1b", "lost-update", "G2-item"])
def test_what_the_order_of_versions_decides_is_unknown_where_reads_disagree_about_it(
    history: list[dict[str, Any]], anomaly: str
) -> None:
    verdict = judged(*history, anomalies=(anomaly,))
    assert verdict.validity == Validity.UNKNOWN
    assert f"{anomaly} cannot be told without the order of versions" in verdict.reason


@pytest.mark.parametrize("history", DISAGREEING.values(), ids=DISAGREEING.keys())
def test_what_single_reads_show_is_known_whatever_the_order_of_versions(
    history: list[dict[str, Any]],
) -> None:
    # Nothing aborted was read, so nothing was built on it.
    seen = () if len(history) > 3 else ("dirty-update", "G1a")
    for anomaly in ("garbage-read", "internal", *seen):
        assert judged(*history, anomalies=(anomaly,)).validity == Validity.VALID
    assert judged(*history, levels=("item-cut-isolation",)).validity == Validity.VALID


def test_a_dirty_update_is_unknown_where_reads_disagree_about_what_follows_the_aborted() -> None:
    other = [txn("y+1"), txn("y:1")]
    aborted = [txn("x+1"), txn("x+2", outcome="fail"), txn("x:12"), txn("x:21"), *other]
    verdict = judged(*aborted, anomalies=("dirty-update",))
    assert verdict.validity == Validity.UNKNOWN
    assert "dirty-update cannot be told" in verdict.reason


def test_read_uncommitted_is_unknown_where_reads_are_in_two_orders() -> None:
    verdict = judged(*DISAGREEING["two orders"], levels=("read-uncommitted",))
    assert verdict.validity == Validity.UNKNOWN
    assert verdict.levels is not None
    assert verdict.levels.allowed == ("item-cut-isolation",)
    one_order = DISAGREEING["two orders"][:3]
    assert judged(*one_order, levels=("read-uncommitted",)).validity == Validity.VALID


@pytest.mark.parametrize("between", [1, 2])
def test_what_a_session_wrote_before_its_last_transaction_is_missed_as_well(between):
    steps = [txn(f"z{n}+1") for n in range(between)]
    readers = [txn(f"z{n}:1", process=9) for n in range(between)]
    rows = [{**each, "process": 0} for each in (txn("x+1"), *steps, txn("x:"))]
    verdict = judged(*rows, *readers, timed=False, levels=("strong-session-read-atomic",))
    assert verdict.validity == Validity.VIOLATION
    assert "fractured-read-process" in names(verdict)


def test_a_circle_is_told_with_what_follows_a_session():
    rows = (txn("x+1", process=0), txn("y+1", process=0), txn("y:1", "x:", process=1))
    verdict = judged(*rows, timed=False, anomalies=("G-single-process",))
    assert verdict.validity == Validity.VIOLATION
    assert "G-single-process" in names(verdict)
    assert [sorted(e["kind"] for e in c["edges"]) for c in verdict.counterexample] == [
        ["process", "rw", "wr"]
    ]


def test_whether_a_reader_misses_a_write_is_open_where_it_is_on_a_circle_without():
    circle = (txn("x:1", process=0), txn("x+1", process=0))
    fork = [txn(*ops) for ops in (("a+1",), ("b+1",), ("a:1", "b:"), ("b:1", "a:"))]
    apart = [{**each, "process": 1 + n} for n, each in enumerate(fork)]
    assert judged(*apart, timed=False, anomalies=("G-update-process",)).validity == Validity.VALID
    verdict = judged(*circle, *apart, timed=False, anomalies=("G-update-process",))
    assert verdict.validity == Validity.UNKNOWN, verdict.reason


def test_a_write_is_replaced_by_the_last_of_several_appends():
    """What a transaction read before that one may lack what the replaced one's writer wrote."""
    one = txn("x+1", "y+5", **at(0, 10, process=1))
    last = txn("x:123", **at(20, 21, process=3))
    for ops, validity in (
        (("x+2", "y:", "x+3"), Validity.VALID),
        (("x+2", "x+3", "y:"), Validity.VIOLATION),
    ):
        two = txn(*ops, **at(1, 11, process=2))
        assert judged(one, two, last, levels=("monotonic-view",)).validity == validity
