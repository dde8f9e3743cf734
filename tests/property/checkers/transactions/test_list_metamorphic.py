"""What must not change the verdict on transactions over lists, and what must."""

from __future__ import annotations

import copy
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers import kernel
from testbed.checkers.request import Request
from testbed.checkers.transactions.list_append import check
from testbed.checkers.verdict import Validity
from tests.property.checkers.transactions.test_list_append import history, judged
from tests.transaction_tables import table_of

seeds = st.integers(0, 2**48)


def summary(verdict):
    found = sorted(each["anomaly"] for each in verdict.counterexample)
    return verdict.validity, verdict.levels, found


@given(seeds, st.permutations(range(10)))
def test_other_names_of_processes_change_nothing(seed, names):
    transactions = history(seed)
    renamed = [{**each, "process": names[each["process"]]} for each in transactions]
    assert summary(judged(renamed)) == summary(judged(transactions))


@given(seeds)
def test_other_keys_and_values_change_nothing(seed):
    transactions = history(seed)
    renamed = copy.deepcopy(transactions)
    for each in renamed:
        for op in each["ops"]:
            op[1] = {"x": [1, {"k": "a"}], "y": "x"}[op[1]]
            value = op[2]
            op[2] = [f"v{n}" for n in value] if isinstance(value, list) else value and f"v{value}"
    assert summary(judged(renamed)) == summary(judged(transactions))


@given(seeds)
def test_failed_transactions_that_no_read_shows_may_be_dropped(seed):
    transactions = history(seed)
    shown = {v for e in transactions for a, _, r in e["ops"] if a == "r" and r for v in r}
    kept = [
        each
        for each in transactions
        if each["outcome"] != "fail" or any(a == "append" and v in shown for a, _, v in each["ops"])
    ]
    assert summary(judged(kept)) == summary(judged(transactions))


@given(seeds, st.integers(0, 20))
def test_an_indeterminate_transaction_that_never_took_effect_changes_nothing(seed, start):
    transactions = history(seed)
    shifted = [
        {**each, "start": 2 * each["start"] + 1, "end": 2 * each["end"] + 1}
        for each in transactions
    ]
    more = {
        "ops": [["append", "x", 777], ["r", "y", None], ["append", "y", 778]],
        "outcome": "info",
        "process": 8,
        "start": 2 * start,
        "end": 2 * start,
    }
    assert summary(judged([*shifted, more])) == summary(judged(transactions))


@given(seeds)
def test_two_histories_over_other_keys_are_as_bad_as_the_worse_of_them(seed):
    one, two = history(seed), history(seed + 1)
    last = max(each["end"] for each in one) + 1
    moved = copy.deepcopy(two)
    for each in moved:
        each["start"] += last
        each["end"] += last
        each["process"] += 10
        for op in each["ops"]:
            op[1] = f"other {op[1]}"
    alone = [judged(each).validity for each in (one, two)]
    if Validity.UNKNOWN not in alone:
        assert judged([*one, *moved]).validity == max(alone)


def serial(dice: random.Random, size: int) -> list[dict[str, Any]]:
    """A history in which everything happens at once."""
    lists: dict[str, list[int]] = {}
    transactions: list[dict[str, Any]] = []
    for number in range(size):
        ops = []
        for step in range(dice.randint(1, 4)):
            key = dice.choice("abcd")
            held = lists.setdefault(key, [])
            if dice.random() < 0.5:
                held.append(10 * number + step)
                ops.append(["append", key, held[-1]])
            else:
                ops.append(["r", key, list(held)])
        transactions.append({"ops": ops, "process": dice.randint(0, 4)})
    return transactions


INJECTED: dict[str, list[dict[str, Any]]] = {
    "G0": [
        {"ops": [["append", "p", 1], ["append", "q", 1]]},
        {"ops": [["append", "p", 2], ["append", "q", 2]]},
        {"ops": [["r", "p", [1, 2]], ["r", "q", [2, 1]]]},
    ],
    "G1a": [
        {"ops": [["append", "p", 1]], "outcome": "fail"},
        {"ops": [["r", "p", [1]]]},
    ],
    "G1b": [
        {"ops": [["append", "p", 1], ["append", "p", 2]]},
        {"ops": [["r", "p", [1]]]},
        {"ops": [["r", "p", [1, 2]]]},
    ],
    "G1c": [
        {"ops": [["append", "p", 1], ["r", "q", [1]]]},
        {"ops": [["append", "q", 1], ["r", "p", [1]]]},
    ],
    "G-single": [
        {"ops": [["append", "p", 1], ["append", "q", 1]]},
        {"ops": [["r", "p", [1]], ["r", "q", []]]},
    ],
    "G2-item": [
        {"ops": [["r", "p", []], ["append", "q", 1]]},
        {"ops": [["r", "q", []], ["append", "p", 1]]},
    ],
    "lost-update": [
        {"ops": [["r", "p", []], ["append", "p", 1]]},
        {"ops": [["r", "p", []], ["append", "p", 2]]},
    ],
    "internal": [{"ops": [["append", "p", 1], ["r", "p", []]]}],
    "duplicate-elements": [{"ops": [["append", "p", 1]]}, {"ops": [["r", "p", [1, 1]]]}],
    "incompatible-order": [
        {"ops": [["append", "p", 1]]},
        {"ops": [["append", "p", 2]]},
        {"ops": [["r", "p", [1, 2]]]},
        {"ops": [["r", "p", [2]]]},
    ],
}


@given(st.sampled_from(list(INJECTED)), seeds)
def test_one_injected_anomaly_flips_a_valid_history_and_is_named(anomaly, seed):
    dice = random.Random(seed)
    valid = serial(dice, 12)
    assert judged(valid).validity != Validity.VIOLATION
    start = 2 * len(valid)
    planted = [
        {"outcome": "ok", "process": 20 + n, "start": start + n, "end": start + 50 + n, **each}
        for n, each in enumerate(INJECTED[anomaly])
    ]
    numbered = [{"start": 2 * n, "end": 2 * n + 1, **each} for n, each in enumerate(valid)]
    verdict = judged([*numbered, *planted])
    assert verdict.validity == Validity.VIOLATION
    assert anomaly in {each["anomaly"] for each in verdict.counterexample}


def test_compiled_as_plain(monkeypatch):
    tables = [table_of(history(seed)) for seed in range(60)]
    plain = [check(table, Request()) for table in tables]
    monkeypatch.setattr(kernel, "COMPILED_FROM", 0)
    assert [check(table, Request()) for table in tables] == plain
