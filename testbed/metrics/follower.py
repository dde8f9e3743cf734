"""Follows one run folder: whatever is new in its files goes to the board."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from testbed.history.operation import FAULTS_PROCESS
from testbed.metrics import catalogue as metrics
from testbed.metrics.board import Board
from testbed.metrics.judged import forget, show
from testbed.metrics.observed import Observed
from testbed.metrics.operations import Operations
from testbed.metrics.tail import Tail
from testbed.report.kinds import kinds_of
from testbed.runner.folder import FolderError, RunFolder, read_json
from testbed.topology.document import DocumentError, from_document


class Follower:
    """One run, from before it begins until it is judged.

    Args:
        board: Where the values go.
        folder: The run's folder; it may not be there yet.
    """

    def __init__(self, board: Board, folder: RunFolder) -> None:
        self._board = board
        self._folder = folder
        self._world = ""
        self._operations: Operations | None = None
        self._observed: Observed | None = None
        self._tails: list[tuple[Tail, Callable[[Mapping[str, Any]], None]]] = []
        self._now_ns = 0
        self._ended = False
        self.done = False

    def refresh(self) -> None:
        """Take everything into account that is new in the folder."""
        if not self._world and not self._begin():
            return
        # Looked for first: what a run leaves behind at its end is then read whole below.
        ended = self._folder.ending.exists()
        if not self._ended:
            for tail, take in self._tails:
                for document in tail.documents():
                    # What is damaged is left out, as a line that is none: judging is not done here.
                    with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
                        self._now_ns = max(self._now_ns, int(document.get("time", 0)))
                        take(document)
            self._look()
        if ended and not self._ended:
            self._ended = True
        if self._ended and not self.done and self._folder.verdict.exists():
            self.done = True
            show(self._board, self._world, read_json(self._folder.verdict))

    def retire(self) -> None:
        """Take back what nobody knows any more after the run."""
        for metric in metrics.LIVE:
            self._board.forget(metric, self._world)

    def close(self) -> None:
        """Nothing is kept open."""

    def _begin(self) -> bool:
        """Read what the run is; False while it is not prepared."""
        try:
            setup, plan = read_json(self._folder.deployment), read_json(self._folder.plan)
            deployment = from_document(setup["deployment"])
            workload = str(plan["load"]["workload"])
        except (FolderError, DocumentError, KeyError, TypeError, ValueError):
            return False
        self._world = str(setup["world"])
        for metric in (metrics.RUN, metrics.FAULT, metrics.EVIDENCE):
            self._board.forget(metric, self._world)
        forget(self._board, self._world)
        about = (self._folder.path.name, str(plan.get("experiment", "")), workload)
        self._board.set(metrics.RUN, self._world, *about, value=1)
        region_of = {node.name: node.region for node in deployment.topology.nodes}
        self._operations = Operations(self._board, self._world, kinds_of(workload), region_of)
        observed = Observed(self._board, self._world, deployment.name, deployment.topology)
        self._observed = observed
        self._tails = [
            (Tail(self._folder.roles), observed.role),
            (Tail(self._folder.metrics / "links.jsonl"), observed.link),
            (Tail(self._folder.metrics / "streams.jsonl"), observed.stream),
            (Tail(self._folder.history), self._journalled),
        ]
        return True

    def _journalled(self, line: Mapping[str, Any]) -> None:
        assert self._operations is not None
        if line.get("process") == FAULTS_PROCESS:
            self._fault(line)
        else:
            self._operations.take(line)

    def _fault(self, line: Mapping[str, Any]) -> None:
        assert self._operations is not None
        value = line["value"]
        phase, title = value["phase"], str(value["title"])
        place = (self._world, line["f"], title.removeprefix(f"{line['f']} "))
        if phase == "inject":
            self._board.set(metrics.FAULT, *place, value=1)
            self._operations.injected(title, int(line["time"]))
        elif phase == "healed":
            self._board.set(metrics.FAULT, *place, value=0)
        elif phase in ("effect", "absence"):
            self._board.set(metrics.EVIDENCE, *place, phase, value=bool(value["shown"]))

    def _look(self) -> None:
        assert self._operations is not None
        assert self._observed is not None
        self._operations.look(self._now_ns)
        self._observed.look(self._now_ns)
