from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.single_primary import check
from testbed.checkers.verdict import Validity
from testbed.history.history import History
from tests.histories import MS, Scribe

pytestmark = pytest.mark.property


@dataclass(frozen=True)
class Write:
    start: int
    end: int
    node: str
    term: int | None


def history(writes: list[Write], scribe: Scribe | None = None) -> History:
    scribe = scribe or Scribe()
    for number, write in enumerate(writes):
        scribe.call(
            "add",
            write.start * MS,
            write.end * MS,
            value=number,
            node=write.node,
            term=write.term,
        )
    return scribe.history()


def possible(writes: list[Write]) -> bool:
    """By the definition: some order of the tenures, with terms ascending, fits all times."""
    tenures: dict[tuple[str, int], list[Write]] = {}
    for write in writes:
        assert write.term is not None
        tenures.setdefault((write.node, write.term), []).append(write)
    for order in permutations(tenures):
        terms = [term for _, term in order]
        if terms != sorted(terms):
            continue
        moment, fits = -1, True
        # As early as may be: every later write has to wait for all earlier ones.
        for tenure in order:
            own = tenures[tenure]
            fits = fits and all(write.end >= moment for write in own)
            moment = max([moment, *(write.start for write in own)])
        if fits:
            return True
    return False


@st.composite
def runs(draw: st.DrawFn) -> list[Write]:
    """Writes of tenures that came one after the other; then one of them may be moved."""
    rng = random.Random(draw(st.integers(0, 2**40)))
    writes, moment, term = [], 10, 1
    for _ in range(rng.randint(1, 4)):
        node = rng.choice("abc")
        for _ in range(rng.randint(1, 3)):
            moment += rng.randint(1, 4)
            start, end = moment - rng.randint(0, 6), moment + rng.randint(0, 6)
            writes.append(Write(start, end, node, term))
        term += rng.randint(0, 1) if rng.random() < 0.2 else 1
    if rng.random() < 0.6:
        place = rng.randrange(len(writes))
        shift = rng.randint(-10, 10)
        moved = writes[place]
        writes[place] = replace(
            moved, start=max(0, moved.start + shift), end=max(0, moved.end + shift)
        )
    return writes


@given(runs())
def test_terms_are_judged_as_by_definition(writes: list[Write]) -> None:
    verdict = check(history(writes), {"add"})
    assert verdict.validity is (Validity.VALID if possible(writes) else Validity.VIOLATION)


@given(runs(), st.integers(1, 30))
def test_returns_are_judged_as_by_definition(writes: list[Write], return_ms_min: int) -> None:
    """Without terms: every three writes A, B, A that surely came in this order."""
    took = [
        again.end - before.start
        for before, between, again in product(writes, repeat=3)
        if before.node == again.node != between.node
        and before.end < between.start
        and between.end < again.start
    ]
    verdict = check(
        history([replace(write, term=None) for write in writes]), {"add"}, return_ms_min
    )
    if not took:
        assert verdict.validity is Validity.VALID
    elif min(took) < return_ms_min:
        assert verdict.validity is Validity.VIOLATION
    else:
        assert verdict.validity is Validity.UNKNOWN


@given(runs())
def test_renamed_nodes_and_failed_writes_change_nothing(writes: list[Write]) -> None:
    renamed = [replace(write, node=f"node-{ord(write.node)}") for write in writes]
    scribe = Scribe().call("add", 0, 200 * MS, "fail", node="x", term=1)
    scribe.call("add", 0, 200 * MS, "info", node="y", term=9)
    scribe.call("count", 0, 200 * MS, node="z", term=9)
    more = history(renamed, scribe)
    assert check(more, {"add"}).validity is check(history(writes), {"add"}).validity


@given(runs())
def test_one_late_acknowledgement_of_an_old_term_breaks_it(writes: list[Write]) -> None:
    last = max(write.end for write in writes)
    top = max(write.term or 0 for write in writes)
    late = [
        *writes,
        Write(last + 1, last + 2, "d", top + 1),
        Write(last + 3, last + 4, writes[0].node, writes[0].term),
    ]
    assert check(history(late), {"add"}).validity is Validity.VIOLATION


@given(runs(), st.data())
def test_acknowledgements_without_a_term_make_no_false_alarm(
    writes: list[Write], data: st.DataObject
) -> None:
    silent = data.draw(st.sets(st.sampled_from(range(len(writes))), max_size=len(writes) - 1))
    said = [write for number, write in enumerate(writes) if number not in silent]
    mixed = [
        replace(write, term=None) if number in silent else write
        for number, write in enumerate(writes)
    ]
    verdict = check(history(mixed), {"add"})
    # What is said is judged as if it were all there is; the rest never proves a violation.
    assert (verdict.validity is Validity.VIOLATION) == (not possible(said))
