"""A PostgreSQL of its own in which canaries are planted in every way that is known to hide them."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from testbed.history.residency import AtRest, Canary, Found
from testbed.probes.at_rest import search_at_rest
from testbed.probes.node_files import Folder
from testbed.probes.patterns import patterns_of
from testbed.toolchain.programs import locate
from testbed.workloads.canary import Canaries

UNPRIVILEGED = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
SETTINGS = (
    "listen_addresses=",
    "fsync=off",
    "wal_level=logical",
    "wal_compression=pglz",
    "max_prepared_transactions=5",
    "logical_decoding_work_mem=64kB",
    "shared_preload_libraries=pg_stat_statements",
    "min_wal_size=64MB",
    "max_wal_size=128MB",
    "autovacuum=off",
)


@dataclass
class Server:
    """A running server, and the canaries that were written to it by purpose."""

    folder: Path
    canaries: Canaries = field(default_factory=lambda: Canaries(7))
    planted: dict[str, list[Canary]] = field(default_factory=dict)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.source, autocommit=True)

    @property
    def source(self) -> str:
        return f"host={self.folder} user=postgres dbname=postgres"

    def plant(self, purpose: str, count: int = 20) -> list[Canary]:
        made = [
            self.canaries.make("customers", f"s{number}", purpose, jurisdiction="EU")
            for number in range(count)
        ]
        self.planted.setdefault(purpose, []).extend(made)
        return made

    def search(self, below: str = "") -> Found:
        every = [canary for canaries in self.planted.values() for canary in canaries]
        folder = Folder(self.folder / below, f"/srv/{below}".rstrip("/"))
        return search_at_rest({"home": [folder]}, patterns_of(every))

    def seen(
        self, found: Found, purpose: str, file: str = "", how: str = "", inside: str = ""
    ) -> set[str]:
        """Encodings of a purpose's canaries in such places; each must show all of them."""
        by_encoding: dict[str, set[str]] = {}
        wanted = {canary.token for canary in self.planted[purpose]}
        for finding in found.findings:
            where = finding.where
            assert isinstance(where, AtRest)
            if (
                finding.canary in wanted
                and file in where.file
                and how in finding.how
                and (not inside or inside in where.inside)
            ):
                by_encoding.setdefault(finding.encoding, set()).add(finding.canary)
        return {encoding for encoding, tokens in by_encoding.items() if tokens == wanted}

    def run(self, program: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        argv = [*prefix(), str(locate("postgres").folder / program), *arguments]
        return subprocess.Popen(argv, **options)

    def do(self, program: str, *arguments: str) -> None:
        with self.run(program, *arguments, stdout=subprocess.DEVNULL) as process:
            assert process.wait(60) == 0


def prefix() -> list[str]:
    # PostgreSQL refuses to run as uid 0.
    return UNPRIVILEGED if os.geteuid() == 0 else []


@contextlib.contextmanager
def running(folder: Path, *settings: str) -> Iterator[Server]:
    """A server on a socket in a folder."""
    server = Server(folder)
    data = str(folder / "data")
    server.do(
        "initdb", "-D", data, "-U", "postgres", "-N", "--locale=C", "-E", "UTF8", "--wal-segsize=1"
    )
    options = " ".join(f"-c {setting}" for setting in (*SETTINGS, *settings))
    log = str(folder / "server.log")
    server.do("pg_ctl", "-D", data, "-l", log, "-w", "-o", f"-k {folder} {options}", "start")
    try:
        yield server
    finally:
        server.do("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("pg")) as made:
        yield made
