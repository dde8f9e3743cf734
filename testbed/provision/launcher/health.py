"""Asks a program whether it is healthy, and for settings behind its HTTP interface."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

POLL_S_MIN = 0.02
POLL_S_MAX = 0.25
ANSWER_S_MAX = 2.0


def healthy(check: dict[str, Any] | None) -> bool:
    """Ask once.

    Args:
        check: ``argv``, a command that exits with 0; or ``path``, a file that exists; or ``url``
            with ``status`` (200) and perhaps ``any_of``, JSON values one of which the answer
            contains; or ``either``, several checks one of which holds. None always holds.
    """
    if check is None:
        return True
    if "either" in check:
        return any(healthy(one) for one in check["either"])
    if "path" in check:
        return os.path.exists(check["path"])
    if "argv" in check:
        try:
            done = subprocess.run(
                check["argv"], stdin=subprocess.DEVNULL, capture_output=True, timeout=5
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0
    status, body = fetch(check["url"])
    if status != check.get("status", 200):
        return False
    if "any_of" not in check:
        return True
    found = parsed(body)
    return any(contains(found, expected) for expected in check["any_of"])


def becomes_healthy(
    check: dict[str, Any] | None, timeout_s: float, exited: Callable[[], int | None] = lambda: None
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


def fetch(url: str, method: str = "GET", data: bytes | None = None) -> tuple[int, bytes]:
    """Status and body of one HTTP request; status 0 when nobody answers in time."""
    request = urllib.request.Request(url, data=data, method=method)
    request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=ANSWER_S_MAX) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (OSError, http.client.HTTPException):
        return 0, b""


def parsed(body: bytes | str) -> Any:
    """The JSON of a body, or None."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def described(check: dict[str, Any] | None) -> str:
    """What a program was waited for and what is there instead, in a few words."""
    if check is None:
        return "nothing to wait for"
    if "either" in check:
        return " or ".join(described(one) for one in check["either"])
    if "path" in check:
        return f"{check['path']} does not exist"
    if "argv" in check:
        return "waited for: " + " ".join(check["argv"])
    status, body = fetch(check["url"])
    if not status:
        return f"{check['url']} does not answer"
    return f"{check['url']} answers {status}: {body[:200].decode(errors='replace').strip()}"
