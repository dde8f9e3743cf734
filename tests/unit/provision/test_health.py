"""Health checks and the launcher's HTTP, against a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from testbed.provision.launcher.health import (
    becomes_healthy,
    contains,
    described,
    fetch,
    healthy,
)


class Handler(BaseHTTPRequestHandler):
    """Echoes the method and body; /missing is 404, /chunked comes in chunks."""

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = b'{"method": "%s", "got": "%s"}' % (self.command.encode(), self.rfile.read(length))
        self.send_response(404 if self.path == "/missing" else 200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n%s\r\n%x;x=y\r\n%s\r\n0\r\n\r\n" % (3, body[:3], len(body) - 3, body[3:])
        self.end_headers()
        self.wfile.write(body)

    do_PATCH = do_GET  # noqa: N815 - the server's names

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_fetch_sends_method_and_body(url: str) -> None:
    assert fetch(f"{url}/x", "PATCH", b"ttl") == (200, b'{"method": "PATCH", "got": "ttl"}')


def test_fetch_reads_chunks(url: str) -> None:
    assert fetch(f"{url}/chunked") == (200, b'{"method": "GET", "got": ""}')


def test_fetch_of_nobody_is_status_0() -> None:
    assert fetch("http://127.0.0.1:1/") == (0, b"")


def test_a_url_is_healthy_by_status_and_content(url: str) -> None:
    assert healthy({"url": f"{url}/x"})
    assert healthy(f"{url}/x")
    assert not healthy({"url": f"{url}/missing"})
    assert healthy({"url": f"{url}/missing", "status": 404})
    assert healthy({"url": f"{url}/x", "any_of": [{"method": "PUT"}, {"method": "GET"}]})
    assert not healthy({"url": f"{url}/x", "any_of": [{"method": "PUT"}]})


def test_a_command_is_healthy_by_its_exit_code() -> None:
    assert healthy({"argv": ["true"]})
    assert not healthy({"argv": ["false"]})
    assert not healthy({"argv": ["/no/such/command"]})


def test_either_of_several_is_enough(url: str) -> None:
    assert healthy({"either": ["/nowhere", {"url": f"{url}/x"}]})
    assert not healthy({"either": ["/nowhere", f"{url}/missing"]})


def test_becoming_healthy_ends_when_the_program_has_exited() -> None:
    assert not becomes_healthy("/nowhere", 60.0, lambda: 1)


@pytest.mark.parametrize(
    ("found", "expected", "holds"),
    [
        ({"role": "replica", "lag": 0}, {"role": "replica"}, True),
        ({"lag": 0}, {"role": "replica"}, False),
        ({"replication": [{"state": "startup"}]}, {"replication": [{"state": "streaming"}]}, False),
        (
            {"replication": [{"state": "startup"}, {"state": "streaming", "sync_state": "sync"}]},
            {"replication": [{"sync_state": "sync"}]},
            True,
        ),
        ([1, 2], [2, 1], True),
        ([1], [1, 2], False),
        ("leader", "leader", True),
        (None, {}, False),
    ],
)
def test_contains(found: object, expected: object, holds: bool) -> None:
    assert contains(found, expected) is holds


def test_described_tells_what_is_there_instead(url: str) -> None:
    assert "answers 404" in described({"url": f"{url}/missing"})
    assert "does not answer" in described("http://127.0.0.1:1/")
    assert described({"either": ["/a", "/b"]}) == "no /a, no /b"
