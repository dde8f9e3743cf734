"""Programs that were built once: kept by version, written by rename, checked on every start."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from testbed.toolchain.error import ToolchainError

_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was recorded when a program was built.

    Args:
        version: As the program printed it.
        sha256: Of the executable.
        recipe: Digest of everything that went into the build; another one asks for a new build.
        built_with: The Go toolchain, for people.
        seconds: How long the build took.
    """

    version: str
    sha256: str
    recipe: str
    built_with: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One program of one version in the cache.

    Args:
        folder: Where it is, or would be.
        name: The executable's name.
        recipe: Digest of what it must have been built from.
    """

    folder: Path
    name: str
    recipe: str

    @property
    def path(self) -> Path:
        """The executable."""
        return self.folder / self.name

    def manifest(self) -> Manifest | None:
        """What was recorded at the build, or None where there is no readable record."""
        try:
            return Manifest(**json.loads((self.folder / _MANIFEST).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def problem(self) -> str | None:
        """Why this copy cannot be used, as half a sentence; None for a sound one."""
        if not self.folder.is_dir():
            return "has not been built yet"
        manifest = self.manifest()
        if manifest is None:
            return "has lost the record of its build"
        if manifest.recipe != self.recipe:
            return "was built from other sources"
        try:
            if digest(self.path) != manifest.sha256:
                return "does not match the checksum recorded at its build"
        except OSError as error:
            return f"cannot be read ({error.strerror})"
        return None if os.access(self.path, os.X_OK) else "is not executable"


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def root() -> Path:
    """The cache folder: ``$XDG_CACHE_HOME/testbed``, by default ``~/.cache/testbed``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification tells to ignore a relative path.
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "testbed"  # noqa: PTH117


class ProgramCache:
    """The folder of built programs.

    Args:
        folder: Where it is; ``programs`` below the cache folder by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder if folder is not None else root() / "programs"

    def entry(self, name: str, version: str, recipe: str) -> Entry:
        """The place of one program."""
        return Entry(self.folder / f"{name}-{version}-{platform.machine()}", name, recipe)

    @contextlib.contextmanager
    def lock(self, name: str, waiting: Callable[[], None]) -> Iterator[None]:
        """Keep others from building the same program meanwhile.

        Args:
            name: The program.
            waiting: Called once when another process holds the lock.

        Raises:
            ToolchainError: The folder cannot be written.
        """
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            file = (self.folder / f".{name}.lock").open("w")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(file, fcntl.LOCK_EX)
            # The kernel drops the lock with the file: also when we are killed.
            yield

    @contextlib.contextmanager
    def workspace(self, name: str) -> Iterator[Path]:
        """A folder for one build, on the cache's own file system; gone afterwards.

        Call it with the lock held: what a killed build left behind is removed first.
        """
        prefix = f".{name}.building-"
        for stale in self.folder.glob(prefix + "*"):
            shutil.rmtree(stale, ignore_errors=True)
        with explained(self.folder):
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=self.folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def store(self, entry: Entry, built: Path, manifest: Manifest) -> None:
        """Put a built executable in its place, whole or not at all.

        Args:
            entry: The place.
            built: The executable, inside a workspace.
            manifest: What to record with it.

        Raises:
            ToolchainError: The folder cannot be written.
        """
        with explained(self.folder):
            result = built.parent / "result"
            result.mkdir()
            built.chmod(0o755)
            built.rename(result / entry.name)
            record = result / _MANIFEST
            record.write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
            _flush(result / entry.name, record)
            if entry.folder.exists():
                entry.folder.rename(built.parent / "replaced")
            result.rename(entry.folder)


def _flush(*files: Path) -> None:
    """Force files to the disk before they are renamed: a power cut must not leave empty ones."""
    for file in files:
        with file.open("rb") as handle:
            os.fsync(handle.fileno())


@contextlib.contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn a failure to write a folder into an error for people."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what = f"The disk is full: cannot write {folder}. Free some space"
        else:
            what = f"Cannot write {folder} ({error.strerror}). Make it writable"
        raise ToolchainError(f"{what}, or set XDG_CACHE_HOME to a folder elsewhere.") from error
