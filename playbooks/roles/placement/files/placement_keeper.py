"""Keeps a server's part of the placement policy, and serves what it sees of it as JSON.

Reports streams, slots and deeds at ``http://ADDRESS:7412/``. A deed is what a mistake that was made
on purpose (the variable ``placement_mutant``) has done, so that a run knows that it was at work.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import json
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

PORT = 7412
LOG_PORT = 7411
INTERVAL_S = 0.5
DEEDS_MAX = 200
CONSUL = "http://127.0.0.1:8500/v1/kv/"

REPORT = {
    "streams": """
        SELECT s.subname AS name, s.subenabled AS enabled, t.pid IS NOT NULL AS running,
            t.received_lsn::text AS received,
            extract(epoch FROM clock_timestamp() - t.last_msg_receipt_time) * 1000 AS silent_ms
        FROM pg_subscription s
        LEFT JOIN pg_stat_subscription t ON t.subid = s.oid AND t.worker_type = 'apply'
        ORDER BY 1""",
    "slots": """
        SELECT slot_name AS name, active, failover, synced, wal_status, invalidation_reason
        FROM pg_replication_slots WHERE slot_type = 'logical' AND NOT temporary ORDER BY 1""",
}

# A primary that became a standby keeps its own slots, and takes no copy of one by their names.
LEFT_OVER = """
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
WHERE slot_type = 'logical' AND failover AND NOT synced AND NOT active AND pg_is_in_recovery()
"""
# A slot goes on, and its copies with it, only with news of what transactions run.
NEWS = "SELECT pg_log_standby_snapshot() WHERE NOT pg_is_in_recovery()"


class Keeper:
    """One server's keeper.

    Args:
        settings: As ``placement.json`` has them.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.part = settings["part"]
        self.source = f"host={settings['socket']} user=postgres dbname=testbed"
        self.problem = "it has not begun"
        self.deeds: list[dict[str, Any]] = []

    def did(self, what: str) -> None:
        """Remember a deed."""
        self.deeds = [*self.deeds, {"what": what, "at_unix_s": time.time()}][-DEEDS_MAX:]

    def run(self) -> None:
        """Keep for ever; a PostgreSQL that is away is waited for."""
        while True:
            try:
                with psycopg.connect(self.source, autocommit=True) as connection:
                    self.keep(connection)
            except (psycopg.Error, OSError) as error:
                self.problem = " ".join(str(error).split())
            time.sleep(INTERVAL_S)

    def keep(self, connection: psycopg.Connection[Any]) -> None:
        """Look again and again, as long as the connection lives."""
        remembered = ""
        while True:
            connection.execute(LEFT_OVER)
            connection.execute(NEWS)
            row = connection.execute(
                "SELECT pg_is_in_recovery(), to_regclass('public.mark') IS NOT NULL"
            ).fetchone()
            assert row is not None
            self.problem = "" if row[1] else "the tables of the policy are not there yet"
            if self.part["remembers"] and row[1] and not row[0]:
                remembered = self.remember(connection, remembered)
            time.sleep(INTERVAL_S)

    def remember(self, connection: psycopg.Connection[Any], last: str) -> str:
        """MISTAKE: put the newest row's name into Consul, whose servers are everywhere."""
        table, column = first_personal(self.part["tables"])
        query = sql.SQL(
            "SELECT {column} FROM {table} WHERE {residency} = %s AND {column} IS NOT NULL"
            " ORDER BY {key} DESC LIMIT 1"
        ).format(
            column=sql.Identifier(column),
            table=sql.Identifier(table["name"]),
            residency=sql.Identifier(self.part["residency"]),
            key=sql.Identifier(table["key"][0]),
        )
        row = connection.execute(query, (self.part["jurisdiction"],)).fetchone()
        if row is None or row[0] == last:
            return last
        key = f"{self.part['remembers']}last"
        request = urllib.request.Request(CONSUL + key, row[0].encode(), method="PUT")  # noqa: S310
        with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - Consul, by HTTP
            self.did(f"put {table['name']}.{column} of a row into Consul as {key}")
        return str(row[0])

    def ship(self) -> None:
        """MISTAKE: send this server's log to a store, line by line, wherever that is."""
        path = Path(self.settings["log"])
        while not path.exists():
            time.sleep(INTERVAL_S)
        with path.open("rb") as log:
            while True:
                try:
                    address = (self.part["ships_log_to"], LOG_PORT)
                    with socket.create_connection(address, timeout=5) as out:
                        out.sendall(f"{self.part['node']}\n".encode())
                        self.pour(log, out)
                except OSError:
                    time.sleep(INTERVAL_S)

    def pour(self, log: Any, out: socket.socket) -> None:
        """What the log has now and what it gets, until the connection fails."""
        while True:
            chunk = log.read(65536)
            if not chunk:
                time.sleep(INTERVAL_S / 2)
                continue
            out.sendall(chunk)
            self.did(f"sent {len(chunk)} bytes of the log to {self.part['ships_log_to']}")

    def report(self) -> dict[str, Any]:
        """What is seen now."""
        document: dict[str, Any] = {
            "node": self.part["node"],
            "jurisdiction": self.part["jurisdiction"],
            "mutant": self.settings["mutant"],
            "problem": self.problem,
            "peers": sorted(self.part["peers"]),
            "backups": [],
            "deeds": self.deeds,
        }
        try:
            with psycopg.connect(self.source, row_factory=dict_row) as connection:
                standby = connection.execute("SELECT pg_is_in_recovery() AS is").fetchone()
                document["primary"] = standby is not None and not standby["is"]
                for name, query in REPORT.items():
                    document[name] = connection.execute(query).fetchall()
        except psycopg.Error as error:
            document["problem"] = document["problem"] or " ".join(str(error).split())
        return document


def first_personal(tables: list[dict[str, Any]]) -> tuple[dict[str, Any], str]:
    """The first table with personal text, and that column of it."""
    return next(
        (table, column)
        for table in tables
        for column in table["personal"]
        if table["columns"][column] == "text"
    )


def handler_of(report: Callable[[], dict[str, Any]]) -> type[BaseHTTPRequestHandler]:
    """Answers every GET with a report."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(report(), default=float).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """No line for each request."""

    return Handler


def main() -> None:
    """Serve and keep, until the end of the process."""
    keeper = Keeper(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    server = ThreadingHTTPServer((keeper.settings["address"], PORT), handler_of(keeper.report))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if keeper.part["ships_log_to"]:
        threading.Thread(target=keeper.ship, daemon=True).start()
    keeper.run()


if __name__ == "__main__":
    main()
