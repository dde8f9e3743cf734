"""Runs that came to their end, as judges get them, for the tests of experiments."""

from __future__ import annotations

from pathlib import Path

from testbed.history.history import History
from testbed.runner.ending import Ending
from testbed.runner.folder import RunFolder
from testbed.runner.plan import Plan
from testbed.runner.recorded import RecordedRun
from testbed.topology.model import Deployment


def finished(
    plan: Plan, deployment: Deployment, history: History, folder: Path = Path("run")
) -> RecordedRun:
    """A run that nothing interrupted, on a machine that nobody watched."""
    return RecordedRun(
        folder=RunFolder(folder),
        plan=plan,
        deployment=deployment,
        history=history,
        evidence=(),
        ending=Ending("finished", ""),
        pressure=None,
        programs={},
    )
