"""How operators put a policy in force: a file on every server, and the playbook on each primary.

The file is what each server's keeper reads, which is how a policy comes to a server; the playbook's
own command is run on each primary. Servers that are behind have the new file and the old
publication.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from faults.deadline import look_until
from faults.jurisdiction import servers_of
from faults.maintenance_site import Site, run
from faults.protocol import FaultError
from testbed.clients.postgres import CONNECT_ERRORS
from testbed.probes.servers import primaries
from testbed.topology.model import Node
from testbed.topology.placement_plan import cluster_of
from testbed.world.protocol import WorldError

DATABASE = "testbed"
_SETTINGS = "/srv/placement/placement.json"
_BEFORE = f"{_SETTINGS}.before"
_PLAYED_S = 100.0
"""Longer than a play waits by itself, for another jurisdiction to publish and then to stream."""
_RESTORED_S = 90.0
"""How long it may take: a primary may be lost, and another be there after its lease."""


async def rewrite(site: Site, node: Node, program: str, *words: str) -> None:
    """Change the file of one server; what it was before is kept.

    Args:
        site: Where the work is done.
        node: The server.
        program: Python that changes ``kept``, the file as it was before any change; has ``json``
            and ``sys``, and no single quote.
        words: Its arguments, without a single quote.
    """
    whole = f'import json, sys\nkept = json.load(open("{_BEFORE}"))\n{program}'
    said = " ".join(f"'{word}'" for word in words)
    await run(site, node, f"""
        [ -e {_BEFORE} ] || cp {_SETTINGS} {_BEFORE}
        {sys.executable} -c '{whole}
print(json.dumps(kept))' {said} > {_SETTINGS}.new
        mv {_SETTINGS}.new {_SETTINGS}
    """)  # fmt: skip


async def unedited(site: Site, limit_s: float) -> None:
    """Wait until no server has a file that was changed.

    Raises:
        FaultError: One still had when time was up.
    """
    servers = site.topology.members("postgres")
    script = f"[ ! -e {_BEFORE} ] || echo {_BEFORE}"

    async def edited() -> list[str]:
        return [node.name for node in servers if await run(site, node, script)]

    if late := await look_until(edited, lambda found: not found, limit_s=limit_s, every_s=1.0):
        raise FaultError(
            f"another version of the policy was still in force on {', '.join(late)} after"
            f" {limit_s:.0f} s: begin the next one later"
        )


async def restore(site: Site, after: Callable[[Node], Awaitable[None]]) -> None:
    """Put in force what was so before; idempotent.

    A primary that is lost meanwhile is no excuse: the one that takes over is played.

    Args:
        site: Where the work was done.
        after: Done on each primary once it publishes as before.

    Raises:
        FaultError: It did not come about in time.
    """
    servers = site.topology.members("postgres")
    script = f"""
        [ -e {_BEFORE} ] || exit 0
        cp -v {_BEFORE} {_SETTINGS}.new
        mv {_SETTINGS}.new {_SETTINGS}
    """
    if not any([await run(site, node, script) for node in servers]):
        return
    problem = await look_until(
        lambda: _played(site, after), lambda said: not said, limit_s=_RESTORED_S, every_s=1.0
    )
    if problem:
        raise FaultError(f"the policy was not put back within {_RESTORED_S:.0f} s: {problem}")
    for node in servers:
        await run(site, node, f"rm -f {_BEFORE}")


async def _played(site: Site, after: Callable[[Node], Awaitable[None]]) -> str:
    """Play the policy on the servers that are primaries now; why not."""
    try:
        taking = await taking_writes(site)
        clusters = {cluster_of(site.topology, n) for n in site.topology.members("postgres")}
        if lacking := clusters - {cluster_of(site.topology, node) for node in taking}:
            return f"no server of {', '.join(sorted(lacking))} takes writes"
        await play(site, taking)
        for primary in taking:
            await after(primary)
    except (*CONNECT_ERRORS, WorldError, FaultError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


async def play(site: Site, servers: tuple[Node, ...]) -> None:
    """What the playbook does on each primary, on all at once.

    Raises:
        FaultError: It failed; says what it said.
    """
    script = f"""
        cd /srv/placement
        said=$(PYTHONPATH=. {sys.executable} -P placement_apply.py {_SETTINGS}) ||
            {{ echo "$said" >&2; exit 1; }}
    """
    await asyncio.gather(*(run(site, node, script, _PLAYED_S) for node in servers))


async def taking_writes(site: Site) -> tuple[Node, ...]:
    """The primaries of all clusters."""
    return await primaries(site.topology.members("postgres"))


def own_servers(site: Site) -> tuple[Node, ...]:
    """The jurisdiction's servers that keep the policy."""
    return tuple(
        node for node in servers_of(site.topology, site.jurisdiction) if "placement" in node.groups
    )
