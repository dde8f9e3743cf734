"""The checker of list-append against every order of small histories, and against itself."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from testbed.checkers.request import Request
from testbed.checkers.transactions.level import included_in, named, violated_by
from testbed.checkers.transactions.list_append import check
from testbed.checkers.verdict import Validity, Verdict
from tests.list_oracle import FORMS, LEVELS, allowed_in
from tests.transaction_tables import table_of

Transaction = dict[str, Any]


def history(seed: int) -> list[Transaction]:
    """Up to five transactions over two lists, most of whose reads come from some snapshot."""
    dice = random.Random(seed)
    shapes = []
    value = 0
    for _ in range(dice.randint(2, 5)):
        ops = []
        for _ in range(dice.randint(1, 3)):
            key = dice.choice("xy")
            if dice.random() < 0.55:
                value += 1
                ops.append(["append", key, value])
            else:
                ops.append(["r", key, None])
        outcome = dice.choices(["ok", "info", "fail"], [12, 1, 1])[0]
        shapes.append({"ops": ops, "outcome": outcome})
    transactions = _placed(shapes, dice)
    _run(transactions, dice, snapshots=dice.random() < 0.8, damage=dice.choice([0, 0, 0.1, 0.3]))
    if dice.random() < 0.5:
        _read_all(transactions, dice)
    return transactions


def _placed(shapes: list[Transaction], dice: random.Random) -> list[Transaction]:
    """Give each a process and two points in time, one after the other in each process."""
    processes = [dice.randint(0, 2) for _ in shapes]
    overlap = dice.random()
    points: list[tuple[float, int, str]] = []
    free = dict.fromkeys(range(3), 0.0)
    for number, process in enumerate(processes):
        start = max(free[process], number + dice.uniform(-3, 3) * overlap)
        end = start + dice.uniform(0.1, 1 + 3 * overlap)
        free[process] = end + 0.01
        points += [(start, number, "start"), (end, number, "end")]
    for row, (_, number, name) in enumerate(sorted(points)):
        shapes[number] |= {name: row, "process": processes[number]}
    return sorted(shapes, key=lambda each: each["start"])


def _run(
    transactions: list[Transaction], dice: random.Random, *, snapshots: bool, damage: float
) -> None:
    order = list(range(len(transactions)))
    if dice.random() < 0.5:
        dice.shuffle(order)
    applied = [
        n
        for n in order
        if transactions[n]["outcome"] == "ok"
        or dice.random() < (0.5 if transactions[n]["outcome"] == "info" else 0.05)
    ]
    for number, each in enumerate(transactions):
        place = applied.index(number) if number in applied else len(applied)
        snapshot = place if dice.random() < 0.7 else dice.randint(0, place)
        own: dict[str, list[int]] = {"x": [], "y": []}
        for op in each["ops"]:
            if op[0] == "append":
                own[op[1]].append(op[2])
            elif each["outcome"] == "ok":
                at = snapshot if snapshots else dice.randint(0, place)
                seen = [
                    v
                    for n in applied[:at]
                    if n != number
                    for a, k, v in transactions[n]["ops"]
                    if (a, k) == ("append", op[1])
                ]
                op[2] = _damaged(seen + own[op[1]], dice, damage)


def _damaged(seen: list[int], dice: random.Random, damage: float) -> list[int]:
    if dice.random() >= damage:
        return seen
    what = dice.randint(0, 3)
    if what == 0 and len(seen) > 1:
        at = dice.randrange(len(seen) - 1)
        seen[at], seen[at + 1] = seen[at + 1], seen[at]
    elif what == 1:
        seen = seen[:-1]
    elif what == 2:
        seen = [*seen, dice.choice([*seen, 99])]
    elif seen:
        seen = seen[1:]
    return seen


def _read_all(transactions: list[Transaction], dice: random.Random) -> None:
    """A reader of what a shuffled order of all that committed leaves, concurrent with all."""
    order = [each for each in transactions if each["outcome"] == "ok"]
    longest: dict[str, list[int]] = {"x": [], "y": []}
    for each in order:
        for access, key, value in each["ops"]:
            if access == "r" and len(value) > len(longest[key]):
                longest[key] = list(value)
    for each in order:
        for access, key, value in each["ops"]:
            if access == "append" and value not in longest[key]:
                longest[key].append(value)
    last = max(each["end"] for each in transactions)
    ops = [["r", key, longest[key]] for key in "xy"]
    transactions.append(
        {"ops": ops, "outcome": "ok", "process": 9, "start": last + 1, "end": last + 2}
    )


def judged(transactions: list[Transaction]) -> Verdict:
    return check(table_of(transactions), Request(levels=("strict-serializable",)))


def violated(verdict: Verdict) -> set[str]:
    assert verdict.levels is not None
    names = set(verdict.levels.violated)
    return {level for level in _all_levels() if included_in(level) & names}


def _all_levels() -> list[str]:
    return [named(form + level) for level, form in product(LEVELS, FORMS)]


def versions_known(transactions: list[Transaction]) -> bool:
    """Whether no key has two appends that may have committed and that no read shows."""
    shown = {
        (key, item)
        for each in transactions
        if each["outcome"] == "ok"
        for access, key, value in each["ops"]
        if access == "r"
        for item in value
    }
    hidden = [
        (number, key)
        for number, each in enumerate(transactions)
        if each["outcome"] != "fail"
        for access, key, value in each["ops"]
        if access == "append" and (key, value) not in shown
    ]
    keys = [key for _, key in set(hidden)]
    return len(keys) == len(set(keys))


@example(seed=150772)  # reads an older version of its own
@example(seed=494393436)  # one of three appends of an indeterminate transaction is gone
@given(seed=st.integers(0, 2**48))
def test_every_level_is_violated_exactly_when_no_order_explains_the_reads(seed):
    transactions = history(seed)
    verdict = judged(transactions)
    if verdict.levels is None:
        return
    found = violated(verdict)
    complete = versions_known(transactions)
    allowed_ones = allowed_in(transactions)
    for level, form in product(LEVELS, FORMS):
        name = named(form + level)
        allowed = (level, form) in allowed_ones
        known = any(name in included_in(each) for each in verdict.levels.allowed)
        if name in found:
            assert not allowed, f"false alarm: {name} {verdict.reason}"
        elif complete or level == "serializable" or known:
            assert allowed, f"missed: {name} {verdict.reason}"


@given(st.integers(0, 2**48))
def test_the_level_asked_for_decides(seed):
    transactions = history(seed)
    verdict = judged(transactions)
    if verdict.levels is None:
        assert verdict.validity == Validity.UNKNOWN
        return
    assert (verdict.validity == Validity.VIOLATION) == bool(verdict.levels.violated)
    assert bool(verdict.counterexample) == (verdict.validity == Validity.VIOLATION)
    for level in verdict.levels.violated[:1]:
        one = check(table_of(transactions), Request(levels=(level,)))
        assert one.validity == Validity.VIOLATION
    for level in verdict.levels.allowed[-1:]:
        one = check(table_of(transactions), Request(levels=(level,)))
        known = verdict.numbers["dependencies"] > 0
        assert one.validity == (Validity.VALID if known else Validity.UNKNOWN), one.reason
    assert not violated_by(()) & set(verdict.levels.violated)
