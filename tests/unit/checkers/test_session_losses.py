"""Whether sessions were told that a failover lost what they had written."""

from __future__ import annotations

from testbed.checkers.session_losses import check
from testbed.checkers.verdict import Validity
from testbed.history.history import LOST
from tests.histories import S, Scribe

DONE = {"write", "read"}


def test_a_session_that_was_told_is_a_broken_promise() -> None:
    scribe = Scribe()
    scribe.call("write", S, 2 * S, process="one", value=1, term=1)
    scribe.call("write", 3 * S, 4 * S, process="one", value=2, term=2)
    for at, process in ((5, "one"), (6, "two"), (8, "two")):
        error = f"{LOST}up to {at + 2}"
        scribe.call("read", at * S, (at + 1) * S, outcome="fail", process=process, error=error)
    found = check(scribe.history(), DONE)
    assert found.validity is Validity.VIOLATION
    assert found.numbers == {"sessions_told": 2.0}
    assert found.reason.endswith("up to 7")
    assert len(found.counterexample) == 3


def test_any_other_failure_is_none() -> None:
    scribe = Scribe()
    scribe.call(
        "read", 5 * S, 6 * S, process="one", outcome="fail", error="connect: lost: no route"
    )
    scribe.call("mark", 5 * S, 6 * S, process="two", outcome="fail", error=f"{LOST}up to 7")
    assert check(scribe.history(), DONE).validity is Validity.VALID
