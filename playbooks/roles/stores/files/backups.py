"""What a store keeps of one cluster: dumps, base backups, and the write-ahead log behind them.

All of it lies below ``/srv/backup``: ``dumps/CLUSTER-TIME.dump``, ``base/CLUSTER-TIME/`` and
``wal/CLUSTER/``. Of dumps and base backups the newest ones are kept; of the log what the oldest
base backup that is kept begins with, and everything since.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path("/srv/backup")
DUMP, BASE, ARCHIVE = "dump", "base backup", "archived WAL"
BACKUP_S_MAX = 60
ARCHIVED_S_MAX = 10.0
RECEIVED_S_MAX = 5.0
AGAIN_S = 1.0
POLL_S = 0.05
SEGMENT_BYTES = 1 << 20
"""As the clusters are made."""

STREAMING = "starting log streaming at"
"""What the receiver says once it has chosen where it begins, before it asks the server for it."""

BROKEN = re.compile(
    r"has already been removed|not in this server's history|ahead of the WAL flush position"
)
"""What a server says that cannot go on where the archive ends."""


class Backups:
    """Of one cluster.

    Args:
        cluster: Its name.
        addresses: Of its servers.
        settings: As ``store.json`` has them.
        tell: Gets each backup that was completed.
    """

    def __init__(
        self,
        cluster: str,
        addresses: Sequence[str],
        settings: dict[str, Any],
        tell: Callable[[dict[str, Any]], None],
    ) -> None:
        self.cluster = cluster
        self.settings = settings
        self.tell = tell
        self.source = source_of(addresses)
        self.problems: dict[str, str] = {}
        self.asked = threading.Event()
        self.next_base_s = 0.0
        self.receiver: subprocess.Popen[str] | None = None
        self.receiving = threading.Event()
        self.dumps = FOLDER / "dumps"
        self.bases = FOLDER / "base"
        self.archive = FOLDER / "wal" / cluster.lower()

    def begin(self) -> None:
        """Keep all of it from now on."""
        for folder in (self.dumps, self.bases, self.archive):
            folder.mkdir(parents=True, exist_ok=True)
        for work in (self.keep_archive, self.keep_backups):
            threading.Thread(target=work, daemon=True).start()

    def keep_backups(self) -> None:
        """A dump from time to time, a base backup less often, and both whenever they are asked."""
        while True:
            asked = self.asked.is_set()
            self.asked.clear()
            self.attempt(DUMP, self.dump)
            if asked or time.monotonic() >= self.next_base_s:
                self.attempt(BASE, self.base)
            self.asked.wait(self.settings["dump_interval_s"])

    def attempt(self, kind: str, work: Callable[[], Path]) -> None:
        """Make one backup, and tell it or what kept it from being made."""
        began = time.time()
        try:
            path = work()
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            said = getattr(error, "stderr", None) or str(error)
            self.problems[kind] = f"no {kind} of {self.cluster}: {' '.join(str(said).split())}"
            return
        self.problems.pop(kind, None)
        self.tell(
            {
                "kind": kind,
                "file": str(path),
                "of": self.cluster,
                "began_unix_s": began,
                "at_unix_s": time.time(),
            }
        )

    def dump(self) -> Path:
        """One dump, by its name only once it is complete."""
        path = self.dumps / f"{self.named()}.dump"
        draft = path.with_suffix(".part")
        try:
            self.run("pg_dump", "--format=custom", f"--file={draft}")
            draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)
        for old in self.surplus(self.dumps, ".dump"):
            old.unlink()
        return path

    def base(self) -> Path:
        """One base backup, by its name only once the archive has the log that it needs."""
        # One that fails is tried again with the next dump.
        self.next_base_s = 0.0
        self.await_receiver()
        draft = self.bases / f"{self.cluster.lower()}.part"
        shutil.rmtree(draft, ignore_errors=True)
        self.run(
            "pg_basebackup", f"--pgdata={draft}", "--wal-method=none", "--checkpoint=fast",
            "--no-sync",
        )  # fmt: skip
        self.await_log(segment_of(draft, "End-LSN"))
        path = draft.rename(self.bases / self.named())
        self.next_base_s = time.monotonic() + self.settings["base_backup_interval_s"]
        for old in self.surplus(self.bases, ""):
            shutil.rmtree(old)
        self.prune()
        return path

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs on the cluster's primary."""
        command = [self.settings["bin_dir"] + "/" + program, *arguments, f"--dbname={self.source}"]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=BACKUP_S_MAX)

    def named(self) -> str:
        """The name of a backup that is made now."""
        return f"{self.cluster.lower()}-{int(time.time() * 1000)}"

    def surplus(self, folder: Path, suffix: str) -> list[Path]:
        """Backups that are older than those that are kept."""
        made = folder.glob(f"{self.cluster.lower()}-*[0-9]{suffix}")
        return sorted(made)[: -self.settings["kept"]]

    def await_receiver(self) -> None:
        """Wait until the log is received.

        Where the archive is empty, the receiver begins with the segment that is written then: a
        base backup that ended before it would wait for one that never comes, and the checkpoint of
        one that begins too early removes what the receiver asks for. A server that writes nothing
        sends nothing, so an archive that stays empty is no failure.

        Raises:
            TimeoutError: The receiver has not begun in time.
        """
        deadline = time.monotonic() + RECEIVED_S_MAX
        while time.monotonic() < deadline:
            if self.receiving.is_set() and any(self.archive.iterdir()):
                return
            time.sleep(POLL_S)
        if not self.receiving.is_set():
            raise TimeoutError("its log is not received")

    def await_log(self, segment: str) -> None:
        """Wait until a segment of the log is archived, whole.

        Raises:
            TimeoutError: It is not in time. The receiver begins anew: what is between it and the
                server may hide that the server is gone.
        """
        deadline = time.monotonic() + ARCHIVED_S_MAX
        while not (self.archive / segment).exists():
            if time.monotonic() > deadline:
                if self.receiver is not None:
                    self.receiving.clear()
                    self.receiver.kill()
                raise TimeoutError(f"its log, up to {segment}, did not reach the archive")
            time.sleep(POLL_S)

    def prune(self) -> None:
        """Remove the log that no base backup needs, what a failover left unfinished too."""
        oldest = min(self.bases.glob(f"{self.cluster.lower()}-*[0-9]"))
        program = self.settings["bin_dir"] + "/pg_archivecleanup"
        command = [program, str(self.archive), segment_of(oldest, "Start-LSN")]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=BACKUP_S_MAX)

    def keep_archive(self) -> None:
        """Receive the log for ever. Where it cannot go on, it begins anew with a base backup."""
        command = [self.settings["bin_dir"] + "/pg_receivewal", f"--directory={self.archive}"]
        command += ["--no-loop", "--verbose", "--status-interval=1", f"--dbname={self.source}"]
        while True:
            self.receiver = subprocess.Popen(
                command, stderr=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C"}
            )
            said = self.listen(self.receiver)
            print(f"pg_receivewal of {self.cluster} ended: {said}", flush=True)
            if BROKEN.search(said):
                for one in self.archive.iterdir():
                    one.unlink()
                self.asked.set()
            time.sleep(AGAIN_S)

    def listen(self, receiver: subprocess.Popen[str]) -> str:
        """What a receiver says until it ends, at the end of it."""
        said: deque[str] = deque(maxlen=5)
        assert receiver.stderr is not None
        with receiver.stderr as lines:
            for line in lines:
                said.append(line.strip())
                if STREAMING in line:
                    self.receiving.set()
        receiver.wait()
        self.receiving.clear()
        return " ".join(said)


def segment_of(base: Path, end: str) -> str:
    """The segment in which the log of a base backup begins or ends.

    Args:
        base: Of a base backup.
        end: ``Start-LSN`` or ``End-LSN``.
    """
    manifest = json.loads((base / "backup_manifest").read_bytes())
    (log,) = manifest["WAL-Ranges"]
    high, low = (int(part, 16) for part in log[end].split("/"))
    position = (high << 32) + low - (1 if end == "End-LSN" else 0)
    return (
        f"{log['Timeline']:08X}{position >> 32:08X}{(position & 0xFFFFFFFF) // SEGMENT_BYTES:08X}"
    )


def source_of(addresses: Sequence[str]) -> str:
    """How to connect to the primary of a cluster."""
    return (
        f"host={','.join(addresses)} port=5432 user=postgres dbname=testbed "
        f"target_session_attrs=read-write load_balance_hosts=random connect_timeout=3 "
        f"keepalives_idle=3 keepalives_interval=1 keepalives_count=3"
    )
