"""A suite: one experiment in several lanes at once, each a pytest process with its own world."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from experiments.options import Options
from testbed.topology.inventory import deployments, find

_STOP_LIMIT_S = 45.0


class SuiteError(Exception):
    """A suite could not be run; the message says what to do."""


@dataclass(frozen=True, slots=True)
class LaneResult:
    """How one lane ended.

    Args:
        lane: Its number, from 0.
        exit_code: Of its pytest, or of the testbed where the plugin set one.
        log: What it printed.
    """

    lane: int
    exit_code: int
    log: Path


class Suite:
    """Lanes of one experiment.

    Args:
        module: Import path of the experiment, for example ``experiments.failover``.
        options: Of the suite; ``lane`` is ignored.
        lanes: How many worlds work at once.
    """

    def __init__(self, module: str, options: Options, lanes: int) -> None:
        self._module = module
        self._options = options
        self._lanes = lanes
        self._deployment = ""
        if options.deployment is not None:
            shipped = options.deployment in deployments()
            self._deployment = options.deployment if shipped else str(find(options.deployment))
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def progress(self) -> Path:
        """The file that all lanes add their progress to."""
        return self._options.out / "progress.jsonl"

    def start(self) -> None:
        """Start every lane.

        Raises:
            SuiteError: The folder of the suite can't be made.
        """
        folder = self._options.out / "lanes"
        try:
            folder.mkdir(parents=True)
            # An empty configuration: a project that the user stands in must not leak in.
            (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
            self.progress.touch()
        except OSError as error:
            raise SuiteError(f"{folder} cannot be made: {error.strerror}") from error
        for lane in range(self._lanes):
            with self._log(lane).open("wb") as sink:
                self._running[lane] = subprocess.Popen(
                    self._command(lane, folder),
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    cwd=folder,
                    env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                    # Ctrl-C of the terminal reaches the suite alone, which tells its lanes.
                    start_new_session=True,
                )

    def _command(self, lane: int, folder: Path) -> list[str]:
        options = self._options
        command = [sys.executable, "-m", "pytest", "--pyargs", self._module, "-q"]
        command += ["-c", str(folder / "pytest.ini"), "-p", "no:cacheprovider", "--tb=short"]
        command += ["--out", str(options.out), "--lane", str(lane), "--suite", str(os.getpid())]
        command += ["--progress", str(self.progress), "--budget", str(options.budget_s)]
        command += ["--examples", str(options.examples)]
        # Lanes draw different schedules; lane 0 draws what a single lane would.
        command += ["--plan-seed", str(options.seed + lane * 1_000_003)]
        if options.deployment is not None:
            # A lane works in a folder of its own: a path must not depend on it.
            command += ["--deployment", self._deployment]
        for setting in options.settings:
            command += ["--set", setting]
        if options.fresh:
            command.append("--fresh")
        if options.plan is not None:
            command += ["--plan", str(options.plan)]
        return command

    def _log(self, lane: int) -> Path:
        return self._options.out / "lanes" / f"lane{lane}.log"

    def running(self) -> bool:
        """True while a lane works."""
        return any(process.poll() is None for process in self._running.values())

    def results(self) -> tuple[LaneResult, ...]:
        """How the lanes ended; those that still work are waited for."""
        return tuple(
            LaneResult(lane, process.wait(), self._log(lane))
            for lane, process in sorted(self._running.items())
        )

    def stop(self) -> None:
        """Interrupt the lanes that still work, and end those that do not listen.

        A lane's world is bound to it by a pipe: it ends with the lane, however that ends. So does a
        lane with the process of its suite.
        """
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + _STOP_LIMIT_S
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
