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
from mesh_seed import begin_local_changes, seed
from mesh_way import Connection, Inbound, SeedError, connected, inbounds, lost, one
from psycopg import sql
from psycopg.rows import dict_row

PORT = 7410
INTERVAL_S = 0.5
PURGE_EVERY = 20
PURGE_ORIGIN = "mesh_purge"
STREAMS_S = 1.0

MERGED = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND a.attname = 'deleted' AND c.relname NOT LIKE '%\\_change'
"""

STANDING_STILL = """
SELECT s.subname FROM pg_subscription s
LEFT JOIN pg_stat_subscription t ON t.subid = s.oid AND t.worker_type = 'apply'
WHERE t.received_lsn IS NULL
"""

FLOOD_PARTS = 8
FOLLOW_S = 3.0
FLOOD = "SELECT pg_logical_emit_message(false, 'testbed', repeat('x', %s), flush => true)"
"""A message in the log that no subscription asks for."""

BEHIND = """
SELECT slot_name FROM pg_replication_slots
WHERE slot_type = 'logical' AND wal_status <> 'lost' AND CASE WHEN %s = 0
    THEN confirmed_flush_lsn < pg_current_wal_lsn() - 8192::numeric
    ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > %s END
"""

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
        self.purged = 0
        self.problem = "it has not begun"
        self.lost: dict[str, str] = {}
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
        """Ask the other regions for the slots of streams that stand still."""
        with connected(self.settings) as connection:
            if one(connection, "SELECT pg_is_in_recovery()"):
                self.lost = {}
                return
            still = {row[0] for row in connection.execute(STANDING_STILL)}
            found = {}
            for way in inbounds(self.settings):
                reason = lost(connection, way) if way.name in still else None
                if reason is not None:
                    found[way.name] = self.mended(way, reason)
        self.lost = {name: reason for name, reason in found.items() if reason}

    def mended(self, way: Inbound, reason: str) -> str:
        """Seed again if that is wanted; why it was not, empty when it was."""
        if self.settings["seeding"] != "automatic":
            return f"{reason}: play site.yml to seed it again"
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

    def flood(self) -> None:
        """Write so much that the slots are lost whose regions do not follow, and no other.

        Raises:
            ValueError: Every region follows.
        """
        bound = int(self.settings["slot_bound_bytes"])
        with connected(self.settings) as connection:
            behind: set[str] = set()
            for number in range(FLOOD_PARTS * 3 // 2):
                connection.execute(FLOOD, (bound // FLOOD_PARTS,))
                # A slot keeps WAL from the last such snapshot that its reader has gone past.
                connection.execute("SELECT pg_log_standby_snapshot()")
                deadline = time.monotonic() + FOLLOW_S
                while late := behind_of(connection, bound // 2 if number else 0) - behind:
                    if time.monotonic() > deadline:
                        behind |= late
                        break
                    time.sleep(0.1)
                if not behind:
                    raise ValueError("every region follows: cut one off before")
            connection.execute("CHECKPOINT")

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
            with psycopg.connect(self.source, row_factory=dict_row) as connection:
                for name, query in REPORT.items():
                    document[name] = connection.execute(query).fetchall()
        except psycopg.Error as error:
            document["problem"] = document["problem"] or " ".join(str(error).split())
        return document


def behind_of(connection: Connection, kept_bytes: int) -> set[str]:
    """The slots whose readers have not confirmed what was written, or that keep more than this."""
    return {row[0] for row in connection.execute(BEHIND, (kept_bytes, kept_bytes))}


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
                    keeper.flood()
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
