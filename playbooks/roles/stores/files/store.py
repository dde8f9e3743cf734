"""Stores backups of its jurisdiction's cluster, and serves what it has as JSON.

Of each cluster that it is told of it keeps dumps, base backups and the archived write-ahead log
(``backups.py``). ``http://ADDRESS:7412/`` says which backups were completed, and what mistakes made
on purpose (the variable ``placement_mutant``) have done; a POST there has all of them made now.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from backups import ARCHIVE, BASE, DUMP, Backups

PORT = 7412
TOLD_MAX = 200


class Store:
    """One store.

    Args:
        settings: As ``store.json`` has them.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.part = settings["part"]
        self.completed: list[dict[str, Any]] = []
        self.deeds: list[dict[str, Any]] = []
        self.clusters = [
            Backups(cluster, addresses, settings, self.tell)
            for cluster, addresses in self.part["backs_up"].items()
        ]

    def tell(self, backup: dict[str, Any]) -> None:
        """Remember a backup that was completed."""
        self.completed = [*self.completed, backup][-TOLD_MAX:]

    def did(self, what: str) -> None:
        """Remember a deed of a mistake made on purpose."""
        self.deeds = [*self.deeds, {"what": what, "at_unix_s": time.time()}][-TOLD_MAX:]

    def report(self) -> dict[str, Any]:
        """What there is now."""
        problems = [text for one in self.clusters for text in list(one.problems.values())]
        return {
            "node": self.part["node"],
            "jurisdiction": self.part["jurisdiction"],
            "problem": "; ".join(problems),
            "peers": [],
            "streams": [],
            "slots": [],
            "backs_up": {one.cluster: [DUMP, BASE, ARCHIVE] for one in self.clusters},
            "backups": self.completed,
            "deeds": self.deeds,
        }


def handler_of(store: Store) -> type[BaseHTTPRequestHandler]:
    """Answers every GET with the store's report, and every POST once backups are asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(store.report()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            for cluster in store.clusters:
                cluster.asked.set()
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """No line for each request."""

    return Handler


def main() -> None:
    """Serve and store, until the end of the process."""
    store = Store(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    if store.part["caches"] and not store.settings["valkey"]:
        sys.exit("a cache needs valkey-server, which `testbed doctor` does not find")
    for cluster in store.clusters:
        cluster.begin()
    if any(store.part[name] for name in ("collects_logs", "caches", "copies")):
        import mistakes  # noqa: PLC0415 - copied beside this script; for negative controls only

        mistakes.begin(store)
    ThreadingHTTPServer((store.settings["address"], PORT), handler_of(store)).serve_forever()


if __name__ == "__main__":
    main()
