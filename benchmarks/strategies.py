"""What each conflict resolution costs at its origin, as ratios of one run.

Run it with ``.venv/bin/python -m benchmarks.strategies``. One PostgreSQL 18 with a database for
each strategy, as the role makes it, with its publications and no subscriber; pgbench updates one of
10,000 rows in each transaction, in turn for each strategy, and each is compared with `none`, whose
table has no trigger, in the same round. The median of the rounds is shown.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import yaml

from testbed.toolchain.programs import locate
from testbed.topology.shipped import inventories
from tests.live.roles.conftest import initialise, server_command
from tests.live.roles.mesh_nodes import role_variables, schema

ROWS = 10_000
SCRIPT = """
\\set key random(1, 10000)
UPDATE item SET value = :key WHERE space = 1 AND key = :key;
"""


def strategies() -> list[str]:
    """Every strategy, `none` first."""
    found = yaml.safe_load((inventories() / "variables" / "mesh.yml").read_text())
    return list(found["variables"]["conflict_resolution"]["choices"])


def make(server: str, strategy: str) -> None:
    """A database with the strategy's tables, publications and rows."""
    with psycopg.connect(f"{server} dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {strategy} OWNER testbed".encode())
        connection.execute(f"ALTER DATABASE {strategy} SET mesh.region = 'west'".encode())
    with psycopg.connect(f"{server} dbname={strategy}", autocommit=True) as connection:
        connection.execute("SET ROLE testbed")
        connection.execute(schema(strategy).encode())
        connection.execute("INSERT INTO member VALUES ('west')")
        if strategy == "home_region":
            connection.execute("SELECT settle_homes('{west}')")
        connection.execute("RESET ROLE")
        found = role_variables(strategy)
        logs = ", ".join(f"{name}_change" for name in found["logged"])
        publish = "CREATE PUBLICATION {} FOR TABLE {} WITH (publish = '{}')"
        connection.execute(publish.format("logs", logs, "insert").encode())
        if found["tables"]:
            tables = ", ".join(found["tables"])
            connection.execute(publish.format("mesh", tables, "insert, update, delete").encode())
        query = "INSERT INTO item (space, key, value) SELECT 1, k, 0 FROM generate_series(1, %s) k"
        connection.execute(query, (ROWS,))
        connection.execute("VACUUM ANALYZE")


def rate(folder: Path, strategy: str, clients: int, seconds: int) -> float:
    """Transactions a second by pgbench."""
    script = folder / "update.sql"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [str(locate("postgres").folder / "pgbench"), "-n", "-h", str(folder), "-U", "testbed",
         "-f", str(script), "-c", str(clients), "-j", "1", "-T", str(seconds), strategy],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps ="))
    return float(line.split()[2])


def measured(folder: Path, rounds: int, seconds: int, *, fsync: bool) -> list[dict[str, Any]]:
    """Rates and ratios of every strategy, with 1 and 4 clients."""
    data = folder / "data"
    initialise(data)
    options = f"-k {folder} -c listen_addresses= -c wal_level=logical -c track_commit_timestamp=on"
    options += f" -c fsync={'on' if fsync else 'off'} -c max_wal_size=4GB"
    server_command(
        "pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-w", "-o", options, "start"
    )
    try:
        server = f"host={folder} user=postgres"
        with psycopg.connect(f"{server} dbname=postgres", autocommit=True) as connection:
            connection.execute("CREATE ROLE testbed LOGIN")
        for strategy in strategies():
            make(server, strategy)
        found: dict[tuple[str, int], list[float]] = {}
        for _ in range(rounds):
            for strategy in strategies():
                for clients in (1, 4):
                    tps = rate(folder, strategy, clients, seconds)
                    found.setdefault((strategy, clients), []).append(tps)
    finally:
        server_command("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    return [
        {
            "strategy": strategy,
            "clients": clients,
            "tps": round(median(rates)),
            # Of the same round: the machine may have other work in one than in another.
            "ratio": round(
                median(a / b for a, b in zip(rates, found["none", clients], strict=True)), 2
            ),
        }
        for (strategy, clients), rates in found.items()
    ]


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--fsync", action="store_true", help="wait for the disk at each commit")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as text:
        folder = Path(text)
        folder.chmod(0o755)
        rows = measured(folder, arguments.rounds, arguments.seconds, fsync=arguments.fsync)
    if arguments.json:
        print(json.dumps(rows))
        return
    print(f"{'strategy':28} {'clients':>7} {'tps':>8} {'of none':>8}")
    for row in rows:
        print(f"{row['strategy']:28} {row['clients']:7} {row['tps']:8} {row['ratio']:8.2f}")


if __name__ == "__main__":
    main()
