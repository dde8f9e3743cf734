from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.durability import check
from testbed.checkers.verdict import Validity
from testbed.history.history import History
from testbed.history.operation import OperationType
from tests.histories import Scribe

pytestmark = pytest.mark.property

NODES = ("a", "b", "c")


@dataclass(frozen=True)
class Run:
    """A run whose truth is known.

    Args:
        adds: Value, and how its add came out.
        held: What each node really holds when it is read; a node that is not there is not read.
        settled: The nodes that showed a late marker before they were read.
    """

    adds: tuple[tuple[int, OperationType], ...]
    held: dict[str, list[int]]
    settled: frozenset[str] = field(default_factory=frozenset)

    def history(self) -> History:
        scribe = Scribe()
        for number, (value, outcome) in enumerate(self.adds):
            scribe.call("add", 10 * number, 10 * number + 15, outcome, value=value, node="a")
        # A read in the middle of the load is no final read, whatever it lacks.
        scribe.call("read", 1, 2, result=[], node="a")
        scribe.call("mark", 1000, 1001, value=1, node="a")
        for node in NODES:
            scribe.call("marked", 1002, 1003, value=1, result=node in self.settled, node=node)
        for node, elements in self.held.items():
            scribe.call("read", 1010, 1020, result=elements, node=node)
        return scribe.history()

    def truth(self) -> Validity:
        """By the definition, add by add and element by element."""
        for value, outcome in self.adds:
            lacking = [node for node, elements in self.held.items() if value not in elements]
            everywhere = set(lacking) == set(NODES)
            if outcome == "ok" and (everywhere or self.settled & set(lacking)):
                return Validity.VIOLATION
        for elements in self.held.values():
            for element in elements:
                outcomes = [outcome for value, outcome in self.adds if value == element]
                if elements.count(element) > 1 or not outcomes or outcomes == ["fail"]:
                    return Validity.VIOLATION
        acknowledged = {value for value, outcome in self.adds if outcome == "ok"}
        complete = set(self.held) == set(NODES) and bool(acknowledged)
        whole = all(acknowledged <= set(elements) for elements in self.held.values())
        return Validity.VALID if complete and whole else Validity.UNKNOWN


@st.composite
def runs(draw: st.DrawFn, *, flaws: bool = True) -> Run:
    rng = random.Random(draw(st.integers(0, 2**40)))
    outcomes: list[OperationType] = ["ok", "ok", "ok", "info", "fail"]
    adds = tuple((value, rng.choice(outcomes)) for value in range(rng.randint(0, 6)))
    present = [
        value
        for value, outcome in adds
        if outcome == "ok" or (outcome == "info" and rng.random() < 0.5)
    ]
    held = {node: list(present) for node in NODES}
    settled = frozenset(node for node in NODES if not flaws or rng.random() < 0.8)
    while flaws and rng.random() < 0.5:
        node = rng.choice(list(held)) if held else "a"
        elements = held.get(node, [])
        flaw = rng.choice(["drop", "drop", "drop everywhere", "invent", "repeat", "unread", "fail"])
        if flaw == "drop" and elements:
            elements.remove(rng.choice(elements))
        elif flaw == "drop everywhere" and adds:
            gone = rng.choice(adds)[0]
            for other in held.values():
                while gone in other:
                    other.remove(gone)
        elif flaw == "invent":
            elements.append(99)
        elif flaw == "repeat" and elements:
            elements.append(rng.choice(elements))
        elif flaw == "unread":
            held.pop(node, None)
        elif flaw == "fail":
            elements += [value for value, outcome in adds if outcome == "fail"][:1]
    return Run(adds, held, settled)


@given(runs())
def test_judged_as_by_definition(run: Run) -> None:
    assert check(run.history(), NODES).validity is run.truth()


@given(runs(flaws=False), st.data())
def test_one_lost_write_flips_the_verdict(run: Run, data: st.DataObject) -> None:
    acknowledged = [value for value, outcome in run.adds if outcome == "ok"]
    if not acknowledged:
        assert check(run.history(), NODES).validity is Validity.UNKNOWN
        return
    assert check(run.history(), NODES).validity is Validity.VALID
    gone = data.draw(st.sampled_from(acknowledged))
    node = data.draw(st.sampled_from(NODES))
    held = {**run.held, node: [value for value in run.held[node] if value != gone]}
    verdict = check(replace(run, held=held).history(), NODES)
    assert verdict.validity is Validity.VIOLATION
    assert [example["value"] for example in verdict.counterexample] == [gone]
    assert verdict.counterexample[0]["missing_at"] == [node]


@given(runs(), st.permutations(range(6)))
def test_renamed_values_change_nothing(run: Run, names: list[int]) -> None:
    renamed = {value: 7 * name + 3 for value, name in enumerate(names)}
    again = replace(
        run,
        adds=tuple((renamed[value], outcome) for value, outcome in run.adds),
        held={
            node: [renamed.get(value, 999) for value in elements]
            for node, elements in run.held.items()
        },
    )
    assert check(again.history(), NODES).validity is check(run.history(), NODES).validity


@given(runs())
def test_adds_that_failed_or_stay_unknown_and_absent_change_nothing(run: Run) -> None:
    more = replace(run, adds=(*run.adds, (50, "fail"), (51, "info")))
    assert check(more.history(), NODES).validity is check(run.history(), NODES).validity
