"""Keeps a server's part of the placement policy, and serves what it sees of it as JSON.

Publishes by the policy again where this server does not, as one that was behind and took over; and
seeds this jurisdiction again from one whose slot was lost. Reports all of it, with streams, slots
and deeds, at ``http://ADDRESS:7412/``. A deed is what a mistake that was made on purpose (the
variable ``placement_mutant``) has done, so that a run knows that it was at work.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import placement_mistakes
import psycopg
from placement_publication import publish, stale
from placement_seed import seed
from placement_way import PlacementError, Way, connected, lost, ways
from psycopg.rows import dict_row

PORT = 7412
INTERVAL_S = 0.5
STREAMS_S = 1.0
DEEDS_MAX = 200

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

WORKERS = """
SELECT s.subname, CASE WHEN t.received_lsn IS NOT NULL THEN t.pid END FROM pg_subscription s
LEFT JOIN pg_stat_subscription t ON t.subid = s.oid AND t.worker_type = 'apply'
"""
"""The worker of each stream that has heard from its publisher."""

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
        path: Of ``placement.json``, which is read again when operators have changed it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings = json.loads(path.read_text(encoding="utf-8"))
        self.part = self.settings["part"]
        self.source = f"host={self.settings['socket']} user=postgres dbname=testbed"
        self.problem = "it has not begun"
        self.stream_problems: dict[str, str] = {}
        self.workers: dict[str, int | None] = {}
        self.published: list[dict[str, Any]] = []
        self.seeded: list[dict[str, Any]] = []
        self.deeds: list[dict[str, Any]] = []

    def read_settings(self) -> None:
        """Take over what operators have changed; a file that is half written is read later."""
        with contextlib.suppress(ValueError, OSError):
            self.settings = json.loads(self.path.read_text(encoding="utf-8"))
            self.part = self.settings["part"]

    def did(self, what: str) -> None:
        """Remember a deed."""
        self.deeds = [*self.deeds, {"what": what, "at_unix_s": time.time()}][-DEEDS_MAX:]

    def run(self) -> None:
        """Keep for ever; a PostgreSQL that is away is waited for."""
        while True:
            try:
                with psycopg.connect(self.source, autocommit=True) as connection:
                    self.keep(connection)
            except (psycopg.Error, PlacementError, OSError) as error:
                self.problem = " ".join(str(error).split())
            time.sleep(INTERVAL_S)

    def keep(self, connection: psycopg.Connection[Any]) -> None:
        """Look again and again, as long as the connection lives."""
        while True:
            connection.execute(LEFT_OVER)
            connection.execute(NEWS)
            row = connection.execute(
                "SELECT pg_is_in_recovery(), to_regclass('public.mark') IS NOT NULL"
            ).fetchone()
            assert row is not None
            self.problem = "" if row[1] else "the tables of the policy are not there yet"
            self.read_settings()
            if row[1] and not row[0] and self.settings["keeps"]:
                self.publish(connection)
            if self.part["remembers"] and row[1] and not row[0]:
                placement_mistakes.remember(self, connection)
            time.sleep(INTERVAL_S)

    def publish(self, connection: psycopg.Connection[Any]) -> None:
        """Publish by the policy, where that is not so: nobody has read anything else by its name.

        Raises:
            PlacementError: Who reads what was published before does not let it go.
        """
        if stale(connection, self.settings) is None:
            return
        # By a connection of its own: this one would hold the segment of the log that it wrote to
        # open for as long as it only looks, removed as it may be, with all that is in it.
        with connected(self.settings) as writing:
            replaced = publish(writing, self.settings)
        if replaced:  # and not for the first time
            said = {"publication": self.settings["publication"], "at_unix_s": time.time()}
            self.published = [*self.published, said][-DEEDS_MAX:]

    def watch_streams(self) -> None:
        """Look for ever after streams that stand still: seed again what has lost its slot."""
        while True:
            try:
                self.look_after_streams()
            except psycopg.Error as error:
                self.stream_problems = {"": " ".join(str(error).split())}
            time.sleep(STREAMS_S)

    def look_after_streams(self) -> None:
        """Ask the other jurisdictions for the slots of streams that stand still, or began anew."""
        with connected(self.settings) as connection:
            row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
            if row is None or row[0]:
                self.workers, self.stream_problems = {}, {}
                return
            workers = dict(connection.execute(WORKERS).fetchall())
            found: dict[str, str] = {}
            for way in ways(self.settings):
                # A worker that has always been the same one reads the same slot.
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
        self.stream_problems = {name: said for name, said in found.items() if said}

    def mended(self, way: Way, reason: str) -> str:
        """Seed again; why it was not, empty when it was."""
        self.stream_problems[way.name] = f"{reason}: it is being seeded again"
        began = time.time()
        try:
            # It looks again soon, by what the policy is then.
            rows = seed(self.settings, way, 0.0)
        except PlacementError as error:
            return f"{reason}: {error}"
        if rows is None:  # the playbook was quicker
            return ""
        self.seeded.append(
            {"name": way.name, "why": reason, "rows": rows, "began_unix_s": began,
             "at_unix_s": time.time()}
        )  # fmt: skip
        return ""

    def report(self) -> dict[str, Any]:
        """What is seen now."""
        document: dict[str, Any] = {
            "node": self.part["node"],
            "jurisdiction": self.part["jurisdiction"],
            "mutant": self.settings["mutant"],
            "problem": "; ".join(filter(None, (self.problem, *self.stream_problems.values()))),
            "peers": sorted(self.part["peers"]),
            "backups": [],
            "published": self.published,
            "seeded": self.seeded,
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
    keeper = Keeper(Path(sys.argv[1]))
    server = ThreadingHTTPServer((keeper.settings["address"], PORT), handler_of(keeper.report))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=keeper.watch_streams, daemon=True).start()
    if keeper.part["ships_log_to"]:
        threading.Thread(target=placement_mistakes.ship, args=(keeper,), daemon=True).start()
    keeper.run()


if __name__ == "__main__":
    main()
