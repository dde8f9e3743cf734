"""The switchover: asked until done, shown by who holds the role."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from faults import switchover
from faults.answer import Answer
from faults.catalogue import build
from faults.protocol import Context, FaultError
from testbed.topology.model import Node
from tests.unit.faults.fakes import context


class Cluster:
    """A primary that moves when it is asked to, after refusing a few times."""

    def __init__(self) -> None:
        self.primary: str | None = "eu-west-db1"
        self.refusals = 0
        self.asked: list[tuple[str, str | None]] = []

    async def switch_over(self, node: Node, candidate: str | None) -> Answer:
        self.asked.append((node.name, candidate))
        if self.refusals:
            self.refusals -= 1
            return Answer(accepted=False, text="Patroni answers 412: no good candidates")
        self.primary = candidate or "us-east-db1"
        return Answer(accepted=True, text="Successfully switched over")

    def context(self) -> Context:
        async def resolve(target: str) -> str:
            if target != "role:primary":
                return target
            if self.primary is None:
                raise FaultError("nobody")
            return self.primary

        return replace(context(), resolve=resolve)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    monkeypatch.setattr(switchover, "SWITCHOVERS", {"postgres": made.switch_over})
    monkeypatch.setattr(switchover, "MOVED_S", 0.0)
    monkeypatch.setattr(switchover, "RETRY_S", 0.0)
    return made


def test_the_role_moves_and_nothing_is_left_to_heal(cluster: Cluster) -> None:
    async def play() -> None:
        used = cluster.context()
        fault = build("switchover", "role:primary", {})
        cluster.refusals = 3
        await fault.inject(used)
        assert cluster.asked == [("eu-west-db1", None)] * 4
        effect = await fault.effect(used)
        assert effect.shown
        assert "eu-west-db1 was primary" in effect.observation
        await fault.heal(used)
        assert (await fault.absence(used)).shown

    asyncio.run(play())


def _back(cluster: Cluster) -> None:
    cluster.primary = "eu-west-db1"


def _nobody(cluster: Cluster) -> None:
    cluster.primary = None


def _another(cluster: Cluster) -> None:
    cluster.primary = "us-east-db1"


@pytest.mark.parametrize("change", [_back, _nobody, _another])
def test_a_role_that_did_not_move_to_the_candidate_is_not_shown(
    cluster: Cluster, change: Callable[[Cluster], None]
) -> None:
    async def play() -> None:
        used = cluster.context()
        fault = build("switchover", "role:primary", {"candidate": "eu-central-db1"})
        await fault.inject(used)
        assert (await fault.effect(used)).shown
        change(cluster)
        assert not (await fault.effect(used)).shown

    asyncio.run(play())


def test_a_primary_that_stays_is_not_shown(cluster: Cluster) -> None:
    async def play() -> None:
        used = cluster.context()
        fault = build("switchover", "role:primary", {})
        await fault.inject(used)
        _back(cluster)
        assert not (await fault.effect(used)).shown

    asyncio.run(play())


def test_a_refusal_that_lasts_ends_with_patroni_s_own_words(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> None:
        monkeypatch.setattr(switchover, "PATIENCE_S", 0.05)
        cluster.refusals = 10_000
        fault = build("switchover", "role:primary", {})
        with pytest.raises(FaultError, match=r"answers 412: no good candidates"):
            await fault.inject(cluster.context())

    asyncio.run(play())
