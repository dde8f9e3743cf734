"""Makes a node's part of the mesh agree with its settings: schema, publications, subscriptions.

Reads the settings file that is its argument, and prints ``{"changed": bool, "changes": [...]}``
(sentences) or ``{"error": text}``. With ``--check`` it says what would change and changes nothing.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from mesh_seed import digest_of, seed
from mesh_way import SeedError, inbounds, lost, until
from psycopg import sql

STREAM_S_MAX = 30.0
CONSUL = "http://127.0.0.1:8500/v1/agent/service"


class ApplyError(Exception):
    """Something cannot be brought about; the message says what."""


class Mesh:
    """One node's part of the mesh.

    Args:
        settings: As ``mesh.json`` has them.
        check: Whether to change nothing.
    """

    def __init__(self, settings: dict[str, Any], *, check: bool) -> None:
        self.settings = settings
        self.check = check
        self.changes: list[str] = []
        self.connection = psycopg.connect(
            host=settings["socket"], user="postgres", dbname="testbed", autocommit=True
        )

    def close(self) -> None:
        """End its connection."""
        self.connection.close()

    def agree(self) -> None:
        """Everything, in the order in which each needs the ones before."""
        if self.value("SELECT pg_is_in_recovery()"):
            return  # a standby has it all from its primary
        self.agree_schema()
        self.agree_members()
        for name, wanted in self.settings["publications"].items():
            self.agree_publication(name, wanted)
        self.agree_subscriptions()
        self.agree_homes()
        if not self.check:
            until("a stream from every region", self.all_stream, STREAM_S_MAX)

    def value(self, query: str, *arguments: Any) -> Any:
        """The one value of a query; None without a row."""
        row = self.connection.execute(query, arguments).fetchone()
        return None if row is None else row[0]

    def change(self, sentence: str, *statements: Any) -> None:
        """Say a change, and make it."""
        self.changes.append(sentence)
        if not self.check:
            for statement in statements:
                self.connection.execute(statement)

    def agree_schema(self) -> None:
        """The tables and triggers of the strategy; another strategy's cannot become them."""
        schema = Path(self.settings["schema"]).read_text(encoding="utf-8")
        digest = digest_of(self.settings)
        present = self.value("SELECT current_setting('mesh.schema', true)")
        if present == digest:
            return
        if present:
            raise ApplyError(
                "this database was made for another conflict resolution or another version of its "
                "tables: end this world and make a new one"
            )
        region = sql.Literal(self.settings["region"])
        self.change(
            "make the tables of the mesh",
            sql.SQL("ALTER DATABASE testbed SET mesh.region = {}").format(region),
            "BEGIN",
            "SET LOCAL ROLE testbed",
            schema,
            "RESET ROLE",
            # A client that carries a position asks how far a stream has been applied.
            "GRANT SELECT ON pg_replication_origin_status TO testbed",
            "GRANT EXECUTE ON FUNCTION pg_show_replication_origin_status() TO testbed",
            sql.SQL("ALTER DATABASE testbed SET mesh.schema = {}").format(sql.Literal(digest)),
            "COMMIT",
        )

    def agree_publication(self, name: str, wanted: dict[str, Any]) -> None:
        """A publication of exactly these tables; none where there are none."""
        tables = sorted(wanted["tables"])
        present = self.connection.execute(
            "SELECT tablename FROM pg_publication_tables WHERE pubname = %s ORDER BY 1", (name,)
        ).fetchall()
        if [row[0] for row in present] == tables:
            return
        listed = sql.SQL(", ").join(sql.Identifier(table) for table in tables)
        made = sql.SQL("CREATE PUBLICATION {} FOR TABLE {} WITH (publish = {})")
        self.change(
            f"publish {', '.join(tables)} as {name}",
            sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(name)),
            made.format(sql.Identifier(name), listed, sql.Literal(wanted["publish"])),
        )

    def agree_members(self) -> None:
        """The regions that must have seen a deleted row before it is forgotten."""
        wanted = sorted({self.settings["region"], *self.settings["peers"]})
        if self.value("SELECT to_regclass('member')") is None:
            return  # only said, not done
        present = self.connection.execute("SELECT region FROM member ORDER BY 1").fetchall()
        if [row[0] for row in present] == wanted:
            return
        regions = sql.SQL("{}::text[]").format(sql.Literal(wanted))
        self.change(
            f"be a mesh of {', '.join(wanted)}",
            sql.SQL("DELETE FROM member WHERE region <> ALL ({})").format(regions),
            sql.SQL("INSERT INTO member SELECT unnest({}) ON CONFLICT DO NOTHING").format(regions),
        )

    def agree_subscriptions(self) -> None:
        """A subscription to every other region's changes that misses none of them."""
        for way in inbounds(self.settings):
            try:
                reason = lost(self.connection, way)
            except psycopg.OperationalError:
                continue  # it is away; whether its stream comes back is waited for
            if reason is None:
                continue
            if self.check:
                self.changes.append(f"subscribe to {way.peer}: {reason}")
                continue
            rows = seed(self.settings, way)
            if rows is not None:
                self.changes.append(f"subscribe to {way.peer}: {reason}; {rows} rows were merged")

    def agree_homes(self) -> None:
        """Where rows are at home: what the other regions say; in a new mesh, every region."""
        if self.value("SELECT to_regclass('home_place')") is None:
            return
        if self.value("SELECT count(*) FROM home_place"):
            return
        regions = sql.Literal(sorted({self.settings["region"], *self.settings["peers"]}))
        self.change("settle the homes", sql.SQL("SELECT settle_homes({})").format(regions))

    def all_stream(self) -> bool:
        """Whether every subscription has heard from its publisher."""
        streaming = self.value(
            "SELECT count(*) FROM pg_stat_subscription"
            " WHERE pid IS NOT NULL AND received_lsn IS NOT NULL AND worker_type = 'apply'"
        )
        return bool(streaming == len(self.settings["peers"]))


def agree_service(settings: dict[str, Any], *, check: bool) -> list[str]:
    """PostgreSQL as a service of the region's Consul, with a check of its port; what changed."""
    address = settings["address"]
    if fetch(f"{CONSUL}/postgres").get("Address") == address:
        return []
    probe = {"TCP": f"{address}:5432", "Interval": "1s", "Timeout": "1s"}
    body = {"Name": "postgres", "Address": address, "Port": 5432, "Check": probe}
    if not check:
        fetch(f"{CONSUL}/register", body)
    return ["register postgres in Consul"]


def fetch(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """GET or PUT of JSON; an empty object where there is nothing."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, method="GET" if body is None else "PUT")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - Consul, by HTTP
            return dict(json.loads(answer.read() or b"{}"))
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return {}
        raise ApplyError(f"Consul answered {error.code} to {url}") from error


def main() -> int:
    """Run it; the exit code."""
    check = "--check" in sys.argv
    try:
        settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
        with closing(Mesh(settings, check=check)) as mesh:
            mesh.agree()
        # A standby too: it is there to be found.
        changes = mesh.changes + agree_service(settings, check=check)
    except (ApplyError, SeedError, psycopg.Error, OSError) as error:
        print(json.dumps({"error": " ".join(str(error).split())}))
        return 3
    print(json.dumps({"changed": bool(changes), "changes": changes}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
