"""What an operation's own rule refuses is service, not an outage."""

from __future__ import annotations

import pytest

from testbed.measures.load import load
from testbed.measures.rto import longest_outage
from tests.histories import S, Scribe


@pytest.mark.parametrize(
    ("error", "served"), [("refused: balance too small", True), ("connect: refused", False)]
)
def test_a_refusal_counts_as_served(error: str, served: bool) -> None:
    scribe = (
        Scribe()
        .call("transfer", 1 * S, 1 * S, region="a")
        .call("transfer", 5 * S, 5 * S, "fail", region="a", error=error)
    )
    history = scribe.call("transfer", 9 * S, 9 * S, region="a").history()
    found = load(history, {"transfer"}, from_ns=0, to_ns=10 * S)
    assert found.availability == (1.0 if served else pytest.approx(2 / 3))
    outage = longest_outage(
        history, "a", cause="cut", from_ns=1 * S, to_ns=10 * S, writes={"transfer"}
    )
    assert outage.rto_ms == (4000 if served else 8000)
