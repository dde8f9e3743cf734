"""What a deployment does with personal data besides replicating it: backups, and a mutant's deeds.

The keepers of a placement deployment tell it. A search that is made before the first backup was
finished, or before a mutant was at work, would find nothing there, and show nothing by it: so the
inspection asks for backups, waits for both, with a deadline, and records what was done when.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.history.residency_record import ARCHIVE, PUBLISHED, SEEDED, Deed
from testbed.probes.json_source import JsonSource
from testbed.topology.model import Deployment, Node

KEEPER_PORT = 7412
LIMIT_S = 30.0
UNKNOWN = "?"
"""What a store keeps that does not answer: nothing that is found shows it."""
AT_WORK = frozenset({"central_statement_log", "cache_abroad", "consul_value", "stray_replica"})
"""Mutants that do something of their own from time to time; the others are how a thing is set."""

_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Told:
    """What all keepers tell at one moment.

    Args:
        stores: Each store with each jurisdiction that it backs up, and each thing that it keeps.
        deeds: What was done so far.
    """

    stores: tuple[tuple[str, str, str], ...] = ()
    deeds: tuple[Deed, ...] = ()


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
        # Nodes and the run have the same machine, and so the same wall clock.
        self._began_unix_s = time.time() - (time.monotonic_ns() - base_ns) / 1e9
        self._source = JsonSource()

    async def at_work(self, written_ns: int, ended_ns: int) -> Told:
        """What was done in the run, once everything that is awaited was done or time is up.

        Args:
            written_ns: When the first canary was written: a mutant must have been at work since.
            ended_ns: When the last one was: every backup must have been made since.
        """
        await self._ask()
        told = await self._until(lambda told: not lacking(told, self._mutant, written_ns, ended_ns))
        return Told(told.stores, tuple(one for one in told.deeds if one.time_ns >= written_ns))

    async def replaced(self, since_ns: int, kept: int) -> tuple[tuple[str, str], ...]:
        """Have so many backups made that none is kept that is older than a moment.

        Args:
            since_ns: The moment.
            kept: How many of each kind a store keeps.

        Returns:
            What was still kept of older ones when time was up: each store and the kind.
        """
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        late: tuple[tuple[str, str], ...] = ()
        for count in range(1, kept + 1):
            await self._ask()

            def enough(told: Told, count: int = count) -> bool:
                return not unreplaced(told, since_ns, count)

            told = await self._until(enough, deadline)
            late = unreplaced(told, since_ns, kept)
        return late

    async def _ask(self) -> None:
        """Have every store make its backups now; one that does not answer makes them later."""
        stores = [node for node in self._nodes if "stores" in node.groups]
        await asyncio.gather(*(self._source.post(_url(node)) for node in stores))

    async def close(self) -> None:
        """Close its connections."""
        await self._source.close()

    async def _until(self, enough: Callable[[Told], bool], deadline: float | None = None) -> Told:
        """What the keepers tell, once it is enough or time is up."""
        deadline = deadline or asyncio.get_running_loop().time() + LIMIT_S
        while True:
            told = await self._told()
            if enough(told) or asyncio.get_running_loop().time() > deadline:
                return told
            await asyncio.sleep(_POLL_S)

    async def _told(self) -> Told:
        documents = await asyncio.gather(*(self._source.get(_url(node)) for node in self._nodes))
        answers = [
            (node, document or {}) for node, document in zip(self._nodes, documents, strict=True)
        ]
        return Told(
            tuple((node.name, *one) for node, answer in answers for one in _stores(node, answer)),
            tuple(deed for node, answer in answers for deed in self._of(node.name, answer)),
        )

    def _of(self, node: str, document: Mapping[str, Any]) -> Iterable[Deed]:
        for one in document.get("backups", ()):
            began_ns = self._since(one["began_unix_s"])
            yield Deed(node, str(one["kind"]), str(one["of"]), began_ns, str(one["file"]))
        for one in document.get("seeded", ()):
            began_ns = self._since(one["began_unix_s"])
            detail = f"{one['name']}: {one['why']}; {one['rows']} rows were read"
            yield Deed(node, SEEDED, "", began_ns, detail)
        for one in document.get("published", ()):
            at_ns = self._since(one["at_unix_s"])
            yield Deed(node, PUBLISHED, "", at_ns, str(one["publication"]))
        for deed in document.get("deeds", ()):
            yield Deed(node, "deed", "", self._since(deed["at_unix_s"]), str(deed["what"]))

    def _since(self, at_unix_s: float) -> int:
        return int((float(at_unix_s) - self._began_unix_s) * 1e9)


def _url(node: Node) -> str:
    return f"http://{node.address}:{KEEPER_PORT}/"


def _stores(node: Node, document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What a store keeps of which jurisdiction; of one that does not answer it is not known."""
    if "stores" not in node.groups:
        return ()
    backs_up = document.get("backs_up", {UNKNOWN: (UNKNOWN,)})
    return tuple((of, kind) for of, kinds in backs_up.items() for kind in kinds)


def lacking(told: Told, mutant: str, written_ns: int, ended_ns: int) -> tuple[str, ...]:
    """What was not yet done that a search must wait for, a few words each.

    Args:
        told: What the keepers tell.
        mutant: The deployment's ``placement_mutant``.
        written_ns: When the first canary was written.
        ended_ns: When the last one was.
    """
    fresh = _made(told, ended_ns)
    found = [
        f"a {kind} of {of} on {node}"
        for node, of, kind in told.stores
        if kind != ARCHIVE and not fresh[node, of, kind]
    ]
    at_work = any(deed.what == "deed" and deed.time_ns > written_ns for deed in told.deeds)
    if mutant in AT_WORK and not at_work:
        found.append(f"the work of the mutant {mutant}")
    return tuple(found)


def unreplaced(told: Told, since_ns: int, kept: int) -> tuple[tuple[str, str], ...]:
    """The stores that may still keep a backup from before a moment, each with the kind.

    Args:
        told: What the keepers tell.
        since_ns: The moment; a backup that began later does not have what was there before.
        kept: How many of each kind a store keeps.
    """
    fresh = _made(told, since_ns)
    return tuple(
        dict.fromkeys(
            (node, kind)
            for node, of, kind in told.stores
            # The archive begins with the oldest base backup.
            if kind != ARCHIVE and fresh[node, of, kind] < kept
        )
    )


def _made(told: Told, since_ns: int) -> Counter[tuple[str, str, str]]:
    """How many backups of each kind each store began since a moment."""
    return Counter(
        (deed.node, deed.of, deed.what) for deed in told.deeds if deed.time_ns > since_ns
    )
