"""Preflight: every item is recorded, and a red one keeps the drill from beginning."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from faults.protocol import Context, Evidence
from testbed.drill import preflight as module
from testbed.drill.book import Book, Entry, read_book
from testbed.drill.drill_checks import contradictions
from testbed.drill.preflight import ITEMS, Preflight, PreflightError
from testbed.drill.rehearsal import rehearsal_steps
from testbed.topology.model import Topology
from tests.unit.drill.scene import shipped

HEALTHY = {"success_ratio": 1.0, "latency_ms_p99": 90.0, "lag_bytes": 0.0, "primaries": 1.0}


class FakeFault:
    title = "link-cut a->b"

    def __init__(self, *, heals: bool = True) -> None:
        self._heals = heals

    async def inject(self, context: Context) -> None:
        pass

    async def heal(self, context: Context) -> None:
        pass

    async def effect(self, context: Context) -> Evidence:
        return Evidence(self.title, "effect", True, "")

    async def absence(self, context: Context) -> Evidence:
        return Evidence(self.title, "absence", self._heals, "")


class Wan:
    def __init__(self, left: list[str]) -> None:
        self._left = left

    def agree(self, *, check: bool) -> list[str]:
        assert check, "preflight repairs nothing"
        return self._left


class World:
    topology = shipped()[1].topology

    def __init__(self, left: list[str]) -> None:
        self.wan = Wan(left)


class Probe:
    def __init__(self, problems: tuple[str, ...]) -> None:
        self._problems = problems

    async def problems(self) -> tuple[str, ...]:
        return self._problems

    async def holder(self, role: str) -> str:
        return "eu-west-db1"


def checked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    values: Mapping[str, float | None] | None = None,
    problems: tuple[str, ...] = (),
    heals: bool = True,
    left: tuple[str, ...] = (),
) -> tuple[tuple[Entry, ...], str]:
    """What preflight recorded, and why it was red; empty when it was green."""
    monkeypatch.setattr(module, "HEALTHY_S", 0.5)
    monkeypatch.setattr("testbed.drill.rehearsal.build", lambda *_: FakeFault(heals=heals))
    drill, _ = shipped()
    drill = replace(drill, steady_state=replace(drill.steady_state, measured_s=0.2))

    async def run() -> str:
        book = Book(tmp_path, lambda: 0)
        found = Preflight(
            drill,
            book,
            context=cast(Any, None),
            world=cast(Any, World(list(left))),
            probe=cast(Any, Probe(problems)),
            signals=lambda: HEALTHY if values is None else values,
        )
        try:
            await found.world()
            await found.under_load()
        except PreflightError as error:
            return str(error)
        finally:
            book.close()
        return ""

    why = asyncio.run(run())
    return tuple(one for one in read_book(tmp_path) if one.kind == "preflight"), why


def test_every_item_is_checked_and_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries, why = checked(tmp_path, monkeypatch)
    assert not why
    assert tuple(one.what for one in entries) == ITEMS
    assert all(one.good and one.text for one in entries)
    tripped = next(one.text for one in entries if one.what == module.STOPS)
    assert tripped.count("tripped after") == len(shipped()[0].stop_conditions)


def test_an_unhealthy_world_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries, why = checked(tmp_path, monkeypatch, problems=("eu-west-db1 is silent",))
    assert "eu-west-db1 is silent" in why
    assert [(one.what, one.good) for one in entries] == [(module.WORLD, False)]


def test_a_steady_state_out_of_bounds_is_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries, why = checked(tmp_path, monkeypatch, values={**HEALTHY, "success_ratio": 0.5})
    assert "success_ratio is 0.5" in why
    assert (entries[-1].what, entries[-1].good) == (module.STOPS, False)


def test_a_steady_state_that_the_rehearsal_disturbed_is_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = dict(HEALTHY)

    async def disturb(fault: FakeFault, context: Context) -> None:
        values["success_ratio"] = 0.5

    monkeypatch.setattr(FakeFault, "heal", disturb)
    entries, why = checked(tmp_path, monkeypatch, values=values)
    assert "success_ratio is 0.5" in why
    assert [one.good for one in entries if one.what == module.ROLLBACK] == [True]
    assert (entries[-1].what, entries[-1].good) == (module.STEADY, False)


def test_a_stop_condition_that_sees_nothing_is_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drill, _ = shipped()
    assert any(one.bound.signal == "primaries" for one in drill.stop_conditions)
    values = {**HEALTHY, "primaries": None}
    monkeypatch.setattr(module, "broken", lambda bounds, values: ())
    entries, why = checked(tmp_path, monkeypatch, values=values)
    assert "primaries has no reading" in why
    assert (module.STOPS, False) in [(one.what, one.good) for one in entries]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"heals": False}, "was not shown to go"),
        ({"left": ("heal eu-west->us-east",)}, "heal eu-west->us-east"),
    ],
)
def test_a_rollback_that_leaves_something_is_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], said: str
) -> None:
    entries, why = checked(tmp_path, monkeypatch, **changes)
    assert said in why
    assert (entries[-1].what, entries[-1].good) == (module.ROLLBACK, False)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("primary-region-loss", {"link-cut"}),
        ("slow-link", {"link-latency"}),
        ("wrong-jurisdiction", {"link-cut", "process-pause"}),
        ("returning-old-data", {"process-pause"}),
    ],
)
def test_the_rehearsal_stands_for_the_drills_faults_and_spares_the_primary(
    name: str, kinds: set[str]
) -> None:
    drill, deployment = shipped(name)
    steps = rehearsal_steps(drill, deployment.topology, "eu-west")
    assert {step.kind for step in steps} == kinds
    assert not any("eu-west" in step.target for step in steps)


def renamed(group: str) -> Topology:
    """The topology with its data in a group of somebody else's, and none of it in us-east."""
    topology = World.topology
    kept = tuple(
        replace(
            node,
            groups=(node.groups - {"postgres"})
            | ({group} if "postgres" in node.groups and node.region != "us-east" else set()),
        )
        for node in topology.nodes
    )
    return replace(topology, nodes=kept)


def test_the_primary_of_a_users_own_database_is_moved_to_where_the_drill_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Mapping[str, Any]] = []

    def build(kind: str, target: str, parameters: Mapping[str, Any]) -> FakeFault:
        asked.append(parameters)
        return FakeFault()

    monkeypatch.setattr("testbed.clients.system.points", lambda _: {"mydb": None})
    monkeypatch.setattr(module, "build", build)
    monkeypatch.setattr(World, "topology", renamed("mydb"))
    drill = replace(shipped()[0], primary_region="eu-central")
    monkeypatch.setattr(f"{__name__}.shipped", lambda: (drill, None))
    entries, why = checked(tmp_path, monkeypatch)
    assert not why
    assert asked == [{"candidate": "eu-central-db1"}]
    assert any(one.text == "moved from eu-west-db1 to eu-central-db1" for one in entries)


def test_a_region_without_a_node_that_may_be_primary_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("testbed.clients.system.points", lambda _: {"mydb": None})
    drill = replace(shipped()[0], primary_region="us-east")
    (said,) = contradictions(drill, renamed("mydb"))
    assert "no node of 'us-east' may be primary (known: eu-central, eu-west)" in said
