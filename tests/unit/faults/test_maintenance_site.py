"""What operators run on a node ends in time, and says what it said."""

from __future__ import annotations

import asyncio
import subprocess
from types import SimpleNamespace
from typing import Any, cast

import pytest

from faults.maintenance_site import Site, run
from faults.protocol import FaultError


class World:
    """Remembers for how long a script may run."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.limits_s: list[float] = []

    def execute(self, name: str, argv: list[str], timeout_s: float) -> Any:
        self.limits_s.append(timeout_s)
        return subprocess.CompletedProcess(argv, self.code, b"done", b"no such table")


def ran(world: World, *limit_s: float) -> str:
    site = Site(cast(Any, world), cast(Any, None), "EU", cast(Any, None))
    return asyncio.run(run(site, cast(Any, SimpleNamespace(name="db1")), "true", *limit_s))


def test_a_script_has_as_long_as_it_is_given() -> None:
    world = World()
    assert ran(world) == ran(world, 100.0) == "done"
    assert world.limits_s == [30.0, 100.0]


def test_a_script_that_fails_says_why() -> None:
    with pytest.raises(FaultError, match="db1 failed: no such table"):
        ran(World(code=1))
