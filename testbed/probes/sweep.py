"""One search of every file of every node, at a moment at which nothing moves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from testbed.history.residency import Found, Unsearchable
from testbed.probes.at_rest import search_at_rest
from testbed.probes.node_files import folders_of
from testbed.probes.patterns import Pattern
from testbed.probes.servers import flush
from testbed.probes.stillness import standing_still
from testbed.world.namespace_world import NamespaceWorld


async def sweep(world: NamespaceWorld, patterns: Sequence[Pattern], *, time_ns: int) -> Found:
    """Have all memory written to disk, stop all nodes, search them, let them go on.

    Args:
        world: A running world, in which no client writes any more.
        patterns: What to look for.
        time_ns: When, since the run began.

    Raises:
        WorldError: A node has ended, or does not stop.
        ValueError: There is no pattern.
    """
    unflushed = await flush(world.topology.members("postgres"))
    async with standing_still(world):
        found = await asyncio.to_thread(
            search_at_rest, folders_of(world), patterns, time_ns=time_ns
        )
    return _with(found, unflushed)


def _with(found: Found, unflushed: Sequence[Unsearchable]) -> Found:
    """Servers whose memory was not written are places that could not be searched."""
    searched = tuple(
        replace(
            one,
            unsearchable=(
                *one.unsearchable,
                *(hidden for hidden in unflushed if hidden.where.startswith(f"{one.place}:")),
            ),
        )
        for one in found.searched
    )
    return Found(found.findings, searched)
