"""The timeline: injects at their times, and what people do to it. Faults are stand-ins."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from faults.protocol import Context, Evidence, FaultError
from testbed.drill.book import Book, read_book
from testbed.drill.drill import BlastRadius, Inject
from testbed.drill.timeline import DrillTimeline
from testbed.history.journal import Journal, read
from testbed.runner.folder import EvidenceLog
from testbed.runner.plan import Step
from tests.unit.drill.scene import shipped

NAME = "it breaks"


class Broken:
    """What stand-ins break, and whether they can be healed."""

    def __init__(self) -> None:
        self.now: set[str] = set()
        self.stubborn = False
        self.slow_s = 0.0
        self.bitten = asyncio.Event()


class FakeFault:
    kind = "link-cut"

    def __init__(self, target: str, broken: Broken) -> None:
        self.target, self.title, self._broken = target, f"link-cut {target}", broken

    async def inject(self, context: Context) -> None:
        await context.resolve(self.target)
        self._broken.now.add(self.target)
        self._broken.bitten.set()

    async def effect(self, context: Context) -> Evidence:
        await asyncio.sleep(self._broken.slow_s)
        return Evidence(self.title, "effect", True, "it bites")

    async def heal(self, context: Context) -> None:
        if self._broken.stubborn:
            raise FaultError("it cannot be healed")
        self._broken.now.discard(self.target)

    async def absence(self, context: Context) -> Evidence:
        return Evidence(self.title, "absence", True, "it is gone")


Body = Callable[[DrillTimeline, Broken], Awaitable[None]]


class World:
    topology = shipped()[1].topology


def played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, injects: tuple[Inject, ...], body: Body,
    *, at_once: int = 2,
) -> tuple[DrillTimeline, Broken]:  # fmt: skip
    broken = Broken()
    monkeypatch.setattr(
        "testbed.runner.injection.build", lambda kind, target, values: FakeFault(target, broken)
    )

    async def resolve(target: str) -> str:
        return "us-east" if target == "region-of:primary" else target

    async def run() -> DrillTimeline:
        began = time.monotonic_ns()
        context = Context(
            cast(Any, World()), resolve, lambda: time.monotonic_ns() - began, cast(Any, None)
        )
        with Journal(tmp_path / "history.jsonl") as journal:
            book = Book(tmp_path, context.now)
            timeline = DrillTimeline(
                injects,
                context,
                journal,
                EvidenceLog(tmp_path / "evidence.jsonl"),
                book,
                radius=BlastRadius(("eu-west", "eu-central"), at_once, 60.0),
            )
            async with asyncio.timeout(20):
                await body(timeline, broken)
            book.close()
        return timeline

    return asyncio.run(run()), broken


def inject(
    name: str = NAME, at_s: float = 0.0, for_s: float = 0.2, target: str = "eu-west"
) -> Inject:
    return Inject(name, Step("link-cut", target, at_s, for_s), hidden=True)


def states(timeline: DrillTimeline) -> list[str]:
    return [line.state for line in timeline.lines]


def test_what_is_injected_is_healed_and_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(timeline: DrillTimeline, broken: Broken) -> None:
        await timeline.play()

    timeline, broken = played(tmp_path, monkeypatch, (inject(), inject("more", 0.1)), body)
    assert states(timeline) == ["done", "done"]
    assert not broken.now
    phases = [line.value["phase"] for line in read(tmp_path / "history.jsonl").faults]
    assert sorted(phases) == sorted(
        ["inject", "injected", "effect", "heal", "healed", "absence"] * 2
    )
    assert [one.text.split(":")[0] for one in read_book(tmp_path) if one.what == NAME] == [
        "is injected", "is healed", "is gone",
    ]  # fmt: skip
    played_steps = timeline.as_played(0)
    assert len(played_steps) == 2
    assert played_steps[0].duration_s == pytest.approx(0.2, abs=0.15)


def test_stopping_heals_at_once_and_plays_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while its effect is still being looked for."""

    async def body(timeline: DrillTimeline, broken: Broken) -> None:
        broken.slow_s = 30.0
        playing = asyncio.create_task(timeline.play())
        await broken.bitten.wait()
        began = time.monotonic()
        timeline.stop()
        assert await timeline.healed()
        assert time.monotonic() - began < 0.5
        assert not broken.now
        await playing

    timeline, _ = played(tmp_path, monkeypatch, (inject(for_s=60), inject("later", 30)), body)
    assert states(timeline) == ["done", "skipped"]


def test_what_cannot_be_healed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(timeline: DrillTimeline, broken: Broken) -> None:
        broken.stubborn = True
        playing = asyncio.create_task(timeline.play())
        await broken.bitten.wait()
        timeline.stop()
        assert not await timeline.healed()
        with pytest.raises(FaultError, match="cannot be healed"):
            await playing

    timeline, _ = played(tmp_path, monkeypatch, (inject(for_s=60),), body)
    assert states(timeline) == ["failed"]


def test_a_held_drill_injects_nothing_until_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(timeline: DrillTimeline, broken: Broken) -> None:
        timeline.held = True
        playing = asyncio.create_task(timeline.play())
        await asyncio.sleep(0.4)
        assert states(timeline) == ["planned"]
        timeline.held = False
        await playing

    timeline, _ = played(tmp_path, monkeypatch, (inject(at_s=0.1),), body)
    assert states(timeline) == ["done"]
    assert timeline.as_played(0)[0].at_s > 0.4


def test_a_skipped_inject_is_not_in_the_plan_as_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(timeline: DrillTimeline, broken: Broken) -> None:
        timeline.skip(timeline.lines[0])
        await timeline.play()

    timeline, _ = played(tmp_path, monkeypatch, (inject(), inject("more", 0.1)), body)
    assert states(timeline) == ["skipped", "done"]
    assert len(timeline.as_played(0)) == 1


def test_no_more_holds_at_a_time_than_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(timeline: DrillTimeline, broken: Broken) -> None:
        playing = asyncio.create_task(timeline.play())
        await broken.bitten.wait()
        assert "heal one first" in timeline.fire(timeline.lines[1])
        await playing

    timeline, _ = played(
        tmp_path, monkeypatch, (inject(), inject("more", 10, target="eu-central")), skip_rest(body),
        at_once=1,
    )  # fmt: skip
    assert timeline.lines[1].began_ns is None


def skip_rest(body: Body) -> Body:
    """The body, with what is still planned a second later left out."""

    async def both(timeline: DrillTimeline, broken: Broken) -> None:
        asyncio.get_running_loop().call_later(1.0, timeline.stop)
        await body(timeline, broken)

    return both


def test_a_role_that_has_left_the_blast_radius_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(timeline: DrillTimeline, broken: Broken) -> None:
        with pytest.raises(FaultError, match="outside the blast radius"):
            await timeline.play()
        assert not broken.now

    played(tmp_path, monkeypatch, (inject(target="region-of:primary"),), body)
