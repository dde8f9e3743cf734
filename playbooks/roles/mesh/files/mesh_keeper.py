"""Keeps a node's part of the mesh going, and serves what it sees of it as JSON.

Writes the region's heartbeat and what it has seen of the others', from which every region knows how
old the oldest news is that someone has not seen; purges tombstones that all have seen; seeds this
region again from one whose slot was lost; and reports its streams, slots and conflicts at ``http://ADDRESS:7410/``.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
from mesh_connection import KeptConnection
from mesh_flood import flood
from mesh_seed import begin_local_changes, seed
from mesh_way import Inbound, SeedError, connected, inbounds, lost, one
from psycopg import sql

PORT = 7410
INTERVAL_S = 0.5
PURGE_EVERY = 20
PURGE_ORIGIN = "mesh_purge"
STREAMS_S = 1.0

MERGED = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND a.attname = 'deleted' AND c.relname NOT LIKE '%\\_change'
"""

WORKERS = """
SELECT s.subname, CASE WHEN t.received_lsn IS NOT NULL THEN t.pid END FROM pg_subscription s
LEFT JOIN pg_stat_subscription t ON t.subid = s.oid AND t.worker_type = 'apply'
"""
"""The worker of each stream that has heard from its publisher."""

DROP_OWN_SLOTS = """
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
WHERE slot_type = 'logical' AND failover AND NOT synced AND NOT active
"""
"""What a primary kept before it became a standby: its primary's slots have the same names."""

REPORT = {
    "recovery": "SELECT 'here' AS name, pg_is_in_recovery() AS standby",
    "clock": """
        SELECT skew_us AS name,
            wall_us() - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS ahead_us
        FROM clock_skew""",
    "streams": """
        SELECT s.subname AS name, s.subenabled AS enabled, t.pid IS NOT NULL AS running,
            t.received_lsn::text AS received, t.latest_end_lsn::text AS reported,
            extract(epoch FROM clock_timestamp() - t.last_msg_receipt_time) * 1000 AS silent_ms
        FROM pg_subscription s
        LEFT JOIN pg_stat_subscription t ON t.subid = s.oid AND t.worker_type = 'apply'
        ORDER BY 1""",
    "slots": """
        SELECT slot_name AS name, active, wal_status, invalidation_reason,
            failover, synced, temporary,
            pg_wal_lsn_diff(here.place, restart_lsn)::bigint AS kept_bytes,
            pg_wal_lsn_diff(here.place, confirmed_flush_lsn)::bigint AS behind_bytes
        FROM pg_replication_slots, (SELECT CASE WHEN pg_is_in_recovery()
            THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS place) AS here
        WHERE slot_type = 'logical' ORDER BY 1""",
    "conflicts": """
        SELECT subname AS name, apply_error_count, sync_error_count,
            confl_insert_exists, confl_update_origin_differs, confl_update_exists,
            confl_update_missing, confl_delete_origin_differs, confl_delete_missing,
            confl_multiple_unique_conflicts
        FROM pg_stat_subscription_stats ORDER BY 1""",
    "heartbeats": """
        SELECT region AS name, stamp, (wall_us() - sent_us) / 1000.0 AS age_ms FROM heartbeat
        ORDER BY 1""",
}


class Keeper:
    """One node's keeper.

    Args:
        settings: As ``mesh.json`` has them.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.source = f"host={settings['socket']} user=postgres dbname=testbed"
        self.reader = KeptConnection(self.source)
        self.purged = 0
        self.problem = "it has not begun"
        self.lost: dict[str, str] = {}
        self.workers: dict[str, int | None] = {}
        self.seeded: list[dict[str, Any]] = []

    def run(self) -> None:
        """Beat for ever; a PostgreSQL that is away is waited for."""
        while True:
            try:
                with psycopg.connect(self.source, autocommit=True) as connection:
                    self.keep(connection)
            except psycopg.Error as error:
                self.problem = " ".join(str(error).split())
            time.sleep(INTERVAL_S)

    def keep(self, connection: psycopg.Connection[Any]) -> None:
        """Beat as long as the connection lives."""
        if not one(connection, "SELECT current_setting('mesh.schema', true)"):
            self.problem = "the tables of the mesh are not there yet"
            return
        beats = 0
        # What is kept here need not wait for any disk, and belongs to the tables' owner.
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET ROLE testbed")
        while True:
            if not one(connection, "SELECT pg_is_in_recovery()"):
                connection.execute("SELECT beat()")
                beats += 1
                if beats % PURGE_EVERY == 0:
                    self.purge()
            self.problem = ""
            time.sleep(INTERVAL_S)

    def purge(self) -> None:
        """Remove tombstones that every region has seen: here alone, as each does for itself.

        The tables' own triggers, which would make a tombstone of a tombstone, do not fire.
        """
        with connected(self.settings) as connection:
            horizon = one(connection, "SELECT purge_horizon()")
            if horizon is None:
                return
            begin_local_changes(connection, PURGE_ORIGIN)
            for (table,) in connection.execute(MERGED).fetchall():
                statement = sql.SQL("DELETE FROM {} WHERE deleted AND stamp < {}").format(
                    sql.Identifier(table), sql.Literal(horizon)
                )
                self.purged += connection.execute(statement).rowcount

    def watch_streams(self) -> None:
        """Look for ever after streams that stand still: seed again what has lost its slot."""
        while True:
            try:
                self.look_after_streams()
            except psycopg.Error as error:
                self.problem = " ".join(str(error).split())
            time.sleep(STREAMS_S)

    def look_after_streams(self) -> None:
        """Ask the other regions for the slots of streams that stand still, or have begun anew."""
        with connected(self.settings) as connection:
            if one(connection, "SELECT pg_is_in_recovery()"):
                self.lost, self.workers = {}, {}
                connection.execute(DROP_OWN_SLOTS)
                return
            workers = dict(connection.execute(WORKERS).fetchall())
            found = {}
            for way in inbounds(self.settings):
                # A worker that has always been the same one speaks to the same node.
                worker = workers.get(way.name)
                if way.name not in workers or (worker and worker == self.workers.get(way.name)):
                    continue
                try:
                    reason = lost(connection, way)
                except psycopg.OperationalError:
                    workers.pop(way.name)  # it is away: ask again
                    continue
                if reason is not None:
                    found[way.name] = self.mended(way, reason)
        self.workers = workers
        self.lost = {name: reason for name, reason in found.items() if reason}

    def mended(self, way: Inbound, reason: str) -> str:
        """Seed again if that is wanted; why it was not, empty when it was."""
        if self.settings["seeding"] != "automatic":
            return f"{reason}: `testbed provision` seeds it again"
        self.lost[way.name] = f"{reason}: it is being seeded again"
        began = time.monotonic()
        try:
            rows = seed(self.settings, way)
        except SeedError as error:
            return str(error)
        seconds = round(time.monotonic() - began, 3)
        self.seeded.append({"name": way.name, "why": reason, "rows": rows, "seconds": seconds})
        return ""

    def skew(self, wish: dict[str, Any]) -> None:
        """Move the clock that rows are stamped with.

        Raises:
            ValueError: The wish names no whole number of microseconds.
        """
        with psycopg.connect(self.source, autocommit=True) as connection:
            connection.execute("UPDATE clock_skew SET skew_us = %s", (int(wish["skew_us"]),))

    def report(self) -> dict[str, Any]:
        """What is seen of the mesh now."""
        document: dict[str, Any] = {
            "region": self.settings["region"],
            "problem": self.problem,
            "purged": self.purged,
            "peers": sorted(self.settings["peers"]),
            "lost": [{"name": name, "why": why} for name, why in sorted(self.lost.items())],
            "seeded": self.seeded,
            "slot_bound_bytes": self.settings["slot_bound_bytes"],
            "slot_alarm_bytes": self.settings["slot_alarm_bytes"],
        }
        try:
            document |= self.reader.ask(REPORT)
        except psycopg.Error as error:
            document["problem"] = document["problem"] or " ".join(str(error).split())
        return document


def handler_of(keeper: Keeper) -> type[BaseHTTPRequestHandler]:
    """Answers each request with the keeper's report, after what a POST asks for: faults do."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200, keeper.report())

        def do_POST(self) -> None:
            try:
                length = int(self.headers.get("Content-Length", "0"))
                wish = json.loads(self.rfile.read(length))
                if wish.get("flood"):
                    flood(keeper.settings)
                else:
                    keeper.skew(wish)
            except (ValueError, KeyError, TypeError, psycopg.Error) as error:
                self.answer(400, {"problem": " ".join(str(error).split())})
            else:
                self.answer(200, keeper.report())

        def answer(self, code: int, document: dict[str, Any]) -> None:
            body = json.dumps(document, default=float).encode()
            self.send_response(code)
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
    server = ThreadingHTTPServer((keeper.settings["address"], PORT), handler_of(keeper))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=keeper.watch_streams, daemon=True).start()
    keeper.run()


if __name__ == "__main__":
    main()
