"""Toxics on links: what a trial must measure for them to be shown, and to be shown gone."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from faults import link_toxic
from faults.catalogue import build, problems
from faults.protocol import Evidence, FaultError
from testbed.world.toxics import Toxic
from tests.unit.faults.fakes import TOPOLOGY, Trial, Wan, World, context

PAIR = ("eu-west", "us-east")
TARGET = "eu-west->us-east"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_toxic, "EFFECT_S", 0.0)
    monkeypatch.setattr(link_toxic, "ABSENCE_S", 0.0)


class Bench:
    """A link whose trials give what a test says for before, under and after the fault."""

    def __init__(self, kind: str, before: Trial, under: Trial, after: Trial, **parameters: Any):
        self.world = World(trial=before)
        self.context = context(self.world)
        self.fault = build(kind, TARGET, parameters)
        self.under, self.after = under, after

    async def _play(self) -> tuple[Evidence, Evidence]:
        await self.fault.inject(self.context)
        self.world.trial = self.under
        effect = await self.fault.effect(self.context)
        await self.fault.heal(self.context)
        self.world.trial = self.after
        return effect, await self.fault.absence(self.context)

    def play(self) -> tuple[bool, bool]:
        effect, absence = asyncio.run(self._play())
        assert effect.observation.startswith(f"{TARGET}: ")
        assert (effect.phase, absence.phase) == ("effect", "absence")
        return effect.shown, absence.shown


def delays(*each_ms: float) -> Trial:
    return lambda node, request: {"forward_ms": list(each_ms), "backward_ms": []}


def even(least_ms: float, most_ms: float) -> Trial:
    return delays(*(least_ms + (most_ms - least_ms) * step / 23 for step in range(24)))


def rate(kbytes_s: float) -> Trial:
    return lambda node, request: {
        "bytes": request["bytes"],
        "seconds": request["bytes"] / 1000 / kbytes_s,
        "answered": request["lines"],
        "ended": "open",
    }


def push(seconds: float, share: float = 1.0, ended: str = "open") -> Trial:
    return lambda node, request: {
        "bytes": request["bytes"],
        "seconds": seconds,
        "answered": int(request["lines"] * share),
        "ended": ended,
    }


def close(seconds: float) -> Trial:
    return lambda node, request: {"seconds": seconds}


def stay(seconds: float, ended: str) -> Trial:
    return lambda node, request: {"seconds": seconds, "ended": ended}


def failed(node: str, request: dict[str, Any]) -> dict[str, Any]:
    return {"failed": "ConnectionRefusedError"}


LATENCY = ("link-latency", {"added_ms": 100})
JITTER = ("link-jitter", {"jitter_ms": 100})
BANDWIDTH = ("link-bandwidth", {"kbytes_s": 100})
RESET = ("link-reset", {"timeout_ms": 200})
SLOW_CLOSE = ("link-slow-close", {"delay_ms": 800})
LIMIT = ("link-limit-data", {"limit_bytes": 10_000})
SLICER = ("link-slicer", {"average_size_bytes": 512, "delay_us": 5000})
TIMEOUT: tuple[str, dict[str, int]] = ("link-timeout", {})
THREE = delays(1.0, 1.0, 1.0)
SERVICE: tuple[str, dict[str, str]] = ("link-timeout", {"service": "postgres"})


def answers(servers: int, observers: int = 3) -> Trial:
    """How many of three connections PostgreSQL answers, and how many an observer."""

    def trial(node: str, request: dict[str, Any]) -> dict[str, Any]:
        if request["try"] == "ask":
            assert request["port"] == 5432
            return {"answered": servers}
        return {"forward_ms": [1.0] * observers, "backward_ms": []}

    return trial


@pytest.mark.parametrize(
    ("fault", "before", "under", "after", "shown"),
    [
        (LATENCY, delays(35.0), delays(136.0), delays(35.5), (True, True)),
        (LATENCY, delays(35.0), delays(35.0), delays(35.0), (False, True)),
        (LATENCY, delays(35.0), delays(160.0), delays(35.0), (False, True)),
        (LATENCY, delays(35.0), delays(135.0), delays(135.0), (True, False)),
        # Slow before, by the machine: as fast as the link is later, nothing is left of the fault.
        (LATENCY, delays(49.0), delays(149.0), delays(35.0), (True, True)),
        (LATENCY, delays(55.0), delays(135.0), delays(35.0), (False, True)),
        # What a busy machine adds to some bytes, before or later, does not count.
        (
            LATENCY,
            delays(90.0, 35.0, 80.0),
            delays(190.0, 180.0, 135.0),
            delays(35.0),
            (True, True),
        ),
        (LATENCY, delays(35.0), delays(35.0, 135.0, 135.0), delays(35.0, 90.0), (False, True)),
        (LATENCY, delays(35.0), delays(), delays(), (False, False)),
        (LATENCY, failed, delays(135.0), delays(35.0), (False, False)),
        (JITTER, even(35, 36), even(35, 135), even(35, 36), (True, True)),
        (JITTER, even(35, 36), even(85, 87), even(35, 36), (False, True)),
        (JITTER, even(35, 36), even(35, 400), even(35, 100), (False, False)),
        (BANDWIDTH, rate(20_000), rate(99), rate(18_000), (True, True)),
        (BANDWIDTH, rate(20_000), rate(20_000), rate(100), (False, False)),
        (BANDWIDTH, rate(110), rate(100), rate(110), (False, True)),
        (BANDWIDTH, rate(20_000), failed, failed, (False, False)),
        (RESET, failed, stay(0.2, "reset"), stay(1.7, "open"), (True, True)),
        (RESET, failed, stay(1.7, "open"), stay(0.2, "end"), (False, False)),
        (RESET, failed, failed, failed, (False, False)),
        (SLOW_CLOSE, close(0.001), close(0.82), close(0.002), (True, True)),
        (SLOW_CLOSE, close(0.001), close(0.1), close(0.8), (False, False)),
        (LIMIT, failed, push(1.0, 0.1, "end"), push(1.0), (True, True)),
        (LIMIT, failed, push(1.0), push(1.0, 0.1, "reset"), (False, False)),
        (LIMIT, failed, push(1.0, 0.1, "open"), push(1.0), (False, True)),
        (SLICER, push(0.01), push(0.35), push(0.01), (True, True)),
        (SLICER, push(0.01), push(0.05), push(0.2), (False, False)),
        (TIMEOUT, THREE, delays(), THREE, (True, True)),
        (TIMEOUT, THREE, THREE, delays(1.0), (False, False)),
        (TIMEOUT, delays(), delays(), THREE, (False, True)),
        (SERVICE, answers(3), answers(0), answers(3), (True, True)),
        (SERVICE, answers(3), answers(1), answers(2), (False, False)),
        (SERVICE, answers(0), answers(0), answers(3), (False, True)),
        # More than was asked for is broken.
        (SERVICE, answers(3), answers(0, observers=0), answers(3, observers=0), (False, True)),
        (SERVICE, failed, failed, failed, (False, False)),
    ],
)
def test_evidence(
    fault: tuple[str, dict[str, Any]],
    before: Trial,
    under: Trial,
    after: Trial,
    shown: tuple[bool, bool],
) -> None:
    kind, parameters = fault
    assert Bench(kind, before, under, after, **parameters).play() == shown


@pytest.mark.parametrize(
    ("kind", "parameters", "toxic", "sent"),
    [
        (*LATENCY, "latency", {"delay_ms": 100}),
        (*JITTER, "latency", {"delay_ms": 50, "jitter_ms": 50}),
        (*BANDWIDTH, "bandwidth", {"rate_kbytes_s": 100}),
        (*RESET, "reset_peer", {"timeout_ms": 200}),
        (*SLOW_CLOSE, "slow_close", {"delay_ms": 800}),
        (*LIMIT, "limit_data", {"limit_bytes": 10_000}),
        (
            *SLICER,
            "slicer",
            {"average_size_bytes": 512, "delay_us": 5000, "size_variation_bytes": 0},
        ),
        (*TIMEOUT, "timeout", {"timeout_ms": 0}),
    ],
)
def test_the_toxic_and_its_removal(
    kind: str, parameters: dict[str, int], toxic: str, sent: dict[str, int]
) -> None:
    async def play() -> None:
        world = World(trial=failed)
        used = context(world)
        fault = build(kind, TARGET, {**parameters, "direction": "both"})
        await fault.inject(used)
        for pair in (PAIR, PAIR[::-1]):
            (found,) = world.wan.toxics(pair)
            assert (found.kind, dict(found.parameters)) == (toxic, sent)
        await fault.heal(used)
        await fault.heal(used)
        assert world.wan.toxics(PAIR) == world.wan.toxics(PAIR[::-1]) == ()

    asyncio.run(play())


def test_one_service_s_connections_are_meant_alone() -> None:
    async def play() -> None:
        asked: list[tuple[str, str]] = []

        def trial(node: str, request: dict[str, Any]) -> dict[str, Any]:
            asked.append((node, request["address"]))
            return {"answered": 0}

        world = World(trial=trial)
        fault = build("link-timeout", TARGET, {"service": "postgres"})
        await fault.inject(context(world))
        # From the other end too, as its answers would cross the link.
        assert asked == [("eu-west-db1", "10.77.3.10"), ("us-east-db1", "10.77.1.10")]
        ((_, (pair, toxic, port)),) = world.wan.calls
        assert (pair, toxic.kind, port) == (PAIR, "timeout", 5432)

    asyncio.run(play())


def test_a_link_that_leads_to_no_postgresql_cannot_lose_its_answers() -> None:
    bare = [replace(node, wan_ports=(7400,)) for node in TOPOLOGY.nodes]
    without = replace(TOPOLOGY, nodes=tuple(bare))
    (problem,) = problems("link-timeout", TARGET, {"service": "postgres"}, without)
    assert "no region of eu-west->us-east has a PostgreSQL server" in problem
    assert problems("link-timeout", TARGET, {}, without) == []
    assert problems("link-timeout", TARGET, {"service": "postgres"}, TOPOLOGY) == []
    roles = "region-of:primary->us-east"
    assert problems("link-timeout", roles, {"service": "postgres"}, without) == []


def link_with(wan: Wan) -> Trial:
    """A link that does what the latency toxics on it say."""

    def trial(node: str, request: dict[str, Any]) -> dict[str, Any]:
        total = sum(toxic.parameters["delay_ms"] for toxic in wan.toxics(PAIR))
        return {"forward_ms": [total + 0.4], "backward_ms": []}

    return trial


def test_latency_of_two_faults_adds_up_and_each_removes_its_own() -> None:
    async def play() -> None:
        world = World()
        world.trial = link_with(world.wan)
        world.wan.add_toxic(PAIR, Toxic("link-latency", "latency", {"delay_ms": 35}))
        used = context(world)
        first, second = (build("link-latency", TARGET, {"added_ms": ms}) for ms in (100, 200))
        await first.inject(used)
        await second.inject(used)
        assert (await first.effect(used)).shown
        assert (await second.effect(used)).shown
        await first.heal(used)
        absence = await first.absence(used)
        assert absence.shown, absence.observation
        assert [t.parameters["delay_ms"] for t in world.wan.toxics(PAIR)] == [35, 200]
        assert not (await first.effect(used)).shown
        assert not (await second.absence(used)).shown
        await second.heal(used)
        assert (await second.absence(used)).shown

    asyncio.run(play())


def test_a_link_that_a_busy_machine_slowed_is_tried_again_before_it_is_made_slow() -> None:
    async def play() -> None:
        slowed = iter([160.0, 90.0, 35.4, 35.4])
        used = context(World(trial=lambda node, request: {"forward_ms": [next(slowed)]}))
        used.world.wan.add_toxic(PAIR, Toxic("link-latency", "latency", {"delay_ms": 35}))
        fault = build("link-latency", TARGET, {"added_ms": 100})
        await fault.inject(used)
        effect = await fault.effect(used)
        assert effect.readings[TARGET]["before_ms"] == 35.4
        assert effect.readings[TARGET]["now_ms"] == 35.4
        assert not effect.shown

    asyncio.run(play())


@pytest.mark.parametrize(
    ("now_ms", "shown"), [(35.4, False), (84.0, False), (90.0, True), (150.0, True), (270.0, False)]
)
def test_latency_is_shown_on_a_link_whose_delay_varies(now_ms: float, shown: bool) -> None:
    async def play() -> None:
        world = World(trial=delays(35.4, 300.0))
        used = context(world)
        world.wan.add_toxic(PAIR, Toxic("link-latency", "latency", {"delay_ms": 35}))
        varying = {"delay_ms": 200, "jitter_ms": 200}
        world.wan.add_toxic(PAIR, Toxic("jitter-1", "latency", varying))
        fault = build("link-latency", TARGET, {"added_ms": 100})
        await fault.inject(used)
        world.trial = delays(now_ms, 500.0)
        assert (await fault.effect(used)).shown is shown

    asyncio.run(play())


def test_a_link_that_another_fault_cuts_is_not_tried() -> None:
    async def play() -> None:
        tried: list[str] = []

        def trial(node: str, request: dict[str, Any]) -> dict[str, Any]:
            tried.append(node)
            return {"forward_ms": [35.0], "backward_ms": []}

        used = context(World(trial=trial))
        cut = build("link-cut", "us-east->eu-west", {})
        latency = build("link-latency", TARGET, {"added_ms": 100})
        await cut.inject(used)
        await latency.inject(used)
        effect = await latency.effect(used)
        assert not effect.shown
        assert "another fault cuts the link" in effect.observation
        assert tried == []

    asyncio.run(play())


def test_delays_are_measured_from_the_other_end_when_the_receiver_is_silent() -> None:
    async def play() -> None:
        asked: list[tuple[str, str]] = []

        def trial(node: str, request: dict[str, Any]) -> dict[str, Any]:
            asked.append((node, request["address"]))
            if node == "eu-west-db1":
                return {"failed": "ConnectionRefusedError"}
            return {"forward_ms": [1.0], "backward_ms": [35.0]}

        used = context(World(trial=trial))
        fault = build("link-latency", TARGET, {"added_ms": 10})
        await fault.inject(used)
        assert asked[:2] == [("eu-west-db1", "10.77.3.10"), ("us-east-db1", "10.77.1.10")]
        effect = await fault.effect(used)
        assert effect.readings[TARGET]["before_ms"] == 35.0

    asyncio.run(play())


def test_a_client_that_another_fault_ends_is_no_failed_injection() -> None:
    async def play() -> None:
        world = World(trial=failed)

        def killed(*_: Any, **__: Any) -> subprocess.CompletedProcess[bytes]:
            return subprocess.CompletedProcess([], -9, b"", b"")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(world, "execute", killed)
            used = context(world)
            fault = build("link-latency", TARGET, {"added_ms": 100})
            await fault.inject(used)
            assert world.wan.toxics(PAIR)
            assert not (await fault.effect(used)).shown
        await fault.heal(used)
        assert world.wan.toxics(PAIR) == ()

    asyncio.run(play())


@pytest.mark.parametrize("build_one", [lambda: build("link-reset", TARGET, {})])
def test_a_refused_toxic_says_so(build_one: Callable[[], Any]) -> None:
    async def play() -> None:
        world = World(Wan(refuses=True))
        with pytest.raises(FaultError, match=r"link-reset .* could not be injected"):
            await build_one().inject(context(world))

    asyncio.run(play())
