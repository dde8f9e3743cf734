"""Agreement of lag measurements and the floor of the links, against their definitions."""

from __future__ import annotations

import random
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers import lag_agreement, lag_floor
from testbed.checkers.verdict import Validity
from testbed.measures.lag_sample import LagSample
from tests.histories import MS

pytestmark = pytest.mark.property

SEEDS = st.integers(0, 2**48)


def drawn(rng: random.Random, count: int, *, jitter: int) -> list[LagSample]:
    """Samples of two links: made each 10 ms, seen some 20 ms later, more or less."""
    found = []
    for number in range(count):
        made = 10 * number + rng.randint(0, 9)
        seen = made + 20 + rng.randint(0, jitter)
        seen_to = None if rng.random() < 0.05 else (seen + rng.randint(0, 3)) * MS
        made_to = (made + rng.choice([0, 1, 1, 2])) * MS
        place = rng.choice("bbbc")
        found.append(LagSample("a", place, made * MS, made_to, seen * MS, seen_to))
    rng.shuffle(found)
    return found


def judged(sample: LagSample, others: list[LagSample]) -> tuple[bool, bool]:
    """Whether others say something of a sample, and whether one contradicts it: pair by pair."""
    ruled = wrong = False
    for other in others:
        if (other.origin, other.seen_at) != (sample.origin, sample.seen_at):
            continue
        if other.made_to_ns <= sample.made_from_ns and sample.seen_to_ns is not None:
            ruled = True
            wrong = wrong or sample.seen_to_ns < other.seen_from_ns
        if sample.made_to_ns <= other.made_from_ns and other.seen_to_ns is not None:
            ruled = True
            wrong = wrong or sample.seen_from_ns > other.seen_to_ns
    return ruled, wrong


@given(SEEDS)
def test_measurements_agree_when_their_samples_do_pair_by_pair(seed: int) -> None:
    rng = random.Random(seed)
    jitter = rng.choice([0, 0, 12, 30])
    measured = {
        name: drawn(rng, rng.choice([3, 19, 20, 21, 60, 110]), jitter=jitter) for name in "xyz"
    }
    verdict = lag_agreement.check(measured)
    good = True
    for one, other in combinations("xyz", 2):
        found = [judged(sample, measured[other]) for sample in measured[one]]
        compared, wrong = sum(each[0] for each in found), sum(each[1] for each in found)
        assert verdict.numbers[f"compared_{one}_{other}"] == compared
        assert verdict.numbers[f"contradictions_{one}_{other}"] == wrong
        enough = compared >= 20
        good = good and enough and wrong <= 0.01 * compared
        assert (f"{one} and {other} could be compared {compared} times" in verdict.reason) != enough
    assert verdict.validity is (Validity.VALID if good else Validity.UNKNOWN)
    shown = sum(
        verdict.numbers[f"contradictions_{one}_{other}"]
        for one, other in combinations("xyz", 2)
        if f"{one} and {other} contradict" in verdict.reason
    )
    assert len(verdict.counterexample) == min(20, shown)


@given(SEEDS)
def test_no_sample_is_faster_than_its_link(seed: int) -> None:
    rng = random.Random(seed)
    measured = {name: drawn(rng, rng.randint(0, 5), jitter=5) for name in "xy"[: rng.randint(0, 2)]}
    floor_ms = {
        ("a", place): rng.choice([18.0, 20.5, 22.0]) for place in "bc" if rng.random() < 0.9
    }
    changing = [(at * MS, (at + 9) * MS) for at in rng.sample(range(60), rng.randint(0, 2))]
    slacks: dict[str, list[float]] = {name: [] for name in measured}
    for name, samples in measured.items():
        for sample in samples:
            floor = floor_ms.get((sample.origin, sample.seen_at))
            if floor is None or sample.seen_to_ns is None:
                continue
            on_its_way = range(sample.made_from_ns, sample.seen_to_ns + 1)
            if any(on_its_way.start <= to and since < on_its_way.stop for since, to in changing):
                continue
            slacks[name].append((sample.seen_to_ns - sample.made_from_ns) / MS - floor)
    verdict = lag_floor.check(measured, floor_ms, changing)
    least = [min(those) for those in slacks.values() if those]
    whole = bool(measured) and len(least) == len(measured)
    expected = Validity.VALID if whole and min(least) >= -0.5 else Validity.UNKNOWN
    assert verdict.validity is expected
    assert verdict.numbers == {
        "samples": sum(map(len, slacks.values())),
        **{f"slack_{name}_ms_min": min(those) for name, those in slacks.items() if those},
    }
    if not whole:
        assert "nothing to compare" in verdict.reason
    elif expected is Validity.VALID:
        assert f"{min(least):.1f} ms more" in verdict.reason
    else:
        assert f"{-min(least):.1f} ms less" in verdict.reason


def test_what_changes_while_a_sample_is_on_its_way_disturbs_it() -> None:
    sample = LagSample("a", "b", 100, 110, 120, 130)
    for since, to in product(range(90, 140, 5), repeat=2):
        if since <= to:
            verdict = lag_floor.check({"x": [sample]}, {("a", "b"): 0}, [(since, to)])
            assert verdict.numbers["samples"] == (0 if to >= 100 and since <= 130 else 1)


@pytest.mark.parametrize(
    ("wrong", "compared", "believed"),
    [(1, 100, True), (1, 99, False), (2, 200, True), (0, 19, False)],
)
def test_one_in_a_hundred_may_contradict_of_twenty_at_least(
    wrong: int, compared: int, believed: bool
) -> None:
    first = LagSample("a", "b", 0, 1, 50, 60)
    good, bad = LagSample("a", "b", 10, 11, 55, 70), LagSample("a", "b", 10, 11, 20, 30)
    verdict = lag_agreement.check({"x": [bad] * wrong + [good] * (compared - wrong), "y": [first]})
    assert verdict.validity is (Validity.VALID if believed else Validity.UNKNOWN)
    if believed:
        assert verdict.reason == f"2 measurements agree in {compared} comparisons"


@pytest.mark.parametrize(("floor_ms", "kept"), [(20.5, True), (20.6, False)])
def test_half_a_millisecond_is_the_clocks(floor_ms: float, kept: bool) -> None:
    sample = LagSample("a", "b", 0, MS, 10 * MS, 20 * MS)
    verdict = lag_floor.check({"x": [sample]}, {("a", "b"): floor_ms})
    assert verdict.validity is (Validity.VALID if kept else Validity.UNKNOWN)
