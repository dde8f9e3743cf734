"""The tap on the wan: started before the first byte that matters, stopped after the last."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from testbed.world.attached import leashed
from testbed.world.namespace_world import WAN, NamespaceWorld
from testbed.world.protocol import WorldError

_READY_S = 15.0
_END_S = 20.0


class Tap:
    """A running tap; made by :meth:`start`.

    Args:
        process: The program that records.
        folder: What it writes: ``REGION.blocks``, and ``counts.json`` once it has ended well.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process = process
        self.folder = folder

    @classmethod
    def start(cls, world: NamespaceWorld, folder: Path) -> Tap:
        """Record everything that crosses between regions from now on.

        It ends with the thread that started it, however that ends.

        Args:
            world: A running world.
            folder: An empty or absent folder outside the world. Takes as much room as what
                crosses; keep it on a disk that is faster than the wan.

        Raises:
            WorldError: The kernel refused, or the folder cannot be used.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            errors = (folder / "tap.log").open("wb")
        except OSError as error:
            raise WorldError(f"the tap cannot write to {folder}: {error.strerror}") from error
        (folder / "counts.json").unlink(missing_ok=True)
        regions = [
            f"{region.name}=region{region.number}={region.network}"
            for region in world.topology.regions
        ]
        program = str(Path(__file__).with_name("tap_program.py"))
        command = [sys.executable, "-I", "-S", program, str(folder.absolute()), *regions]
        with errors:
            process = subprocess.Popen(
                world.network_argv(WAN, leashed(command)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        tap = cls(process, folder)
        if not tap._ready():
            tap._kill()
            raise WorldError(
                f"the tap on the wan of world {world.name!r} did not start: "
                f"{_last_line(folder / 'tap.log')}"
            )
        return tap

    def stop(self) -> None:
        """End the recording and wait until all of it is written. Idempotent.

        Raises:
            WorldError: The tap had ended before, or did not end well: what it recorded is not
                complete, and a search of it says so.
        """
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._kill()
        if self._process.stdout is not None:
            self._process.stdout.close()
        if not (self.folder / "counts.json").exists():
            raise WorldError(
                f"the tap on the wan ended early: {_last_line(self.folder / 'tap.log')}"
            )

    def _ready(self) -> bool:
        assert self._process.stdout is not None
        waiting, _, _ = select.select([self._process.stdout], [], [], _READY_S)
        return bool(waiting) and os.read(self._process.stdout.fileno(), 6) == b"ready\n"

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else f"it said nothing, see {log}"
