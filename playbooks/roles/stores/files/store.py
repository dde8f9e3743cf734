"""Stores dumps of its jurisdiction's cluster, and serves what it has as JSON.

A dump of each cluster that it is told of is made again and again; the last two are kept below
``/srv/backup``. ``http://ADDRESS:7412/`` says which were completed, and what mistakes made on
purpose (the variable ``placement_mutant``) have done.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PORT = 7412
FOLDER = Path("/srv/backup")
KEPT = 2
TOLD_MAX = 200
DUMP_S_MAX = 60


class Store:
    """One store.

    Args:
        settings: As ``store.json`` has them.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.part = settings["part"]
        self.dumps: list[dict[str, Any]] = []
        self.deeds: list[dict[str, Any]] = []
        self.problems: dict[str, str] = {}

    def did(self, what: str) -> None:
        """Remember a deed of a mistake made on purpose."""
        self.deeds = [*self.deeds, {"what": what, "at_unix_s": time.time()}][-TOLD_MAX:]

    def keep_dumps(self, cluster: str, addresses: list[str]) -> None:
        """Dump a cluster again and again."""
        while True:
            try:
                self.dump(cluster, addresses)
                self.problems.pop(cluster, None)
            except (OSError, subprocess.SubprocessError) as error:
                said = getattr(error, "stderr", None) or str(error)
                self.problems[cluster] = f"no dump of {cluster}: {' '.join(str(said).split())}"
            time.sleep(self.settings["dump_interval_s"])

    def dump(self, cluster: str, addresses: list[str]) -> None:
        """One dump, by its name only once it is complete."""
        FOLDER.mkdir(exist_ok=True)
        began = time.time()
        path = FOLDER / f"{cluster.lower()}-{int(began * 1000)}.dump"
        draft = path.with_suffix(".part")
        try:
            subprocess.run(
                [
                    self.settings["pg_dump"],
                    "--format=custom",
                    f"--file={draft}",
                    f"--dbname={source_of(addresses)}",
                ],
                check=True,
                capture_output=True,
                text=True,
                timeout=DUMP_S_MAX,
            )
            draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)
        told = {
            "file": str(path),
            "of": cluster,
            "bytes": path.stat().st_size,
            "began_unix_s": began,
            "at_unix_s": time.time(),
        }
        self.dumps = [*self.dumps, told][-TOLD_MAX:]
        for old in sorted(FOLDER.glob(f"{cluster.lower()}-*.dump"))[:-KEPT]:
            old.unlink()

    def report(self) -> dict[str, Any]:
        """What there is now."""
        return {
            "node": self.part["node"],
            "jurisdiction": self.part["jurisdiction"],
            "problem": "; ".join(self.problems.values()),
            "peers": [],
            "streams": [],
            "slots": [],
            "dumps_of": list(self.part["dumps"]),
            "dumps": self.dumps,
            "deeds": self.deeds,
        }


def source_of(addresses: list[str]) -> str:
    """How to connect to the primary of a cluster."""
    return (
        f"host={','.join(addresses)} port=5432 user=postgres dbname=testbed "
        f"target_session_attrs=read-write load_balance_hosts=random connect_timeout=3"
    )


def handler_of(store: Store) -> type[BaseHTTPRequestHandler]:
    """Answers every GET with the store's report."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(store.report()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """No line for each request."""

    return Handler


def main() -> None:
    """Serve and store, until the end of the process."""
    store = Store(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    if store.part["caches"] and not store.settings["valkey"]:
        sys.exit("a cache needs valkey-server, which `testbed doctor` does not find")
    for cluster, addresses in store.part["dumps"].items():
        threading.Thread(target=store.keep_dumps, args=(cluster, addresses), daemon=True).start()
    if any(store.part[name] for name in ("collects_logs", "caches", "copies")):
        import mistakes  # noqa: PLC0415 - copied beside this script; for negative controls only

        mistakes.begin(store)
    ThreadingHTTPServer((store.settings["address"], PORT), handler_of(store)).serve_forever()


if __name__ == "__main__":
    main()
