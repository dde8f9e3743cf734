"""Builds a program from the Go module that pins it."""

from __future__ import annotations

import errno
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from testbed.toolchain.cache import Entry, Manifest, ProgramCache, digest, explained
from testbed.toolchain.command import follow
from testbed.toolchain.diagnosis import cause, tail
from testbed.toolchain.error import ToolchainError
from testbed.toolchain.go import Go
from testbed.toolchain.modules import module_folder
from testbed.toolchain.probe import ProbeError, ask
from testbed.toolchain.progress import Progress, Task
from testbed.toolchain.versions import Recipe, Requirement, parse, show

_LITTLE_SPACE_MBYTES = 500


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds programs with one Go toolchain into one cache.

    Args:
        go: The toolchain.
        cache: Where the result goes.
        progress: Where to show how far it is.
        environ: The environment variables to start from.
    """

    go: Go
    cache: ProgramCache
    progress: Progress
    environ: Mapping[str, str]

    def build(self, wanted: Requirement, entry: Entry) -> None:
        """Build a program and put it in its place. Call it with the program's lock held.

        Raises:
            ToolchainError: It failed; the message names the log and what to do.
        """
        recipe = wanted.recipe
        assert recipe is not None
        began = time.monotonic()
        title = f"Building {wanted.name} {recipe.version} with Go {self.go.version}, once"
        self._require_space(wanted, recipe)
        with self.cache.workspace(wanted.name) as workspace:
            with self.progress.task(title) as task:
                built = self._compile(wanted, recipe, workspace, task)
            version = _verified(wanted, recipe, built)
            manifest = Manifest(
                version=version,
                sha256=digest(built),
                recipe=entry.recipe,
                built_with=f"go {self.go.version}",
                seconds=round(time.monotonic() - began, 1),
            )
            self.cache.store(entry, built, manifest)

    def log(self, wanted: Requirement) -> Path:
        """The log of a program's last build."""
        return self.cache.folder.parent / "logs" / f"build-{wanted.name}.log"

    def _compile(self, wanted: Requirement, recipe: Recipe, workspace: Path, task: Task) -> Path:
        """Fetch the source and compile it; returns the executable in the workspace."""
        flags = ["-trimpath", f"-ldflags={recipe.ldflags}"]
        built = workspace / wanted.name
        log = self.log(wanted)
        with explained(log.parent):
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text("", encoding="utf-8")
        modules = (module_folder(wanted.name) / "go.mod").read_text(encoding="utf-8").count(" v")
        # Which packages have to be compiled; asking for it fetches the modules.
        stale = "{{if .Stale}}{{.ImportPath}}{{end}}"
        self._go(
            wanted,
            ["list", "-deps", *flags, "-f", stale, recipe.package],
            workspace,
            _Counter(task, "fetching modules", modules, starts="go: downloading "),
        )
        packages = len((workspace / "output").read_text(encoding="utf-8").split())
        self._go(
            wanted,
            ["build", "-v", *flags, "-o", str(built), recipe.package],
            workspace,
            _Counter(task, "compiling packages", packages, starts=""),
        )
        return built

    def _go(
        self, wanted: Requirement, arguments: list[str], workspace: Path, count: _Counter
    ) -> None:
        """Run one go command. Raises ToolchainError when it fails."""
        temporary = workspace / "tmp"
        temporary.mkdir(exist_ok=True)
        env = self.go.environment(self.environ) | {"GOTMPDIR": str(temporary)}
        log = self.log(wanted)
        try:
            with log.open("a", encoding="utf-8") as file:
                file.write(f"$ go {' '.join(arguments)}\n")
                code = follow(
                    [str(self.go.path), *arguments],
                    folder=module_folder(wanted.name),
                    env=env,
                    output=workspace / "output",
                    log=file,
                    on_line=count,
                )
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                with explained(log.parent):
                    raise
            raise ToolchainError(f"Building {wanted.name} failed: {error}. Log: {log}") from error
        if code != 0:
            raise ToolchainError(self._failure(wanted, code))

    def _failure(self, wanted: Requirement, code: int) -> str:
        """What to say of a build that failed."""
        log = self.log(wanted)
        printed = log.read_text(encoding="utf-8", errors="replace")
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return (
            f"Building {wanted.name} failed: go {how}.\n{tail(printed)}\n{cause(printed)}\n"
            f"Or name a {wanted.name} that is built already by "
            f"{wanted.variable}=/path/to/{wanted.name}.\nThe whole log: {log}"
        )

    def _require_space(self, wanted: Requirement, recipe: Recipe) -> None:
        """Refuse to begin what cannot end for lack of space."""
        with explained(self.cache.folder):
            self.cache.folder.mkdir(parents=True, exist_ok=True)
        modules = self.go.module_cache(self.environ)
        needed = _LITTLE_SPACE_MBYTES if _fetched(modules, recipe) else recipe.disk_mbytes
        for folder in (self.cache.folder, modules):
            free = shutil.disk_usage(_existing(folder)).free // 10**6
            if free < needed:
                raise ToolchainError(
                    f"Building {wanted.name} takes about {needed} MB of disk while it lasts, and "
                    f"{folder} has {free} MB free. Free some space, or set XDG_CACHE_HOME (and "
                    "GOMODCACHE) to a folder elsewhere, or name one that is built already by "
                    f"{wanted.variable}=/path/to/{wanted.name}."
                )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return folder if folder.exists() else _existing(folder.parent)


def _fetched(modules: Path, recipe: Recipe) -> bool:
    """Whether Go's cache of modules has the source; in it a capital letter is spelled !small."""
    escaped = re.sub("[A-Z]", lambda letter: "!" + letter.group().lower(), recipe.module)
    return (modules / "cache/download" / escaped / "@v" / f"v{recipe.version}.zip").exists()


class _Counter:
    """Counts lines of a command's output as steps of a task."""

    def __init__(self, task: Task, doing: str, total: int, starts: str) -> None:
        self._task, self._doing, self._total, self._starts = task, doing, total, starts
        self._done = 0

    def __call__(self, line: str) -> None:
        if line.startswith(self._starts):
            self._done += 1
        self._task.update(self._done, max(self._total, self._done), self._doing)


def _verified(wanted: Requirement, recipe: Recipe, built: Path) -> str:
    """The version that a fresh executable prints; it has to be the one asked for."""
    try:
        version = ask(wanted, built)
    except ProbeError as problem:
        raise ToolchainError(
            f"{wanted.name} was built, but {problem}. If {built.parent.parent} is on a file "
            "system mounted noexec, set XDG_CACHE_HOME to a folder on another one."
        ) from problem
    if version != parse(recipe.version):
        raise ToolchainError(
            f"{wanted.name} was built as {recipe.version}, but says that it is {show(version)}. "
            "This is a defect of the testbed; please report it."
        )
    return show(version)
