"""The run folder: what executing a plan leaves behind, and who writes which file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson

from faults.protocol import Evidence
from testbed.history.appender import Appender
from testbed.history.whole_file import write_whole
from testbed.probes.protocol import Claim

T = TypeVar("T")


class FolderError(Exception):
    """A run folder is missing, incomplete or can't be written; the message says what to do."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The paths of one run."""

    path: Path

    @property
    def plan(self) -> Path:
        """The plan, written before anything runs."""
        return self.path / "plan.json"

    @property
    def deployment(self) -> Path:
        """Topology and every variable, as they were."""
        return self.path / "deployment.json"

    @property
    def history(self) -> Path:
        """Operations and faults, a line each, as they happened."""
        return self.path / "history.jsonl"

    @property
    def evidence(self) -> Path:
        """What each fault was shown to do."""
        return self.path / "evidence.jsonl"

    @property
    def roles(self) -> Path:
        """Who claimed to be primary, when."""
        return self.path / "roles.jsonl"

    @property
    def metrics(self) -> Path:
        """Link readings and CPU pressure."""
        return self.path / "metrics"

    @property
    def logs(self) -> Path:
        """What the programs of each node logged during the run."""
        return self.path / "logs"

    @property
    def ending(self) -> Path:
        """How the run ended: finished, or what stopped it."""
        return self.path / "ending.json"

    @property
    def verdict(self) -> Path:
        """What the run was judged to be."""
        return self.path / "verdict.json"

    @property
    def report(self) -> Path:
        """The report for people."""
        return self.path / "report.html"


def write_json(path: Path, document: Any) -> None:
    """Write a file whole or not at all.

    Raises:
        FolderError: The file can't be written.
    """
    try:
        write_whole(path, json.dumps(document, indent=2) + "\n")
    except OSError as error:
        raise FolderError(f"{path} cannot be written: {error.strerror}") from error


def read_json(path: Path) -> Any:
    """Read a file of a run folder.

    Raises:
        FolderError: It is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        problem = f"{path.parent} has no {path.name}: the run is incomplete or not a run folder"
        raise FolderError(problem) from error
    except (OSError, ValueError, RecursionError) as error:
        raise FolderError(f"{path} cannot be read: {error}") from error


def read_lines(path: Path, take: Callable[[dict[str, Any]], T]) -> Iterator[T]:
    """What is made of each JSON object of a file of lines; nothing where there is no file.

    What follows the last end of a line is of a run that was killed: it is missed by nobody.

    Args:
        path: The file.
        take: Makes something of an object; a ValueError, KeyError or TypeError of it is damage.

    Raises:
        FolderError: The file cannot be read, or a line is damaged.
    """
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return
    except OSError as error:
        raise FolderError(f"{path} cannot be read: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        try:
            taken = take(_object(line))
        except KeyError as error:
            raise FolderError(f"{path}:{number}: damaged: no {error}") from error
        except (ValueError, TypeError, RecursionError) as error:
            raise FolderError(f"{path}:{number}: damaged: {error}") from error
        yield taken


def _object(line: bytes) -> dict[str, Any]:
    document = orjson.loads(line)
    if not isinstance(document, dict):
        raise TypeError("no JSON object")
    return document


class EvidenceLog(Appender):
    """``evidence.jsonl``."""

    def show(self, step: int, evidence: Evidence) -> None:
        """Append what step number ``step`` of the schedule was shown to do."""
        self.append({"step": step, **asdict(evidence)})


class RolesLog(Appender):
    """``roles.jsonl``: a line whenever a node changes what it claims."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._last: dict[str, Claim] = {}

    def observe(self, time: int, claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
        """Append the claims that differ from the node's last one, and return those."""
        changed = tuple(claim for claim in claims if self._last.get(claim.node) != claim)
        for claim in changed:
            self._last[claim.node] = claim
            self.append({"time": time, **asdict(claim)})
        return changed
