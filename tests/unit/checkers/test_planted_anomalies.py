"""A whole failover as a history: every checker accepts it, and each planted anomaly flips one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from testbed.checkers import (
    adequacy,
    durability,
    monotonic,
    recovery,
    recovery_time,
    service,
    single_primary,
)
from testbed.checkers.adequacy import Requirements
from testbed.checkers.expectation import after_heal, during
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.fault_window import fault_windows
from testbed.history.history import History
from tests.histories import MS, S, Scribe

REGIONS = ("eu-west", "eu-central", "us-east")
NODES = tuple(f"{region}-db1" for region in REGIONS)
OLD, NEW = NODES[0], NODES[1]
CUT, PROMOTED, HEAL, END = 15 * S, 24 * S, 35 * S, 60 * S
WRITES = frozenset({"add"})
STEP = 50 * MS


@dataclass(frozen=True)
class Story:
    """The primary's region is cut at 15 s, another one is promoted at 24 s, healed at 35 s.

    Args:
        speaks_until: How long the cut primary goes on acknowledging to its own region.
        loses: Whether what it acknowledges then is gone in the end.
        promoted: When the other region's node begins to acknowledge.
        fails_again: When the new primary stops acknowledging half of the writes.
        count_falls: Whether a count at a replica runs backwards once.
        follows: Whether the old primary shows the marker in the end.
        shown: Whether the fault was shown to bite.
    """

    speaks_until: int = CUT
    loses: bool = False
    promoted: int = PROMOTED
    fails_again: int = END
    count_falls: bool = False
    follows: bool = True
    shown: bool = True

    def history(self) -> History:
        scribe = Scribe()
        kept: list[int] = []
        value = 0
        for at in range(0, END, STEP):
            for region in REGIONS:
                value += 1
                node = self._primary(at, region)
                if node is None:
                    scribe.call("add", at, at + 900 * MS, "info", value=value, region=region)
                    continue
                term = 1 if node == OLD else 2
                scribe.call(
                    "add", at, at + 40 * MS, value=value, region=region, node=node, term=term
                )
                if not (self.loses and node == OLD and at > CUT):
                    kept.append(value)
            self._count(scribe, at)
        title = "region-cut eu-west"
        for phase, time in (("inject", CUT), ("injected", CUT), ("heal", HEAL), ("healed", HEAL)):
            scribe.fault("region-cut", title, time, phase)
        scribe.fault("region-cut", title, CUT + S, "effect", shown=self.shown)
        scribe.fault("region-cut", title, HEAL + S, "absence")
        self._end(scribe, kept)
        return scribe.history()

    def _primary(self, at: int, region: str) -> str | None:
        if at < CUT:
            return OLD
        if region == "eu-west" and at < HEAL:
            return OLD if at < self.speaks_until else None
        if at < self.promoted or (at >= self.fails_again and at % (2 * STEP)):
            return None
        return NEW

    def _count(self, scribe: Scribe, at: int) -> None:
        count = at // STEP
        if self.count_falls and at == 40 * S:
            count -= 100
        scribe.call("count", at, at + MS, process=1, result=count, region="us-east", node=NODES[2])

    def _end(self, scribe: Scribe, kept: list[int]) -> None:
        scribe.call("mark", END + S, END + S + 40 * MS, value=1, node=NEW)
        for node in NODES:
            shows = self.follows or node != OLD
            for at in range(END + 2 * S, END + 12 * S, S):
                scribe.call("marked", at, at + MS, value=1, result=shows, node=node)
            scribe.call("read", END + 13 * S, END + 14 * S, result=kept, node=node)


def judged(story: Story) -> dict[str, Verdict]:
    history = story.history()
    windows = fault_windows(history)
    [cut] = windows
    expectations = [
        during(cut, region, bound_ms=12_000, windows=windows, end_ns=END) for region in REGIONS[1:]
    ]
    healed = after_heal(cut, "eu-west", bound_ms=12_000, windows=windows, end_ns=END)
    assert healed is not None
    required = Requirements(REGIONS, NODES, ("add",), 1e9 / STEP, faults=1)
    verdicts = [
        adequacy.check(history, required),
        durability.check(history, NODES, delay_ms=50),
        single_primary.check(history, WRITES),
        monotonic.check_counts(history),
        recovery_time.check(history, [*expectations, healed], WRITES),
        service.check(history, [*expectations, healed], WRITES),
        recovery.check(history, NODES, healed_ns=HEAL, bound_ms=20_000),
    ]
    return {verdict.name: verdict for verdict in verdicts}


def test_a_good_failover_keeps_every_promise() -> None:
    verdicts = judged(Story())
    assert {name: one.reason for name, one in verdicts.items() if one.validity} == {}
    assert verdicts["rto"].numbers["rto_ms_max"] == pytest.approx(9000, abs=100)


BROKEN: dict[str, Callable[[Story], Story]] = {
    "durability": lambda story: replace(story, speaks_until=19 * S, loses=True),
    "single-primary": lambda story: replace(story, speaks_until=30 * S),
    "monotonic-reads": lambda story: replace(story, count_falls=True),
    "rto": lambda story: replace(story, promoted=28 * S),
    "service": lambda story: replace(story, fails_again=45 * S),
    "recovery": lambda story: replace(story, follows=False),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_planted_anomaly_breaks_the_promise_that_it_should(name: str) -> None:
    verdicts = judged(BROKEN[name](Story()))
    broken = {found for found, one in verdicts.items() if one.validity is Validity.VIOLATION}
    # Late service is poor service as well; everything else is told apart.
    assert name in broken
    assert broken <= {name, "service"} if name == "rto" else broken == {name}


def test_a_fault_that_was_not_shown_makes_the_run_inconclusive() -> None:
    verdict = judged(replace(Story(), shown=False))["adequacy"]
    assert verdict.validity is Validity.UNKNOWN


def test_the_number_of_lost_writes_fits_rate_times_time() -> None:
    verdict = judged(replace(Story(), speaks_until=19 * S, loses=True))["durability"]
    numbers = verdict.numbers
    # 20 a second in one region, over 4 s.
    assert numbers["lost_writes"] == pytest.approx(80, abs=2)
    assert numbers["expected_lost"] == pytest.approx(80, abs=4)
    assert numbers["expected_lost_min"] - 2 <= numbers["explained_lost"]
    assert numbers["explained_lost"] <= numbers["expected_lost_max"] + 2
    assert "rate times time is" in verdict.reason
