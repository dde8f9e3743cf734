"""Nodes of a mesh without a world: servers on sockets, and what the role does to them."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import psycopg
import yaml

from tests.live.roles.conftest import role_folder, server_command

sys.path.insert(0, str(role_folder("mesh") / "files"))
mesh_apply: Any = importlib.import_module("mesh_apply")
mesh_flood: Any = importlib.import_module("mesh_flood")
mesh_keeper: Any = importlib.import_module("mesh_keeper")

OPTIONS = (
    "listen_addresses=", "fsync=off", "wal_level=logical", "track_commit_timestamp=on",
    "max_logical_replication_workers=12", "max_worker_processes=24", "wal_sender_timeout=5s",
    "max_active_replication_origins=20", "wal_retrieve_retry_interval=100ms",
    "max_slot_wal_keep_size=4MB", "max_wal_size=16MB", "min_wal_size=2MB", "shared_buffers=16MB",
)  # fmt: skip


def schema(strategy: str, offset_ms: int = 10**13, fencing: str = "ownership") -> str:
    """The role's SQL for a strategy, as Ansible renders it."""
    loader = jinja2.FileSystemLoader(role_folder("mesh") / "templates")
    environment = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined)
    return environment.get_template("schema.sql.j2").render(
        conflict_resolution=strategy,
        mesh_clock_offset_ms=offset_ms,
        mesh_home_fencing=fencing,
    )


@dataclass(frozen=True)
class MeshNode:
    """A region's only node.

    Args:
        region: Its name.
        folder: Of its socket, its data and its settings.
    """

    region: str
    folder: Path

    def start(self, **others: str) -> None:
        """Start its server, with options that differ."""
        more = "".join(f" -c {name}={value}" for name, value in others.items())
        server_command("pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"),
                       "-w", "-o", options(self.folder) + more, "start")  # fmt: skip

    def stop(self) -> None:
        """Stop it at once."""
        server_command("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def copy_to(self, folder: Path) -> Path:
        """A copy of its data while it is stopped."""
        shutil.copytree(self.folder / "data", folder, symlinks=True)
        return folder

    def become(self, standby: Path) -> None:
        """Go on from a copy as a standby that is promoted, while it is stopped."""
        shutil.rmtree(self.folder / "data")
        shutil.move(standby, self.folder / "data")
        (self.folder / "data" / "standby.signal").touch()
        self.start()
        server_command("pg_ctl", "-D", str(self.folder / "data"), "-w", "promote")

    def connect(self, user: str = "testbed") -> psycopg.Connection[Any]:
        return psycopg.connect(f"host={self.folder} user={user} dbname=testbed", autocommit=True)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect("postgres") as connection:
            return connection.execute(query.encode()).fetchall()

    def do(self, *statements: str) -> None:
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def settings(
        self, strategy: str, nodes: Sequence[MeshNode], dead: Sequence[str] = (), **others: Any
    ) -> dict[str, Any]:
        """As ``mesh.json`` has them, which is written too; other regions have dead nodes too."""
        (self.folder / "schema.sql").write_text(schema(strategy))
        found = role_variables(strategy)
        logs = ["heartbeat_change", "seen_change", *(f"{name}_change" for name in found["logged"])]
        document = {
            "region": self.region,
            "address": "127.0.0.1",
            "socket": str(self.folder),
            "schema": str(self.folder / "schema.sql"),
            "publications": {
                "mesh": {"tables": found["tables"], "publish": "insert, update, delete"},
                "mesh_changes": {"tables": logs, "publish": "insert"},
            },
            "seeds": found["seeds"],
            "unmerged": found["unmerged"],
            "own_nodes": 1,
            "seeding": "automatic",
            "slot_bound_bytes": 4 << 20,
            "slot_alarm_bytes": 2 << 20,
            "peers": {node.region: [*dead, str(node.folder)] for node in nodes if node is not self},
            **others,
        }
        (self.folder / "mesh.json").write_text(json.dumps(document))
        return document


def role_variables(strategy: str) -> dict[str, Any]:
    """What the role's variables say of a strategy's tables."""
    found = yaml.safe_load((role_folder("mesh") / "vars" / "main.yml").read_text())
    tables = found["mesh_tables"][strategy]
    logged = ["mark", "set_element", *found["mesh_logged_tables"][strategy]]
    seeds = {name: f"{name}_change" for name in logged}
    if strategy == "last_write_wins_triggers":
        seeds |= {name: name for name in tables}
    unmerged = tables if strategy == "none" else []
    return {"tables": tables, "logged": logged, "seeds": seeds, "unmerged": unmerged}


def options(folder: Path) -> str:
    """The server's options on its command line."""
    return " ".join([f"-k {folder}", *(f"-c {option}" for option in OPTIONS)])


def make_nodes(
    template: Path, folder: Path, regions: Sequence[str], **others: str
) -> list[MeshNode]:
    """Servers with an empty database `testbed` each, copied from a stopped one."""
    nodes = []
    for region in regions:
        node = MeshNode(region, folder / region)
        node.folder.mkdir(parents=True)
        shutil.copytree(template, node.folder / "data", symlinks=True)
        nodes.append(node)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda node: node.start(**others), nodes))
    return nodes


def agree(strategy: str, nodes: Sequence[MeshNode], **others: Any) -> dict[str, list[str]]:
    """What the playbook does on every region at once; the changes by region."""

    def one(node: MeshNode) -> list[str]:
        settings = node.settings(strategy, nodes, **others)
        with closing(mesh_apply.Mesh(settings, check=False)) as mesh:
            mesh.agree()
            return list(mesh.changes)

    with ThreadPoolExecutor() as pool:
        return dict(zip([node.region for node in nodes], pool.map(one, nodes), strict=True))


def eventually(condition: Callable[[], Any], what: str, timeout_s: float = 20.0) -> Any:
    """Wait for a condition with a deadline; what it returned."""
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.05)
    return result
