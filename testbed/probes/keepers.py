"""What a deployment does with personal data besides replicating it: dumps, and a mutant's deeds.

The keepers of a placement deployment tell it. A search that is made before the first dump was
finished, or before a mutant was at work, would find nothing there, and show nothing by it: so the
inspection waits for both, with a deadline, and records what was done when.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from testbed.history.residency_record import Deed
from testbed.probes.json_source import JsonSource
from testbed.topology.model import Deployment

KEEPER_PORT = 7412
LIMIT_S = 30.0
DUMPS_KEPT = 2
"""So many dumps of a jurisdiction a store keeps."""
AT_WORK = frozenset({"central_statement_log", "cache_abroad", "consul_value", "stray_replica"})
"""Mutants that do something of their own from time to time; the others are how a thing is set."""

_POLL_S = 0.25


class Keepers:
    """The keepers of a deployment.

    Args:
        deployment: It has a placement policy.
        base_ns: The monotonic time at which the run's clock is 0.
    """

    def __init__(self, deployment: Deployment, base_ns: int) -> None:
        topology = deployment.topology
        self._nodes = tuple(
            node for node in topology.nodes if node.groups & {"placement", "stores"}
        )
        self._mutant = str(deployment.variables.get("placement_mutant", "none"))
        self.dumped = dumped(deployment)
        # Nodes and the run have the same machine, and so the same wall clock.
        self._began_unix_s = time.time() - (time.monotonic_ns() - base_ns) / 1e9
        self._source = JsonSource()

    async def deeds(self, written_ns: int, ended_ns: int) -> tuple[Deed, ...]:
        """What was done in the run, once everything that is awaited was done or time is up.

        Args:
            written_ns: When the first canary was written: a mutant must have been at work since.
            ended_ns: When the last one was: every jurisdiction must have been dumped since.
        """
        found = await self._until(
            lambda deeds: not lacking(deeds, self.dumped, self._mutant, written_ns, ended_ns)
        )
        return tuple(deed for deed in found if deed.time_ns >= written_ns)

    async def replaced(self, since_ns: int) -> tuple[str, ...]:
        """Wait until no dump is kept that is older than a moment.

        Returns:
            The jurisdictions of which older ones were still kept when time was up.
        """
        found = await self._until(lambda deeds: not unreplaced(deeds, self.dumped, since_ns))
        return unreplaced(found, self.dumped, since_ns)

    async def close(self) -> None:
        """Close its connections."""
        await self._source.close()

    async def _until(self, enough: Callable[[tuple[Deed, ...]], bool]) -> tuple[Deed, ...]:
        """What the keepers tell, once it is enough or time is up."""
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while True:
            found = await self._told()
            if enough(found) or asyncio.get_running_loop().time() > deadline:
                return found
            await asyncio.sleep(_POLL_S)

    async def _told(self) -> tuple[Deed, ...]:
        documents = await asyncio.gather(
            *(self._source.get(f"http://{node.address}:{KEEPER_PORT}/") for node in self._nodes)
        )
        return tuple(
            deed
            for node, document in zip(self._nodes, documents, strict=True)
            for deed in self._of(node.name, document or {})
        )

    def _of(self, node: str, document: Mapping[str, Any]) -> Iterable[Deed]:
        for dump in document.get("dumps", ()):
            yield Deed(
                node, "dump", str(dump["of"]), self._since(dump["began_unix_s"]), dump["file"]
            )
        for deed in document.get("deeds", ()):
            yield Deed(node, "deed", "", self._since(deed["at_unix_s"]), str(deed["what"]))

    def _since(self, at_unix_s: float) -> int:
        return int((float(at_unix_s) - self._began_unix_s) * 1e9)


def dumped(deployment: Deployment) -> tuple[str, ...]:
    """The jurisdictions whose data is dumped at all."""
    policy = deployment.policy
    if policy is None or not deployment.topology.members("stores"):
        return ()
    return tuple(name for name, one in policy.jurisdictions.items() if one.backups)


def lacking(
    deeds: Iterable[Deed],
    wanted: Iterable[str],
    mutant: str,
    written_ns: int,
    ended_ns: int,
) -> tuple[str, ...]:
    """What was not yet done that a search must wait for, a few words each.

    Args:
        deeds: What was done so far.
        wanted: The jurisdictions that are dumped at all.
        mutant: The deployment's ``placement_mutant``.
        written_ns: When the first canary was written.
        ended_ns: When the last one was.
    """
    known = tuple(deeds)
    fresh = {deed.of for deed in known if deed.what == "dump" and deed.time_ns > ended_ns}
    found = [f"a dump of {name}" for name in sorted(set(wanted) - fresh)]
    if mutant in AT_WORK and not any(
        deed.what == "deed" and deed.time_ns > written_ns for deed in known
    ):
        found.append(f"the work of the mutant {mutant}")
    return tuple(found)


def unreplaced(deeds: Iterable[Deed], wanted: Iterable[str], since_ns: int) -> tuple[str, ...]:
    """The jurisdictions of which a store may still keep a dump from before a moment.

    Args:
        deeds: What was done so far.
        wanted: The jurisdictions that are dumped at all.
        since_ns: The moment; a dump that began later does not have what was there before.
    """
    fresh = Counter(deed.of for deed in deeds if deed.what == "dump" and deed.time_ns > since_ns)
    return tuple(name for name in wanted if fresh[name] < DUMPS_KEPT)
