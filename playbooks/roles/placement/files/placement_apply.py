"""Makes a jurisdiction's cluster agree with the policy: tables, publication, subscriptions.

Reads the settings file that is its argument, and prints ``{"changed": bool, "changes": [...]}``
(sentences) or ``{"error": text}``. With ``--check`` it says what would change and changes nothing.
On a standby there is nothing to do: it has all from its primary.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

NAME = "placement"
MARK = {"table": "mark", "columns": [], "row_filter": ""}
PEER_S_MAX = 60.0
STREAM_S_MAX = 30.0
POLL_S = 0.1

PUBLISHED = """
SELECT tablename, attnames::text[], coalesce(rowfilter, '') FROM pg_publication_tables
WHERE pubname = 'placement' ORDER BY 1
"""
STREAMING = """
SELECT count(*) FROM pg_stat_subscription
WHERE pid IS NOT NULL AND received_lsn IS NOT NULL AND worker_type = 'apply'
"""


class ApplyError(Exception):
    """Something did not come about in time; the message says what."""


class Placement:
    """One server's part.

    Args:
        settings: As ``placement.json`` has them.
        check: Whether to change nothing.
    """

    def __init__(self, settings: dict[str, Any], *, check: bool) -> None:
        self.settings = settings
        self.part = settings["part"]
        self.check = check
        self.changes: list[str] = []
        self.connection = psycopg.connect(
            host=settings["socket"], user="postgres", dbname="testbed", autocommit=True
        )

    def agree(self) -> None:
        """Everything, in the order in which each needs the ones before."""
        if self.value("SELECT pg_is_in_recovery()"):
            return
        self.agree_schema()
        self.agree_publication()
        for peer, addresses in self.part["peers"].items():
            self.agree_subscription(peer, addresses)
        if not self.check:
            until("a stream from every jurisdiction", self.all_stream, STREAM_S_MAX)

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
        """The tables of the policy; those of another policy cannot become them."""
        schema = Path(self.settings["schema"]).read_text(encoding="utf-8")
        digest = hashlib.sha256(schema.encode()).hexdigest()
        present = self.value("SELECT current_setting('placement.schema', true)")
        if present == digest:
            return
        if present:
            raise ApplyError(
                "this database was made for another policy: end this world and make a new one"
            )
        self.change(
            "make the tables of the policy",
            "BEGIN",
            "SET LOCAL ROLE testbed",
            schema,
            "RESET ROLE",
            # What was said by whom: an erasure resets it.
            "CREATE EXTENSION pg_stat_statements",
            # A client that carries a position asks how far a stream has been applied.
            "GRANT SELECT ON pg_replication_origin_status TO testbed",
            "GRANT EXECUTE ON FUNCTION pg_show_replication_origin_status() TO testbed",
            sql.SQL("ALTER DATABASE testbed SET placement.schema = {}").format(sql.Literal(digest)),
            "COMMIT",
        )

    def agree_publication(self) -> None:
        """A publication of what may cross and of nothing else."""
        every = [*self.part["publishes"], MARK]
        wanted = sorted((one["table"], self.columns(one), filtered(one)) for one in every)
        present = [
            (table, frozenset(columns), condition)
            for table, columns, condition in self.connection.execute(PUBLISHED).fetchall()
        ]
        if present == wanted:
            return
        listed = sql.SQL(", ").join(map(published, every))
        # Truncation is not published: it heeds no row filter.
        made = sql.SQL("CREATE PUBLICATION {} FOR TABLE {} WITH (publish = 'insert,update,delete')")
        self.change(
            f"publish what may cross of {', '.join(one['table'] for one in every)}",
            sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(NAME)),
            made.format(sql.Identifier(NAME), listed),
        )

    def columns(self, one: dict[str, Any]) -> frozenset[str]:
        """The columns that are published of a table."""
        if one["columns"]:
            return frozenset(one["columns"])
        tables = {table["name"]: table["columns"] for table in self.part["tables"]}
        return frozenset(tables.get(one["table"], ("space", "number")))

    def agree_subscription(self, peer: str, addresses: list[str]) -> None:
        """A subscription to what another jurisdiction lets cross, from now on."""
        name = f"from_{as_name(peer)}"
        if self.value("SELECT 1 FROM pg_subscription WHERE subname = %s", name):
            return
        # At random, as the wan accepts a connection to a server that is gone, and then closes it:
        # libpq takes that for an answer, and asks no other.
        source = (
            f"host={','.join(addresses)} port=5432 user=postgres dbname=testbed "
            f"target_session_attrs=read-write load_balance_hosts=random connect_timeout=5"
        )
        slot = f"{NAME}_{as_name(self.part['jurisdiction'])}"
        if not self.check:
            until(f"the publication of {peer}", lambda: is_published(source), PEER_S_MAX)
            make_slot(source, slot)
        # copy_data: nothing was written yet; origin: what came from elsewhere is not sent on;
        # failover: standbys of the publisher keep the slot as well.
        statement = sql.SQL(
            "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} WITH (slot_name = {}, "
            "create_slot = false, copy_data = false, origin = none, failover = true, "
            "streaming = {})"
        ).format(
            sql.Identifier(name), sql.Literal(source), sql.Identifier(NAME), sql.Literal(slot),
            sql.Literal(self.settings["streaming"]),
        )  # fmt: skip
        self.change(f"subscribe to {peer}", statement)

    def all_stream(self) -> bool:
        """Whether every subscription has heard from its publisher."""
        return bool(self.value(STREAMING) == len(self.part["peers"]))


def as_name(jurisdiction: str) -> str:
    """A jurisdiction's name as part of a slot's name."""
    return jurisdiction.lower().replace("-", "_")


def filtered(one: dict[str, Any]) -> str:
    """A row filter as PostgreSQL shows it."""
    parts = [f"({part}::text)" for part in one["row_filter"].split(" OR ") if part]
    return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})" if parts else ""


def published(one: dict[str, Any]) -> sql.Composed:
    """A table in CREATE PUBLICATION."""
    columns = sql.SQL(", ").join(map(sql.Identifier, one["columns"]))
    listed = sql.SQL(" ({})").format(columns) if one["columns"] else sql.SQL("")
    where = sql.SQL(f" WHERE ({one['row_filter']})" if one["row_filter"] else "")
    return sql.SQL("{}{}{}").format(sql.Identifier(one["table"]), listed, where)


def is_published(source: str) -> bool:
    """Whether a cluster's primary answers and has its publication."""
    try:
        with psycopg.connect(source) as connection:
            query = "SELECT 1 FROM pg_publication WHERE pubname = %s"
            return connection.execute(query, (NAME,)).fetchone() is not None
    except psycopg.OperationalError:
        return False


def make_slot(source: str, slot: str) -> None:
    """A logical slot on a publisher, unless it is there.

    Not left to CREATE SUBSCRIPTION: a slot waits for the end of every transaction on the publisher,
    and where that one just creates a subscription here, both would wait for ever.
    """
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_create_logical_replication_slot(%(slot)s, 'pgoutput', failover => true) "
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


def main() -> int:
    """Run it; the exit code."""
    check = "--check" in sys.argv
    try:
        settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
        placement = Placement(settings, check=check)
        placement.agree()
    except (ApplyError, psycopg.Error, OSError) as error:
        print(json.dumps({"error": " ".join(str(error).split())}))
        return 3
    print(json.dumps({"changed": bool(placement.changes), "changes": placement.changes}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
