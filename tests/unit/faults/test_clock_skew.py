"""Clock skew: a region has one clock, at whichever of its nodes takes writes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from faults import clock_skew, mesh_keeper
from faults.clock_skew import ClockSkew
from faults.protocol import Context, FaultError
from testbed.topology.inventory import find, load
from tests.unit.faults.fakes import World, context

HA = load(find("active-active-ha")).topology
READ_ONLY = {"problem": "cannot execute UPDATE in a read-only transaction"}


class Keepers:
    """The keepers of us-east, of which one speaks for a node that takes writes."""

    def __init__(self, writer: str) -> None:
        self.writer = writer
        self.ahead_us = 0
        self.asked: list[str] = []

    async def ask(
        self, _: Context, node: str, body: dict[str, Any] | None = None, __: float = 0.0
    ) -> dict[str, Any]:
        self.asked.append(node)
        if body is not None and node != self.writer:
            return READ_ONLY
        if body is not None:
            self.ahead_us = body["skew_us"]
        return {"clock": [{"name": self.ahead_us, "ahead_us": self.ahead_us}]}


@pytest.fixture
def keepers(monkeypatch: pytest.MonkeyPatch) -> Keepers:
    made = Keepers("us-east-db1")
    monkeypatch.setattr(mesh_keeper, "ask", made.ask)
    return made


def test_the_clock_of_a_standby_is_its_regions(keepers: Keepers) -> None:
    """Before, the standby refused the change, and the run failed."""
    fault, here = ClockSkew("us-east-db2", ahead_ms=5000), context(World(topology=HA))
    asyncio.run(fault.inject(here))
    assert keepers.ahead_us == 5_000_000
    assert keepers.asked == ["us-east-db2", "us-east-db1"]
    shown = asyncio.run(fault.effect(here))
    assert shown.shown
    assert shown.readings["node"] == "us-east-db1"


def test_a_clock_is_set_right_where_writes_are_taken_by_then(keepers: Keepers) -> None:
    fault, here = ClockSkew("us-east-db1", ahead_ms=5000), context(World(topology=HA))
    asyncio.run(fault.inject(here))
    keepers.writer = "us-east-db2"
    asyncio.run(fault.heal(here))
    assert keepers.ahead_us == 0
    assert asyncio.run(fault.absence(here)).shown


def test_a_region_without_a_writer_keeps_its_clock_and_says_so(
    keepers: Keepers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_skew, "SHOWN_S", 0.0)
    keepers.writer = ""
    with pytest.raises(FaultError, match="us-east-db2: cannot execute UPDATE"):
        asyncio.run(ClockSkew("us-east-db1", ahead_ms=10).inject(context(World(topology=HA))))
