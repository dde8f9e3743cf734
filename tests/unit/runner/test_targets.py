"""Targets by name and by role."""

from __future__ import annotations

import asyncio

import pytest

from faults.protocol import FaultError
from testbed.probes.protocol import Claim
from testbed.probes.streams import Stream
from testbed.runner.targets import Targets
from testbed.topology.inventory import find, load

TOPOLOGY = load(find("active-passive")).topology


class Holder:
    """A probe that knows who holds the roles."""

    def __init__(self, primary: str | None) -> None:
        self.primary = primary

    async def claims(self) -> tuple[Claim, ...]:
        return ()

    async def holder(self, role: str) -> str | None:
        return self.primary if role == "primary" else None

    async def streams(self) -> tuple[Stream, ...]:
        return ()

    async def problems(self) -> tuple[str, ...]:
        return ()

    async def close(self) -> None:
        return None


def resolve(target: str, primary: str | None = "us-east-db1") -> str:
    return asyncio.run(Targets(TOPOLOGY, Holder(primary)).resolve(target))


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("role:primary", "us-east-db1"),
        ("region-of:primary", "us-east"),
        ("eu-west", "eu-west"),
        ("eu-central-lb1", "eu-central-lb1"),
    ],
)
def test_a_target_is_one_name(target: str, found: str) -> None:
    assert resolve(target) == found


def test_nobody_holds_the_role() -> None:
    with pytest.raises(FaultError, match="nobody holds the role 'primary'"):
        resolve("region-of:primary", primary=None)


def test_an_unknown_name() -> None:
    with pytest.raises(FaultError, match="'mars' is neither a node nor a region"):
        resolve("mars")
