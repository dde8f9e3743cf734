"""Asks a program whether it is healthy, and for settings behind its HTTP interface.

Speaks HTTP/1.0 over a plain socket: loading Python's own HTTP client takes more time than all the
rest of the launcher together.
"""

# Loading pathlib takes longer than all that is done with paths here.
# ruff: noqa: PTH110

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from typing import Any

POLL_S_MIN = 0.02
POLL_S_MAX = 0.25
ANSWER_S_MAX = 2.0
COMMAND_S_MAX = 5.0


Check = dict[str, Any] | str | None
"""What a program is asked: see :func:`healthy`."""


def healthy(check: Check) -> bool:
    """Ask once.

    Args:
        check: ``argv``, a command that exits with 0; or ``url`` with ``status`` (200) and perhaps
            ``any_of``, JSON values one of which the answer contains; or ``either``, several checks
            one of which holds. A text is the path of a file that exists, or a URL that answers
            with 200. None always holds.
    """
    if check is None:
        return True
    if isinstance(check, str):
        return os.path.exists(check) if check.startswith("/") else fetch(check)[0] == 200
    if "either" in check:
        return any(healthy(one) for one in check["either"])
    return _command_succeeds(check["argv"]) if "argv" in check else _answers_as_expected(check)


def _command_succeeds(argv: list[str]) -> bool:
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_S_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _answers_as_expected(check: dict[str, Any]) -> bool:
    status, body = fetch(check["url"])
    if status != check.get("status", 200):
        return False
    if "any_of" not in check:
        return True
    found = parsed(body)
    return any(contains(found, expected) for expected in check["any_of"])


def becomes_healthy(
    check: Check, timeout_s: float, exited: Callable[[], int | None] = lambda: None
) -> bool:
    """Ask until the check holds, the time is over or the program exited.

    The pause between two questions grows with the time waited: a question costs the program CPU
    in its busiest moment.
    """
    began = time.monotonic()
    while exited() is None:
        if healthy(check):
            return exited() is None
        waited = time.monotonic() - began
        if waited >= timeout_s:
            return False
        time.sleep(min(POLL_S_MAX, max(POLL_S_MIN, waited / 8)))
    return False


def contains(found: Any, expected: Any) -> bool:
    """True when everything expected is found; an object may have more, a list in any order."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            key in found and contains(found[key], value) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(found, list) and all(
            any(contains(item, value) for item in found) for value in expected
        )
    return bool(found == expected)


def fetch(url: str, method: str = "GET", data: bytes = b"") -> tuple[int, bytes]:
    """Status and body of one HTTP request; status 0 when nobody answers in time.

    Args:
        url: ``http://ADDRESS:PORT/PATH``.
        method: GET, PUT, PATCH, ...
        data: The request's body.
    """
    authority, _, path = url.removeprefix("http://").partition("/")
    host, _, port = authority.partition(":")
    head = f"{method} /{path} HTTP/1.0\r\nHost: {authority}\r\nContent-Length: {len(data)}\r\n"
    head += "Content-Type: application/json\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((host, int(port or 80)), ANSWER_S_MAX) as connection:
            connection.sendall(head.encode() + data)
            with connection.makefile("rb") as answer:
                return _answered(answer.read())
    except OSError:
        return 0, b""


def _answered(raw: bytes) -> tuple[int, bytes]:
    """Status and body of a whole answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    if len(words) < 2 or not words[1].isdigit():
        return 0, b""
    # HAProxy sends its statistics in chunks whatever the request's version is.
    if b"\r\ntransfer-encoding: chunked" in head.lower():
        body = _unchunked(body)
    return int(words[1]), body


def _unchunked(body: bytes) -> bytes:
    chunks = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        chunks.append(rest[:length])
        body = rest[length + 2 :] if length else b""
    return b"".join(chunks)


def parsed(body: bytes | str) -> Any:
    """The JSON of a body, or None."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def described(check: Check) -> str:
    """What a program was waited for and what is there instead, in a few words."""
    if check is None:
        return "nothing to wait for"
    if isinstance(check, str):
        return f"no {check}" if check.startswith("/") else described({"url": check})
    if "either" in check:
        return ", ".join(described(one) for one in check["either"])
    if "argv" in check:
        return "waited for: " + " ".join(check["argv"])
    status, body = fetch(check["url"])
    if not status:
        return f"{check['url']} does not answer"
    return f"{check['url']} answers {status}: {body[:200].decode(errors='replace').strip()}"
