"""The right to erasure: one subject's data is erased, and then looked for everywhere.

It comes after the search for residency, when clients have ended. ``erasure.json`` in the run folder
says what was found of the subject before and after, and is judged with no cluster. Server logs are
not erased: a subject is chosen of whom no statement failed. New backups are asked for until those
from before have been replaced, where the deployment keeps a bounded number of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from testbed.history.erasure_record import ERASURE_FILE, ErasureRecord, write_erasure
from testbed.history.journal import read
from testbed.history.residency import Erasure, Found
from testbed.history.residency_record import BASE, DUMP, FILE, RecordError, read_record
from testbed.probes.erasing import Erasing
from testbed.probes.inspection import Scene
from testbed.probes.keepers import UNKNOWN, Keepers
from testbed.probes.patterns import patterns_of
from testbed.probes.placement_policy import policy_of
from testbed.probes.subjects import Subject, subject_of
from testbed.probes.sweep import sweep
from testbed.world.protocol import WorldError

NAME = "erasure"
DELETE, COMPLETE = "delete", "complete"
VARIABLE = "erasure_method"
KEPT = "store_backups_kept"
INTERVALS = MappingProxyType({DUMP: "store_dump_interval_s", BASE: "store_base_backup_interval_s"})
"""The variables that say how many backups of a kind are kept, and how often one is made."""
FOLDERS = MappingProxyType(
    {DUMP: ("/srv/backup/dumps",), BASE: ("/srv/backup/base", "/srv/backup/wal")}
)
"""Where stores keep them; the archived log is kept for as long as a base backup needs it."""


class ErasureInspection:
    """Erases one subject at the end of a run, and searches for it.

    Args:
        scene: The run; its deployment has a placement policy.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._seconds: dict[str, float] = {}

    async def begin(self) -> None:
        """Nothing needs to be watched.

        Raises:
            WorldError: The deployment has no policy.
        """
        policy_of(self._scene.deployment)

    async def end(self) -> None:
        """Erase, search, and record both; nothing where of nobody all writes were acknowledged.

        Raises:
            WorldError: The world has ended, or the record cannot be written.
        """
        scene = self._scene
        policy = policy_of(scene.deployment)
        method = str(scene.deployment.variables.get(VARIABLE, COMPLETE))
        history = await asyncio.to_thread(read, scene.history)
        personal = {name: table.key for name, table in policy.tables.items() if table.personal}
        earlier = await self._earlier()
        seen = None if earlier is None else {one.canary for one in earlier.findings}
        subject = subject_of(history, personal, policy.residency, policy.free, seen)
        if subject is None:
            # Without a record the run is inconclusive.
            return
        patterns = patterns_of(subject.canaries)
        with self._timed("before"):
            before = (
                await sweep(scene.world, patterns, time_ns=scene.now())
                if earlier is None
                else _of(subject, earlier)
            )
        erasing = Erasing(scene.deployment.topology, subject.rows, tuple(personal), scene.space)
        problem = ""
        with self._timed("erasing"):
            await erasing.delete()
            if method == COMPLETE:
                try:
                    await erasing.rewrite()
                except WorldError as error:
                    # What is left is found, and said, by the search.
                    problem = str(error)
        done_ns = scene.now()
        with self._timed("backups"):
            kept = await self._kept(done_ns) if method == COMPLETE else {}
        with self._timed("after"):
            after = await sweep(scene.world, patterns, time_ns=scene.now())
        record = ErasureRecord(
            erasure=Erasure(subject.name, done_ns, kept),
            method=method,
            canaries=tuple(subject.canaries),
            before=before,
            after=after,
            nodes=tuple(node.name for node in scene.deployment.topology.nodes),
            problem=problem,
            seconds=self._seconds,
        )
        await asyncio.to_thread(_keep, record, scene.folder / ERASURE_FILE)

    async def close(self) -> None:
        """Nothing runs."""

    async def _kept(self, done_ns: int) -> Mapping[str, str]:
        """Where the subject is known to remain: backups from before, if they are still kept."""
        variables = self._scene.deployment.variables
        kept = int(variables[KEPT])
        keepers = Keepers(self._scene.deployment, self._scene.base_ns)
        try:
            late = await keepers.replaced(done_ns, kept)
        finally:
            await keepers.close()
        return remains(late, kept, {kind: variables[INTERVALS[kind]] for kind in INTERVALS})

    async def _earlier(self) -> Found | None:
        """What the run's search has found; None where it has none."""
        try:
            record = await asyncio.to_thread(read_record, self._scene.folder / FILE)
        except RecordError:
            return None
        return record.found

    @contextlib.contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._seconds[name] = round(time.monotonic() - began, 3)


def _of(subject: Subject, found: Found) -> Found:
    """What was found of a subject."""
    tokens = {canary.token for canary in subject.canaries}
    findings = tuple(one for one in found.findings if one.canary in tokens)
    return Found(findings, found.searched)


def remains(
    late: Iterable[tuple[str, str]], kept: int, intervals_s: Mapping[str, float]
) -> dict[str, str]:
    """Which folders of stores still have backups from before, each with until when.

    Args:
        late: Each store that has, and the kind of the backups; one that does not answer may have
            any.
        kept: How many of each kind a store keeps.
        intervals_s: By kind, the pause between two backups.
    """
    found: dict[str, list[str]] = {}
    for node, kind in late:
        for one, folders in FOLDERS.items():
            if kind in (one, UNKNOWN):
                end = f"{node} has {kept} newer ones, of which it makes one in {intervals_s[one]} s"
                for folder in folders:
                    found.setdefault(folder, []).append(end)
    return {folder: " and ".join(ends) for folder, ends in found.items()}


def _keep(record: ErasureRecord, path: Path) -> None:
    try:
        write_erasure(record, path)
    except OSError as error:
        raise WorldError(f"{path} cannot be written: {error.strerror}") from error


__all__ = ["COMPLETE", "DELETE", "ErasureInspection"]
