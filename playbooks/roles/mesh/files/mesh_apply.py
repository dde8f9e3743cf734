"""Makes a node's part of the mesh agree with its settings: schema, publications, subscriptions.

Reads the settings file that is its argument, and prints ``{"changed": bool, "changes": [...]}``
(sentences) or ``{"error": text}``. With ``--check`` it says what would change and changes nothing.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import hashlib
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

PEER_S_MAX = 60.0
STREAM_S_MAX = 30.0
POLL_S = 0.1
CONSUL = "http://127.0.0.1:8500/v1/agent/service"


class ApplyError(Exception):
    """Something did not come about in time; the message says what."""


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

    def agree(self) -> None:
        """Everything, in the order in which each needs the ones before."""
        if self.value("SELECT pg_is_in_recovery()"):
            return  # a standby has it all from its primary
        self.agree_schema()
        for name, wanted in self.settings["publications"].items():
            self.agree_publication(name, wanted)
        for peer, addresses in self.settings["peers"].items():
            self.agree_subscription(peer, addresses)
        if not self.check:
            until("a stream from every region", self.all_stream, STREAM_S_MAX)
        self.agree_service()

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
        digest = hashlib.sha256(schema.encode()).hexdigest()
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

    def agree_subscription(self, peer: str, addresses: list[str]) -> None:
        """A subscription to another region's changes, from now on."""
        name = f"from_{peer.replace('-', '_')}"
        if self.value("SELECT 1 FROM pg_subscription WHERE subname = %s", name):
            return
        source = (
            f"host={','.join(addresses)} port=5432 user=postgres dbname=testbed "
            f"target_session_attrs=read-write connect_timeout=5"
        )
        publications = [n for n, one in self.settings["publications"].items() if one["tables"]]
        if not self.check:
            until(
                f"the publications of {peer}",
                lambda: published(source) >= set(publications),
                PEER_S_MAX,
            )
        slot = f"{self.settings['region'].replace('-', '_')}_{name}"
        if not self.check:
            make_slot(source, slot)
        # copy_data: nothing was written yet; origin: what came from elsewhere is not sent on.
        statement = sql.SQL(
            "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} "
            "WITH (slot_name = {}, create_slot = false, copy_data = false, origin = none)"
        ).format(
            sql.Identifier(name),
            sql.Literal(source),
            sql.SQL(", ").join(map(sql.Identifier, publications)),
            sql.Literal(slot),
        )
        self.change(f"subscribe to {peer}", statement)

    def all_stream(self) -> bool:
        """Whether every subscription has heard from its publisher."""
        streaming = self.value(
            "SELECT count(*) FROM pg_stat_subscription"
            " WHERE pid IS NOT NULL AND received_lsn IS NOT NULL AND worker_type = 'apply'"
        )
        return bool(streaming == len(self.settings["peers"]))

    def agree_service(self) -> None:
        """PostgreSQL as a service of the region's Consul, with a check of its port."""
        address = self.settings["address"]
        if fetch(f"{CONSUL}/postgres").get("Address") == address:
            return
        check = {"TCP": f"{address}:5432", "Interval": "1s", "Timeout": "1s"}
        body = {"Name": "postgres", "Address": address, "Port": 5432, "Check": check}
        self.changes.append("register postgres in Consul")
        if not self.check:
            fetch(f"{CONSUL}/register", body)


def published(source: str) -> set[str]:
    """The publications of a node; none while it does not answer."""
    try:
        with psycopg.connect(source) as connection:
            return {row[0] for row in connection.execute("SELECT pubname FROM pg_publication")}
    except psycopg.OperationalError:
        return set()


def make_slot(source: str, slot: str) -> None:
    """A logical slot on a publisher, unless it is there.

    Not left to CREATE SUBSCRIPTION: a slot waits for the end of every transaction on the publisher,
    and where that one just creates a subscription here, both would wait for ever.
    """
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_create_logical_replication_slot(%(slot)s, 'pgoutput') "
            "WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %(slot)s)",
            {"slot": slot},
        )


def until(what: str, holds: Callable[[], bool], limit_s: float) -> None:
    """Wait for something.

    Raises:
        ApplyError: It did not come about in time.
    """
    deadline = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline:
            raise ApplyError(f"waited {limit_s:.0f} s in vain for {what}")
        time.sleep(POLL_S)


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
        mesh = Mesh(settings, check=check)
        mesh.agree()
    except (ApplyError, psycopg.Error, OSError) as error:
        print(json.dumps({"error": " ".join(str(error).split())}))
        return 3
    print(json.dumps({"changed": bool(mesh.changes), "changes": mesh.changes}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
