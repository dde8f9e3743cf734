"""``testbed`` as a user runs it, in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

LIMIT_S = 400.0


class Command:
    """``testbed`` with a state folder of its own, so that what it leaves behind can be seen."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "XDG_STATE_HOME": str(self.state), "CI": "true"}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "testbed.cli.main", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environment(),
        )

    def run(self, *words: str) -> tuple[int, str]:
        process = self.start(*words)
        try:
            output, _ = process.communicate(timeout=LIMIT_S)
        except BaseException:
            # The time is over, or the test run was interrupted: a suite ends its worlds itself.
            process.send_signal(signal.SIGINT)
            print(process.communicate()[0])
            raise
        return process.returncode, output

    def replay(self, folder: Path, **plan: Any) -> tuple[int, str, Path]:
        """Run a plan in a suite below a folder; exit code, output and the folder of its last run.

        A plan that says when what is cheaper than one that is drawn: it lasts only as long as what
        is asserted takes.
        """
        path, out = folder / "plan.json", folder / "suite"
        path.write_text(json.dumps({"version": 1, "seed": 1, **plan}))
        code, output = self.run("replay", str(path), "--out", str(out))
        runs = sorted((out / "runs").glob("*"))
        assert runs, output
        return code, output, runs[-1]

    def left_behind(self) -> list[str]:
        """Command lines of processes whose environment names the state folder, and world files."""
        marker = str(self.state).encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal() or int(entry.name) == os.getpid():
                continue
            try:
                if marker in (entry / "environ").read_bytes():
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found + [str(path) for path in self.state.rglob("world.json")]


def verdicts(run: Path) -> dict[str, dict[str, Any]]:
    document = json.loads((run / "verdict.json").read_text())
    return {verdict["name"]: verdict for verdict in document["verdicts"]}
