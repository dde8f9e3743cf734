"""Each checker against its definition, written down as slowly and as plainly as it reads."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.collections import (
    bank,
    causal_reverse,
    counter,
    long_fork,
    monotonic,
    sequential,
    set_full,
    simple_set,
    total_queue,
    unique_ids,
)
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity
from tests.columns import table_of
from tests.property.checkers.collections.drawn import Call, Line, calls_of, drawn, finished

pytestmark = pytest.mark.property

VALID, UNKNOWN, VIOLATION = Validity.VALID, Validity.UNKNOWN, Validity.VIOLATION
SEEDS = st.integers(0, 2**48)
ELEMENTS = [1, 2, 3, "a", [1, 2]]


def ok(calls: list[Call], f: str) -> list[Call]:
    return [call for call in calls if call.f == f and call.outcome == "ok"]


def possible(calls: list[Call], f: str) -> list[Call]:
    return [call for call in calls if call.f == f and call.outcome != "fail"]


def some(rng: random.Random, values: list[Any], share: float = 0.7) -> list[Any]:
    chosen = [value for value in values if rng.random() < share]
    rng.shuffle(chosen)
    return chosen


def adds_and_reads(rng: random.Random) -> list[Line]:
    """Half of the histories have right reads as far as that can be."""
    added: list[Any] = []
    honest = rng.random() < 0.5

    def ask(rng: random.Random) -> tuple[str, Any]:
        if rng.random() < 0.5:
            return "read", None
        element = rng.choice(ELEMENTS)
        if element not in added:
            added.append(element)
        return "add", element

    def answer(rng: random.Random, f: str, value: Any) -> Any:
        if f == "add":
            return value
        return some(rng, added, 0.95) if honest else some(rng, [*ELEMENTS, *ELEMENTS[:1]], 0.6)

    return drawn(rng, ask, answer, count=rng.randint(1, 9))


def set_oracle(calls: list[Call]) -> Validity:
    reads = sorted(ok(calls, "read"), key=lambda call: call.end or 0)
    if not reads:
        return UNKNOWN
    final = reads[-1]
    for element in final.result:
        if not any(add.asked == element for add in possible(calls, "add")):
            return VIOLATION
    acknowledged = ok(calls, "add")
    missing = [add for add in acknowledged if add.asked not in final.result]
    if any((add.end or 0) < final.start for add in missing):
        return VIOLATION
    if missing or not (acknowledged or final.result):
        return UNKNOWN
    return VALID


@given(SEEDS)
def test_set(seed: int) -> None:
    rng = random.Random(seed)
    lines = adds_and_reads(rng)
    assert simple_set.check(table_of(lines), Request()).validity is set_oracle(calls_of(lines))


def element_fate(calls: list[Call], element: Any) -> str:
    """What Jepsen's documentation of set-full calls an element, read by read."""
    add = min(call.start for call in possible(calls, "add") if call.asked == element)
    acknowledged = [call.end or 0 for call in ok(calls, "add") if call.asked == element]
    seen = [call for call in ok(calls, "read") if element in call.result]
    lacking = [
        call for call in ok(calls, "read") if element not in call.result and (call.end or 0) > add
    ]
    known = min([*acknowledged, *[call.end or 0 for call in seen]], default=None)
    last_seen = max([call.start for call in seen], default=-1)
    last_lacking = max([call.start for call in lacking], default=-1)
    if last_seen > last_lacking:
        assert known is not None
        return "stale" if last_lacking > known else "stable"
    if known is not None and last_lacking > known:
        return "lost"
    return "never-read"


def set_full_oracle(calls: list[Call], *, linearizable: bool) -> Validity:
    reads = ok(calls, "read")
    if not reads:
        return UNKNOWN
    for read in reads:
        for element in read.result:
            begun = [add.start for add in possible(calls, "add") if add.asked == element]
            if min(begun, default=10**9) > (read.end or 0) or read.result.count(element) > 1:
                return VIOLATION
    elements = {str(add.asked): add.asked for add in possible(calls, "add")}
    fates = [element_fate(calls, element) for element in elements.values()]
    if "lost" in fates or (linearizable and "stale" in fates):
        return VIOLATION
    return VALID if "stable" in fates or "stale" in fates else UNKNOWN


@given(SEEDS, st.booleans())
def test_set_full(seed: int, linearizable: bool) -> None:
    lines = adds_and_reads(random.Random(seed))
    request = Request(params={"linearizable": linearizable})
    verdict = set_full.check(table_of(lines), request)
    calls = calls_of(lines)
    assert verdict.validity is set_full_oracle(calls, linearizable=linearizable)
    # Of an element that was seen before anybody added it the fate is of no interest.
    if ok(calls, "read") and not verdict.numbers["unexpected"]:
        elements = {str(add.asked): add.asked for add in possible(calls, "add")}
        fates = Counter(element_fate(calls, element) for element in elements.values())
        assert verdict.numbers["lost"] == fates["lost"]
        assert verdict.numbers["stale"] == fates["stale"]
        assert verdict.numbers["stable"] == fates["stable"] + fates["stale"]
        assert verdict.numbers["never_read"] == fates["never-read"]


def queue_oracle(calls: list[Call]) -> Validity:
    out = [(call.result, call.end or 0) for call in ok(calls, "dequeue")]
    out += [(value, call.end or 0) for call in ok(calls, "drain") for value in call.result]
    for value, end in out:
        if not any(put.asked == value and put.start < end for put in possible(calls, "enqueue")):
            return VIOLATION
    acknowledged = ok(calls, "enqueue")
    lost = Counter(str(put.asked) for put in acknowledged)
    lost.subtract(Counter(str(value) for value, _ in out))
    count = sum(max(0, times) for times in lost.values())
    unknown = [call for call in calls if call.outcome == "info"]
    takers = [call for call in calls if call.f in ("dequeue", "drain")]
    if count and any(call.f == "drain" for call in unknown):
        return UNKNOWN
    if count and count <= sum(call.f == "dequeue" for call in unknown):
        return UNKNOWN
    if count:
        tried = any(
            call.outcome == "ok" or (call.f == "dequeue" and call.end is not None)
            for call in takers
        )
        return VIOLATION if tried else UNKNOWN
    return VALID if acknowledged or out else UNKNOWN


@given(SEEDS)
def test_total_queue(seed: int) -> None:
    rng = random.Random(seed)
    inside: list[Any] = []

    def ask(rng: random.Random) -> tuple[str, Any]:
        f = rng.choices(["enqueue", "dequeue", "drain"], [5, 4, 1])[0]
        element = rng.choice(ELEMENTS)
        if f == "enqueue":
            inside.append(element)
        return f, element if f == "enqueue" else None

    def answer(rng: random.Random, f: str, value: Any) -> Any:
        if f == "enqueue":
            return value
        if f == "drain":
            taken, inside[:] = list(inside), []
            return taken if rng.random() < 0.8 else some(rng, ELEMENTS, 0.3)
        if inside and rng.random() < 0.9:
            return inside.pop(rng.randrange(len(inside)))
        return rng.choice(ELEMENTS)

    lines = drawn(rng, ask, answer, count=rng.randint(1, 9))
    if rng.random() < 0.6:
        lines = finished(lines, "drain", inside)
    expected = queue_oracle(calls_of(lines))
    assert total_queue.check(table_of(lines), Request()).validity is expected


@given(SEEDS)
def test_unique_ids(seed: int) -> None:
    rng = random.Random(seed)
    values = [*range(rng.choice([3, 30])), "1", [1, 2], [1, 2, 3], {"a": [1]}]
    lines = drawn(
        rng,
        lambda _: ("generate", None),
        lambda rng, *_: rng.choice(values),
        count=rng.randint(0, 6),
    )
    given_out = [call.result for call in ok(calls_of(lines), "generate")]
    pairs = itertools.combinations(given_out, 2)
    expected = VIOLATION if any(one == two for one, two in pairs) else VALID
    if not given_out:
        expected = UNKNOWN
    assert unique_ids.check(table_of(lines), Request()).validity is expected


def reachable(calls: list[Call], read: Call) -> tuple[int, int]:
    """The least and the greatest value over every choice of adds that may be left out."""
    surely = [add for add in ok(calls, "add") if (add.end or 0) < read.start]
    perhaps = [
        add for add in possible(calls, "add") if add.start < (read.end or 0) and add not in surely
    ]
    totals = [
        sum(add.asked for add in surely) + sum(add.asked for add in chosen)
        for size in range(len(perhaps) + 1)
        for chosen in itertools.combinations(perhaps, size)
    ]
    return min(totals), max(totals)


@given(SEEDS)
def test_counter(seed: int) -> None:
    rng = random.Random(seed)
    initial = rng.choice([0, 0, 5])
    amounts = [1] if rng.random() < 0.5 else [-2, -1, 0, 1, 3]
    total = [initial]

    def ask(rng: random.Random) -> tuple[str, Any]:
        return ("read", None) if rng.random() < 0.5 else ("add", rng.choice(amounts))

    def answer(rng: random.Random, f: str, value: Any) -> Any:
        if f == "add":
            total[0] += value
            return value
        return total[0] + rng.choice([0, 0, 0, 0, 1, -1])

    lines = drawn(rng, ask, answer, count=rng.randint(1, 9))
    calls = calls_of(lines)
    wrong = 0
    for read in ok(calls, "read"):
        least, greatest = reachable(calls, read)
        wrong += not least + initial <= read.result <= greatest + initial
    expected = VIOLATION if wrong else VALID
    if not ok(calls, "read") and all(call.f == "read" for call in calls):
        expected = UNKNOWN
    verdict = counter.check(table_of(lines), Request(init=initial))
    assert verdict.validity is expected
    assert verdict.numbers["wrong_reads"] == wrong


@given(SEEDS, st.booleans(), st.booleans())
def test_bank(seed: int, negative: bool, told: bool) -> None:
    rng = random.Random(seed)

    def balances() -> dict[str, int | None]:
        one = rng.choice([10, 5, 0, -1])
        found: dict[str, int | None] = {"0": one, "1": rng.choice([10 - one] * 8 + [7])}
        if rng.random() < 0.1:
            found["0"] = None
        if rng.random() < 0.1:
            found["2"] = 0
        return found

    lines = drawn(rng, lambda _: ("read", None), lambda *_: balances(), count=rng.randint(1, 5))
    reads = [call.result for call in ok(calls_of(lines), "read")]
    starts = [read for read in reads if None not in read.values()]
    expected = UNKNOWN
    if reads and not starts:
        expected = VIOLATION
    if starts:
        total = 10 if told else sum(starts[0].values())
        bad = [
            read
            for read in reads
            if None in read.values()
            or sum(read.values()) != total
            or set(read) - set(starts[0])
            or (not negative and min(read.values()) < 0)
        ]
        expected = VIOLATION if bad else VALID
    params = {"negative_balances": negative, **({"total": 10} if told else {})}
    assert bank.check(table_of(lines), Request(params=params)).validity is expected


@given(SEEDS)
def test_long_fork(seed: int) -> None:
    """An order of the writes exists such that every read sees those up to some point."""
    rng = random.Random(seed)
    size = rng.randint(2, 3)
    groups = [[f"{group}{key}" for key in range(size)] for group in range(2)]
    orders = [rng.sample(keys, size) for keys in groups]
    wrong = rng.random() < 0.5

    def answer(rng: random.Random, f: str, value: Any) -> Any:
        group = rng.randrange(2)
        seen = set(orders[group][: rng.randint(0, size)])
        if wrong and rng.random() < 0.4:
            seen = set(some(rng, groups[group], 0.5))
        keys = rng.sample(groups[group], size)
        return [["r", key, 1 if key in seen else None] for key in keys]

    lines = drawn(rng, lambda _: ("txn", None), answer, count=rng.randint(1, 6))
    lines = [{**line, "value": line["value"] or [["r", "00", None]]} for line in lines]
    reads = [call.result for call in ok(calls_of(lines), "txn")]
    expected = VALID if reads else UNKNOWN
    for keys in groups:
        seen = [
            {key for _, key, value in read if value == 1}
            for read in reads
            if {key for _, key, _ in read} == set(keys)
        ]
        prefixes = (
            [set(order[:length]) for length in range(size + 1)]
            for order in itertools.permutations(keys)
        )
        if not any(all(one in prefix for one in seen) for prefix in prefixes):
            expected = VIOLATION
    verdict = long_fork.check(table_of(lines), Request(params={"group_size": size}))
    assert verdict.validity is expected


def reverses(calls: list[Call], read: Call) -> bool:
    """Whether a read sees what was not written, or a write without one acknowledged before it."""
    writes = {call.asked: call for call in possible(calls, "write")}
    if any(one not in writes or writes[one].start > (read.end or 0) for one in read.result):
        return True
    return any(
        (earlier.end or 0) < writes[one].start and earlier.asked not in read.result
        for one in read.result
        for earlier in ok(calls, "write")
    )


@given(SEEDS)
def test_causal_reverse(seed: int) -> None:
    rng = random.Random(seed)
    written: list[int] = []
    honest = rng.random() < 0.5

    def ask(rng: random.Random) -> tuple[str, Any]:
        if rng.random() < 0.4:
            return "read", None
        written.append(len(written))
        return "write", written[-1]

    def answer(rng: random.Random, f: str, value: Any) -> Any:
        if f == "write":
            return value
        return written[: rng.randint(0, len(written))] if honest else some(rng, written, 0.8)

    lines = drawn(rng, ask, answer, count=rng.randint(1, 9))
    calls = calls_of(lines)
    reads = ok(calls, "read")
    expected = VALID if any(read.result for read in reads) else UNKNOWN
    if any(reverses(calls, read) for read in reads):
        expected = VIOLATION
    assert causal_reverse.check(table_of(lines), Request()).validity is expected


@given(SEEDS)
def test_sequential(seed: int) -> None:
    rng = random.Random(seed)

    def answer(rng: random.Random, f: str, value: Any) -> Any:
        parts = rng.randint(1, 4)
        return [0, [rng.choice([None, f"0_{part}", part]) for part in range(parts)]]

    lines = drawn(rng, lambda _: ("read", None), answer, count=rng.randint(1, 3))
    reads = [call.result[1] for call in ok(calls_of(lines), "read")]
    bad = any(
        one is not None and two is None
        for read in reads
        for one, two in itertools.combinations(read, 2)
    )
    expected = VALID if any(part is not None for read in reads for part in read) else UNKNOWN
    expected = VIOLATION if bad else expected
    assert sequential.check(table_of(lines), Request()).validity is expected


@given(SEEDS)
def test_monotonic_rows(seed: int) -> None:
    rng = random.Random(seed)
    values = list(range(5))
    lines = drawn(
        rng,
        lambda rng: ("add", values.pop(0) if values else 99),
        lambda rng, f, value: [value, 10 * value],
        count=rng.randint(1, 5),
    )
    known = {call.asked for call in calls_of(lines) if call.outcome != "fail"}
    rows = [[value, 10 * value] for value in sorted(known)]
    if rows and rng.random() < 0.5:
        place = rng.randrange(len(rows))
        rows[place] = rng.choice([[rows[0][0], 0], [rng.randint(0, 5), rows[place][1]]])
    lines = finished(lines, "read", rows)
    calls = calls_of(lines)
    there = [value for value, _ in rows]
    good = (
        there == sorted(set(there))
        and [time for _, time in rows] == sorted(time for _, time in rows)
        and all(call.asked in there for call in ok(calls, "add"))
        and not any(call.asked in there for call in calls if call.outcome == "fail")
    )
    expected = (VALID if len(rows) > 1 else UNKNOWN) if good else VIOLATION
    assert monotonic.check(table_of(lines), Request()).validity is expected


@given(SEEDS)
def test_monotonic_counter(seed: int) -> None:
    rng = random.Random(seed)
    clock = [0]

    def answer(rng: random.Random, f: str, value: Any) -> Any:
        clock[0] += 1
        return [clock[0] + rng.choice([0, 0, 0, -2]), clock[0] // 2 + rng.choice([0, 0, 0, 0, -1])]

    lines = drawn(rng, lambda rng: (rng.choice(["inc", "read", "read-at"]), None), answer, count=6)
    done = sorted(
        (call for call in calls_of(lines) if call.outcome == "ok"), key=lambda call: call.end or 0
    )
    bad, pairs = False, 0
    for one, two in itertools.combinations(done, 2):
        (time, value), (later_time, later_value) = one.result, two.result
        if one.process == two.process and "read-at" not in (one.f, two.f):
            pairs += 1
            bad = bad or later_value < value or later_time < time
        if "read" not in (one.f, two.f):
            pairs += 1
            bad = bad or (time < later_time and value > later_value)
            bad = bad or (time > later_time and value < later_value)
    expected = VIOLATION if bad else VALID if pairs else UNKNOWN
    assert monotonic.check(table_of(lines), Request()).validity is expected


def test_the_verdicts_of_the_drawn_histories_are_of_every_kind() -> None:
    """Oracles that always say the same would try nothing."""
    found: Counter[Validity] = Counter()
    for seed in range(200):
        calls = calls_of(adds_and_reads(random.Random(seed)))
        found[set_full_oracle(calls, linearizable=False)] += 1
    assert min(found[validity] for validity in Validity) > 5
