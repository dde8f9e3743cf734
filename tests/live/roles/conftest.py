"""A PostgreSQL of its own, without a world: what the roles' SQL does is seen in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from testbed.toolchain.programs import locate

UNPRIVILEGED = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running server on a socket; its connection string without a database."""
    programs = locate("postgres").folder
    # A socket's path has at most 107 bytes.
    folder = tmp_path_factory.mktemp("pg")
    data = folder / "data"
    # PostgreSQL refuses to run as uid 0.
    prefix = UNPRIVILEGED if os.geteuid() == 0 else []
    run(*prefix, str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-N", "--locale=C")
    options = f"-k {folder} -c listen_addresses= -c fsync=off"
    run(*prefix, str(programs / "pg_ctl"), "-D", str(data), "-l", str(folder / "log"), "-w",
        "-o", options, "start")  # fmt: skip
    source = f"host={folder} user=postgres"
    try:
        with psycopg.connect(f"{source} dbname=postgres", autocommit=True) as connection:
            connection.execute("CREATE ROLE testbed LOGIN")
        yield source
    finally:
        run(*prefix, str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")


def run(*argv: str) -> None:
    """Run a command; what it said is shown when it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout


def template_folder(role: str) -> Path:
    """Where a role's templates are."""
    return Path(__file__).parents[3] / "playbooks" / "roles" / role / "templates"
