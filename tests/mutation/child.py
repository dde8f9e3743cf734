"""A process of its own, with limits, for code that may hang, eat all memory or end."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from typing import Any

MEMORY_BYTES = 6 << 30
PATIENCE = 20
"""A child may take so many times its processor time on the clock: the machine is shared."""


def in_child(run: Callable[[], Any], limit_s: float) -> Any:
    """The answer of a function that runs in a fork of this process.

    Args:
        run: It; its answer is plain JSON.
        limit_s: Seconds of processor time, rounded up.

    Returns:
        The answer; None if it took too long or died; a text if it raised.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _run(run, writer, limit_s)
    os.close(writer)
    try:
        text = _read(reader, time.monotonic() + PATIENCE * limit_s)
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return json.loads(text) if text else None


def _read(descriptor: int, until: float) -> bytes:
    parts: list[bytes] = []
    while (left := until - time.monotonic()) > 0 and select.select([descriptor], [], [], left)[0]:
        part = os.read(descriptor, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
    return b""


def _run(run: Callable[[], Any], writer: int, limit_s: float) -> None:
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        seconds = int(limit_s) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        answer = json.dumps(run()).encode()
    except BaseException as error:  # noqa: BLE001 - nothing may go on as if it were the parent
        answer = json.dumps(repr(error)).encode()
    while answer:
        answer = answer[os.write(writer, answer) :]
    os._exit(0)
