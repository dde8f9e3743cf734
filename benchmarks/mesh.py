"""Replication throughput of a mesh across the wan, against the same mesh without a network.

Run it with ``.venv/bin/python -m benchmarks.mesh``. The same statements at one region: many small
transactions, and a single large one; the time from their beginning until the last row is at every
other region. In turn in a world of `active-active`, whose regions are 13 to 45 ms apart behind
Toxiproxy, and with three servers of the same role on sockets.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.provision.bring_up import bring_up
from testbed.toolchain.programs import locate
from testbed.topology.inventory import find, load
from testbed.world.namespaces import Owner
from tests.live.roles.conftest import initialise, server_command
from tests.live.roles.mesh_nodes import MeshNode, agree, make_nodes

STRATEGY = "last_write_wins"
LIMIT_S = 120.0
SMALL = """
\\set value random(1, 1000000000000)
INSERT INTO item (space, key, value) VALUES (SPACE, :value, 1) ON CONFLICT DO NOTHING;
"""
LARGE = """
INSERT INTO item (space, key, value) SELECT SPACE, n, n FROM generate_series(1, ROWS) AS n
"""


@dataclass(frozen=True)
class Mesh:
    """A mesh that runs.

    Args:
        name: Of it.
        run: Runs one of PostgreSQL's programs against a region: ``(number, argv) -> output``.
        regions: How many there are.
    """

    name: str
    run: Callable[[int, Sequence[str]], str]
    regions: int = 3

    def count(self, number: int, space: int) -> int:
        """How many rows of a space a region shows."""
        query = f"SELECT count(*) FROM item_seen WHERE space = {space}"  # noqa: S608 - a number
        return int(self.run(number, ["psql", "-XAtqc", query]))

    def timed(self, space: int, write: Callable[[], object]) -> dict[str, Any]:
        """Rows a second from the first region to all others, from the beginning of a write."""
        began = time.monotonic()
        write()
        written_s = time.monotonic() - began
        rows = self.count(0, space)
        while any(self.count(number, space) < rows for number in range(1, self.regions)):
            if time.monotonic() - began > LIMIT_S:
                raise SystemExit(f"{self.name}: {rows} rows did not arrive in {LIMIT_S:.0f} s")
            time.sleep(0.02)
        seconds = time.monotonic() - began
        return {"rows": rows, "written_s": round(written_s, 2), "arrived_s": round(seconds, 2),
                "rows_per_s": round(rows / seconds)}  # fmt: skip


@contextlib.contextmanager
def loopback(folder: Path) -> Iterator[Mesh]:
    """Three servers on sockets."""
    template = folder / "template"
    initialise(template, "--wal-segsize=1")
    options = f"-k {folder} -c listen_addresses= -c fsync=off"
    server_command("pg_ctl", "-D", str(template), "-l", str(folder / "log"), "-w", "-o", options,
                   "start")  # fmt: skip
    for query in ("CREATE ROLE testbed LOGIN", "CREATE DATABASE testbed OWNER testbed"):
        server_command("psql", "-h", str(folder), "-U", "postgres", "-c", query, "postgres")
    server_command("pg_ctl", "-D", str(template), "-m", "fast", "-w", "stop")
    nodes = make_nodes(template, folder, ["a", "b", "c"], max_slot_wal_keep_size="4GB")
    try:
        agree(STRATEGY, nodes)
        yield Mesh("loopback", lambda number, argv: at_socket(nodes[number], argv))
    finally:
        for node in nodes:
            node.stop()


def at_socket(node: MeshNode, argv: Sequence[str]) -> str:
    """Run a program against a server on a socket."""
    command = [str(locate("postgres").folder / argv[0]), "-h", str(node.folder), "-U", "testbed"]
    done = subprocess.run([*command, *argv[1:], "testbed"], capture_output=True, check=True)
    return done.stdout.decode()


@contextlib.contextmanager
def wan(folder: Path) -> Iterator[Mesh]:
    """A world of active-active."""
    settings = {"conflict_resolution": STRATEGY, "mesh_slot_kept_bytes": 4 << 30}
    deployment = load(find("active-active"), settings)
    world = bring_up(deployment, "benchmark", logs=folder / "logs", owner=Owner.RUNNER)
    nodes = world.topology.members("mesh")

    def run(number: int, argv: Sequence[str]) -> str:
        node = nodes[number]
        program = str(locate("postgres").folder / argv[0])
        command = [program, "-h", "127.0.0.1", "-U", "testbed", *argv[1:], "testbed"]
        done = world.execute(node.name, command, timeout_s=LIMIT_S)
        if done.returncode:
            raise SystemExit(done.stderr.decode())
        return done.stdout.decode()

    try:
        yield Mesh("wan", run)
    finally:
        world.down()


def measured(mesh: Mesh, folder: Path, small: int, large: int, space: int) -> dict[str, Any]:
    """Both kinds of writes at one mesh."""
    script = folder / "small.sql"
    script.write_text(SMALL.replace("SPACE", str(space)))
    pgbench = ["pgbench", "-n", "-f", str(script), "-c", "4", "-j", "1", "-t", str(small // 4)]
    insert = LARGE.replace("SPACE", str(space + 1)).replace("ROWS", str(large))
    return {
        "small transactions": mesh.timed(space, lambda: mesh.run(0, pgbench)),
        "one large transaction": mesh.timed(
            space + 1, lambda: mesh.run(0, ["psql", "-XAtqc", insert])
        ),
    }


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=8000, help="transactions of one row")
    parser.add_argument("--large", type=int, default=40_000, help="rows of one transaction")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    folder.chmod(0o755)
    try:
        with loopback(folder) as near, wan(folder) as far:
            rounds = [
                {mesh.name: measured(mesh, folder, arguments.small, arguments.large, 10 * (n + 1))
                 for mesh in (near, far)}
                for n in range(arguments.rounds)
            ]  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if arguments.json:
        print(json.dumps(rounds))
        return
    for number, each in enumerate(rounds, 1):
        for kind in each["wan"]:
            near_, far_ = each["loopback"][kind], each["wan"][kind]
            ratio = far_["rows_per_s"] / near_["rows_per_s"]
            print(f"round {number}, {kind}: loopback {near_['rows_per_s']} rows/s, "
                  f"wan {far_['rows_per_s']} rows/s, {ratio:.2f} of it")  # fmt: skip


if __name__ == "__main__":
    main()
