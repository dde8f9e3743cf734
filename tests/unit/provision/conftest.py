"""The launcher on this machine: its folders moved below the test's own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from testbed.provision.launcher import process, verbs


@dataclass
class Launcher:
    """Asks the launcher; ends what it started."""

    folder: Path
    started: set[int] = field(default_factory=set)

    def spec(self, code: str = "import time; time.sleep(60)", **more: Any) -> dict[str, Any]:
        """A program made of Python code."""
        return {
            "name": "program",
            "argv": [sys.executable, "-I", "-S", "-u", "-c", code],
            "log": str(self.folder / "program.log"),
            "timeout_s": 5.0,
            "patience_s": 0.2,
            **more,
        }

    def ask(self, verb: str, **more: Any) -> dict[str, Any]:
        reply = verbs.reply_to({"verb": verb, **more})
        if isinstance(reply.get("pid"), int):
            self.started.add(reply["pid"])
        return reply

    def ensure(self, spec: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
        return self.ask("ensure", spec=spec, check=check)


@pytest.fixture
def launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launcher]:
    monkeypatch.setattr(process, "RUNNING", str(tmp_path / "run"))
    monkeypatch.setattr(verbs, "RUNNING", str(tmp_path / "run"))
    monkeypatch.setattr(verbs, "STORED", str(tmp_path / "stored"))
    made = Launcher(tmp_path)
    yield made
    for pid in made.started:
        if process.start_time(pid) is not None:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
