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
    # A socket's path has at most 107 bytes.
    folder = tmp_path_factory.mktemp("pg")
    data = folder / "data"
    initialise(data)
    options = f"-k {folder} -c listen_addresses= -c fsync=off"
    server_command("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-w",
                   "-o", options, "start")  # fmt: skip
    source = f"host={folder} user=postgres"
    try:
        with psycopg.connect(f"{source} dbname=postgres", autocommit=True) as connection:
            connection.execute("CREATE ROLE testbed LOGIN")
        yield source
    finally:
        server_command("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")


@pytest.fixture(scope="session")
def testbed_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a stopped server with the role and the database `testbed`, to copy."""
    folder = tmp_path_factory.mktemp("pg")
    data = folder / "data"
    initialise(data, "--wal-segsize=1")
    options = f"-k {folder} -c listen_addresses= -c fsync=off"
    server_command("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-w",
                   "-o", options, "start")  # fmt: skip
    with psycopg.connect(f"host={folder} user=postgres dbname=postgres", autocommit=True) as server:
        server.execute("CREATE ROLE testbed LOGIN")
        server.execute("CREATE DATABASE testbed OWNER testbed")
    server_command("pg_ctl", "-D", str(data), "-m", "fast", "-w", "stop")
    return data


def initialise(data: Path, *options: str) -> None:
    """Make a data folder."""
    server_command(
        "initdb", "-D", str(data), "-U", "postgres", "-N", "--locale=C", "--encoding=UTF8", *options
    )


def server_command(program: str, *argv: str) -> None:
    """Run one of PostgreSQL's programs; what it said is shown when it fails."""
    # PostgreSQL refuses to run as uid 0.
    prefix = UNPRIVILEGED if os.geteuid() == 0 else []
    command = [*prefix, str(locate("postgres").folder / program), *argv]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout


def role_folder(role: str) -> Path:
    """Where a role is."""
    return Path(__file__).parents[3] / "playbooks" / "roles" / role
