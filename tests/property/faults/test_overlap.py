"""Faults that overlap in any order: a link is cut exactly while a fault that cuts it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from faults.catalogue import build
from faults.holds import CutLink, Holds
from faults.protocol import Fault
from tests.unit.faults.fakes import TOPOLOGY, World, context

LINKS = [(link.source, link.target) for link in TOPOLOGY.links]
CUTS: list[tuple[str, str, dict[str, str]]] = [
    ("region-cut", region.name, {}) for region in TOPOLOGY.regions
]
CUTS += [("link-cut", link.name, {"direction": way}) for link in TOPOLOGY.links
         for way in ("one-way", "both")]  # fmt: skip


def cut_by(kind: str, target: str, way: str) -> set[tuple[str, str]]:
    """Which links a cut means, said independently of the code."""
    if kind == "region-cut":
        return {pair for pair in LINKS if target in pair}
    source, _, sink = target.partition("->")
    return {(source, sink)} | ({(sink, source)} if way == "both" else set())


async def follow(chosen: Sequence[int], order: Sequence[int]) -> None:
    """Inject at a fault's first turn, heal at every later one; compare after each turn."""
    world = World()
    used = context(world)
    faults: list[Fault] = [build(*CUTS[index]) for index in chosen]
    held: set[int] = set()
    seen: set[int] = set()
    for turn in order:
        number = turn % len(faults)
        if number in seen:
            await faults[number].heal(used)
            held.discard(number)
        else:
            await faults[number].inject(used)
            held.add(number)
            seen.add(number)
        wanted: set[tuple[str, str]] = set()
        for one in held:
            kind, target, parameters = CUTS[chosen[one]]
            wanted |= cut_by(kind, target, parameters.get("direction", ""))
        assert set(world.wan.cut_links) == wanted
    for fault in faults:
        await fault.heal(used)
    assert world.wan.cut_links == {}
    assert not any(used.holds.held(CutLink(*pair)) for pair in LINKS)


@given(
    chosen=st.lists(st.integers(0, len(CUTS) - 1), min_size=1, max_size=4),
    order=st.lists(st.integers(0, 11), max_size=12),
)
def test_links_are_cut_exactly_while_a_fault_holds_them(
    chosen: list[int], order: list[int]
) -> None:
    asyncio.run(follow(chosen, order))


@given(
    chosen=st.lists(st.integers(0, len(CUTS) - 1), min_size=2, max_size=5),
    healed=st.integers(0, 4),
)
def test_at_once_they_do_not_race(chosen: list[int], healed: int) -> None:
    async def play() -> None:
        world = World()
        used = context(world)
        faults = [build(*CUTS[index]) for index in chosen]
        await asyncio.gather(*(fault.inject(used) for fault in faults))
        gone = faults[: healed % len(faults)]
        await asyncio.gather(*(fault.heal(used) for fault in gone))
        wanted: set[tuple[str, str]] = set()
        for index in chosen[len(gone) :]:
            kind, target, parameters = CUTS[index]
            wanted |= cut_by(kind, target, parameters.get("direction", ""))
        assert set(world.wan.cut_links) == wanted

    asyncio.run(play())


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=40))
def test_holds_count_like_a_multiset(moves: list[tuple[int, bool]]) -> None:
    holds = Holds()
    counts = [0, 0, 0, 0]
    parts = [CutLink(str(number), "x") for number in range(4)]
    for number, take in moves:
        if take:
            holds.take([parts[number]])
            counts[number] += 1
        elif counts[number]:
            holds.drop([parts[number]])
            counts[number] -= 1
        assert [holds.held(part) for part in parts] == [count > 0 for count in counts]
        assert holds.only_mine(parts) == tuple(
            part for part, count in zip(parts, counts, strict=True) if count == 1
        )
