"""Cuts: evidence is drops and silence; overlapping cuts share links."""

from __future__ import annotations

import asyncio

import pytest

from faults import cut_links
from faults.catalogue import build
from faults.holds import DownProgram
from faults.protocol import FaultError
from tests.unit.faults.fakes import Links, Wan, World, context

LINKS_OF_EU_WEST = {
    ("eu-west", "eu-central"),
    ("eu-central", "eu-west"),
    ("eu-west", "us-east"),
    ("us-east", "eu-west"),
}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not shown at once will not be: nothing changes behind the fakes' back."""
    monkeypatch.setattr(cut_links, "EFFECT_S", 0.0)
    monkeypatch.setattr(cut_links, "ABSENCE_S", 0.0)


def test_a_region_cut_cuts_all_links_of_the_region_that_holds_the_role() -> None:
    async def play() -> None:
        world = World()
        used = context(world, {"region-of:primary": "eu-west"})
        fault = build("region-cut", "region-of:primary", {})
        await fault.inject(used)
        assert set(world.wan.cut_links) == LINKS_OF_EU_WEST
        effect = await fault.effect(used)
        assert effect.shown
        assert "packets dropped, last message 5000 ms ago by TCP" in effect.observation
        assert len(effect.readings["links"]) == 4
        await fault.heal(used)
        assert world.wan.cut_links == {}
        assert (await fault.absence(used)).shown
        before = list(world.wan.calls)
        await fault.heal(used)
        assert world.wan.calls == before

    asyncio.run(play())


def test_a_one_way_cut_must_let_datagrams_pass_the_other_way() -> None:
    async def play() -> None:
        world = World()
        used = context(world)
        fault = build("link-cut", "eu-west->us-east", {})
        await fault.inject(used)
        assert set(world.wan.cut_links) == {("eu-west", "us-east")}
        effect = await fault.effect(used)
        assert effect.shown
        assert "us-east->eu-west (not cut): a datagram 20 ms ago" in effect.observation
        world.wan.cut_links["us-east", "eu-west"] = 0
        assert not (await fault.effect(used)).shown

    asyncio.run(play())


@pytest.mark.parametrize("way", ["no packet is dropped", "messages still arrive", "not in the set"])
def test_a_cut_that_does_not_bite_is_not_shown(way: str) -> None:
    async def play() -> None:
        world = World(Wan(traffic=0 if way == "no packet is dropped" else 1))
        links = Links(world.wan)
        used = context(world, links=links)
        fault = build("link-cut", "eu-west->us-east", {"direction": "both"})
        await fault.inject(used)
        if way == "messages still arrive":
            links.leaks.add(("us-east", "eu-west"))
        if way == "not in the set":
            del world.wan.cut_links["us-east", "eu-west"]
        assert not (await fault.effect(used)).shown

    asyncio.run(play())


def test_a_heal_that_leaves_a_link_silent_is_not_shown() -> None:
    async def play() -> None:
        world = World()
        links = Links(world.wan)
        used = context(world, links=links)
        fault = build("link-cut", "eu-west->us-east", {})
        await fault.inject(used)
        await fault.heal(used)
        links.dead.add("us-east")
        assert not (await fault.absence(used)).shown
        # Its observer is down because of another fault: the kernel's word is all there can be.
        used.holds.take([DownProgram("us-east-db1", "observer")])
        absence = await fault.absence(used)
        assert absence.shown
        assert "observers are held by another fault" in absence.observation

    asyncio.run(play())


def test_overlapping_cuts_keep_what_they_share_until_both_are_healed() -> None:
    async def play() -> None:
        world = World()
        used = context(world)
        region = build("region-cut", "eu-west", {})
        link = build("link-cut", "eu-west->us-east", {})
        await region.inject(used)
        await link.inject(used)
        await region.heal(used)
        assert set(world.wan.cut_links) == {("eu-west", "us-east")}
        absence = await region.absence(used)
        assert absence.shown
        assert "eu-west->us-east: still cut by another fault" in absence.observation
        assert (await link.effect(used)).shown
        await link.heal(used)
        assert world.wan.cut_links == {}
        assert (await link.absence(used)).shown

    asyncio.run(play())


def test_a_refused_cut_says_what_to_do_and_can_be_healed() -> None:
    async def play() -> None:
        world = World(Wan(refuses=True))
        used = context(world)
        fault = build("region-cut", "eu-west", {})
        with pytest.raises(FaultError, match=r"region-cut eu-west could not be injected: nft"):
            await fault.inject(used)
        with pytest.raises(FaultError, match="could not be healed"):
            await fault.heal(used)
        world.wan.refuses = False
        await fault.heal(used)
        assert ("heal", sorted(LINKS_OF_EU_WEST)) in world.wan.calls

    asyncio.run(play())


def test_an_injection_that_never_began_needs_no_heal() -> None:
    async def play() -> None:
        world = World()
        used = context(world)
        fault = build("region-cut", "region-of:primary", {})
        with pytest.raises(FaultError, match="nobody holds"):
            await fault.inject(used)
        await fault.heal(used)
        assert world.wan.calls == []
        same = build("link-cut", "region-of:primary->us-east", {})
        at_home = context(world, {"region-of:primary": "us-east"})
        with pytest.raises(FaultError, match="both its ends are one region"):
            await same.inject(at_home)

    asyncio.run(play())
