"""Asks an executable for its version by running it, and remembers the answer."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from testbed.toolchain.versions import Requirement, Version, parse

_TIMEOUT_S = 30.0


class ProbeError(Exception):
    """An executable does not say its version; the message is half a sentence."""


class Probe:
    """Versions by executable. An answer holds for as long as the file is unchanged.

    Args:
        memory: A file that keeps the answers; starting Patroni to ask it takes a second.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory

    def version(self, requirement: Requirement, path: Path) -> Version:
        """The version of an executable.

        Args:
            requirement: How to ask, and where a Go program's build information is.
            path: The executable.

        Raises:
            ProbeError: It cannot be run or prints no version.
        """
        try:
            stat = path.stat()
        except OSError as error:
            raise ProbeError(f"cannot be read ({error.strerror})") from error
        key, mark = f"{requirement.name} {path}", [stat.st_mtime_ns, stat.st_size, stat.st_ino]
        known = self._recall()
        remembered = known.get(key)
        if isinstance(remembered, list) and remembered[:3] == mark:
            return tuple(remembered[3])
        version = ask(requirement, path)
        self._remember({**known, key: [*mark, list(version)]})
        return version

    def _recall(self) -> Mapping[str, object]:
        try:
            known = json.loads(self._memory.read_bytes())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _remember(self, known: Mapping[str, object]) -> None:
        """Write the answers by rename; a cache that cannot be written only costs time."""
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._memory.parent, prefix=".versions-")
        except OSError:
            return
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(known, file, indent=1)
            Path(name).replace(self._memory)
        except OSError:
            Path(name).unlink(missing_ok=True)


def ask(requirement: Requirement, path: Path) -> Version:
    """Run an executable to learn its version.

    Raises:
        ProbeError: It cannot be run, fails, or prints no version.
    """
    try:
        done = subprocess.run(
            [str(path), *requirement.arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ProbeError(f"did not print its version in {_TIMEOUT_S:.0f} s") from error
    except OSError as error:
        raise ProbeError(f"cannot be run ({error.strerror})") from error
    printed = (done.stdout + done.stderr).strip()
    if done.returncode != 0:
        last = printed.splitlines()[-1:] or ["nothing was printed"]
        raise ProbeError(f"failed when asked for its version: {last[0]}")
    version = parse(printed) or _build_information(requirement, path)
    if version is None:
        raise ProbeError(f"printed no version but '{printed[:80]}'")
    return version


def _build_information(requirement: Requirement, path: Path) -> Version | None:
    """The version of its main module that Go writes into an executable.

    Toxiproxy calls itself ``git`` when it was built by a plain ``go install``.
    """
    if requirement.recipe is None:
        return None
    mark = rb"\nmod\t" + re.escape(requirement.recipe.module.encode()) + rb"\tv([0-9.]+)"
    found = re.search(mark, path.read_bytes())
    return parse(found.group(1).decode()) if found else None
