"""What a placement keeper does on purpose that is forbidden: a negative control must be at work."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.provision.scripts import loaded

PART = {
    "tables": [{"name": "customers", "personal": ["full_name"], "columns": {"full_name": "text"},
                "key": ["id"]}],
    "residency": "residency",
    "jurisdiction": "EU",
    "remembers": "personal/eu/",
    "ships_log_to": "127.0.0.1",
    "node": "db1",
}  # fmt: skip


def keeper(log: Path) -> Any:
    did: list[str] = []
    return SimpleNamespace(part=PART, settings={"log": str(log)}, deeds=did, did=did.append)


class Consul(BaseHTTPRequestHandler):
    """Keeps values by path."""

    kept: dict[str, bytes]

    def do_GET(self) -> None:
        value = self.kept.get(self.path.removesuffix("?raw"))
        self.send_response(404 if value is None else 200)
        self.end_headers()
        self.wfile.write(value or b"")

    def do_PUT(self) -> None:
        self.kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """No line for each request."""


class Rows:
    """A connection whose every query has one row."""

    def __init__(self, value: str) -> None:
        self.value = value

    def execute(self, query: Any, arguments: Any) -> Rows:
        del query, arguments
        return self

    def fetchone(self) -> tuple[str]:
        return (self.value,)


def test_a_value_is_put_into_consul_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mistakes = loaded("placement", "placement_mistakes.py")
    kept: dict[str, bytes] = {}
    server = HTTPServer(("127.0.0.1", 0), type("Kept", (Consul,), {"kept": kept}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        monkeypatch.setattr(mistakes, "CONSUL", f"http://127.0.0.1:{server.server_port}/")
        one = keeper(tmp_path)
        for name in ("a", "a", "b"):
            mistakes.remember(one, Rows(name))
    finally:
        server.shutdown()
        server.server_close()
    assert kept == {"/personal/eu/last": b"b"}
    assert one.deeds == ["put customers.full_name of a row into Consul as personal/eu/last"] * 2


def test_a_log_is_sent_with_its_sender_s_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mistakes = loaded("placement", "placement_mistakes.py")
    log = tmp_path / "postgres.log"
    log.write_text("line\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(mistakes, "LOG_PORT", server.getsockname()[1])
        threading.Thread(target=mistakes.ship, args=(keeper(log),), daemon=True).start()
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as lines:
            assert [lines.readline(), lines.readline()] == [b"db1\n", b"line\n"]
