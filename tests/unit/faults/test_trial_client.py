"""The trial's client against the real observer, over loopback."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from faults import trial_client
from testbed.topology.shipped import playbooks

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def shipped() -> Any:
    """The observer program, as the role ships it."""
    path = playbooks() / "roles" / "observers" / "files" / "observer.py"
    spec = importlib.util.spec_from_file_location("shipped_observer", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def observer(program: Any) -> Any:
    """One observer of no peers."""
    return program.Observer(
        {
            "region": "us-east",
            "address": "127.0.0.1",
            "peers": {},
            "interval_ms": 50,
            "reconnect_ms": 3000,
        }
    )


def attempt_at_observer(request: dict[str, Any], limit_s: float = 5.0) -> tuple[Any, Any]:
    """Run a trial against the observer on loopback; what it found, and the observer."""
    program = shipped()

    async def run() -> tuple[Any, Any]:
        asked = observer(program)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: program.Connection(asked, None), "127.0.0.1", 0)
        sending = asyncio.create_task(asked.send())
        try:
            found = await tried(request, server, limit_s)
        finally:
            sending.cancel()
            server.close()
        return found, asked

    return asyncio.run(run())


async def tried(request: dict[str, Any], server: asyncio.Server, limit_s: float) -> Any:
    """The trial's reply against a server."""
    port = server.sockets[0].getsockname()[1]
    asked = {**request, "address": "127.0.0.1", "port": port}
    trial = trial_client.TRIALS[request["try"]]
    return await asyncio.to_thread(trial, asked, time.monotonic() + limit_s)


def attempt(request: dict[str, Any], serve: Serve | None = None, limit_s: float = 5.0) -> Any:
    """Run a trial against a server on loopback: the observer, unless told otherwise."""
    if serve is None:
        return attempt_at_observer(request, limit_s)[0]
    answering = serve
    tasks: list[asyncio.Task[None]] = []

    async def tracked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        await answering(reader, writer)
        writer.close()

    async def run() -> Any:
        async with await asyncio.start_server(tracked, "127.0.0.1", 0) as server:
            found = await tried(request, server, limit_s)
            # The client has closed its ends, so every connection comes to its end.
            await asyncio.gather(*tasks)
        return found

    return asyncio.run(run())


def test_ping_measures_both_ways_on_every_connection() -> None:
    found = attempt({"try": "ping", "connections": 5})
    assert len(found["forward_ms"]) == len(found["backward_ms"]) == 5
    assert all(0 <= delay < 1000 for delay in found["forward_ms"] + found["backward_ms"])


def test_ping_tells_the_directions_apart() -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            answer = b'{"sent_ns":%d}\n' % time.monotonic_ns()
            await asyncio.sleep(0.1)
            writer.write(answer)
        writer.close()

    found = attempt({"try": "ping", "connections": 3}, late)
    assert min(found["backward_ms"]) >= 100 > max(found["forward_ms"])


def test_ping_counts_only_what_was_answered() -> None:
    served = 0

    async def every_other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        served += 1
        if served % 2:
            while await reader.readline():
                writer.write(b'{"sent_ns":%d}\n' % time.monotonic_ns())
        else:
            writer.transport.abort()

    assert len(attempt({"try": "ping", "connections": 4}, every_other)["forward_ms"]) == 2


@pytest.mark.parametrize(("size", "lines"), [(1000, 1), (64_000, 4), (300_000, 20)])
def test_a_push_is_answered_line_by_line(size: int, lines: int) -> None:
    found = attempt({"try": "push", "bytes": size, "lines": lines})
    assert found["answered"] == lines
    assert abs(found["bytes"] - size) < lines * 2
    assert found["ended"] == "open"
    assert 0 < found["seconds"] < 5


def test_a_push_reports_how_the_other_side_ended_it() -> None:
    async def three_lines(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            await reader.readline()
            writer.write(b"{}\n")
        await writer.drain()
        writer.transport.abort()

    found = attempt({"try": "push", "bytes": 100_000, "lines": 50}, three_lines)
    assert found["answered"] <= 2
    assert found["ended"] in ("end", "reset")


def test_a_stream_s_end_comes_back() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"{}\n")
        await reader.read()
        await asyncio.sleep(0.2)
        writer.close()

    assert attempt({"try": "close"})["seconds"] < 0.2
    assert attempt({"try": "close"}, slow)["seconds"] >= 0.2


def test_a_connection_stays_or_ends() -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        await asyncio.sleep(0.1)
        writer.transport.abort()

    stayed = attempt({"try": "stay", "seconds": 0.3})
    assert stayed["ended"] == "open"
    assert stayed["seconds"] >= 0.3
    left = attempt({"try": "stay", "seconds": 3.0}, leave)
    assert left["ended"] in ("end", "reset")
    assert 0.1 <= left["seconds"] < 3.0


def test_a_server_of_postgresql_is_asked_what_it_answers_anybody() -> None:
    served = 0

    async def now_and_then(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        served += 1
        # The last two are something else than PostgreSQL, and silent.
        answer = (b"N", b"S", b"E", b"")[served - 1]
        assert await reader.readexactly(8) == bytes.fromhex("0000000804d2162f")
        writer.write(answer)
        await reader.read()

    request = {"try": "ask", "connections": 4}
    assert attempt(request, now_and_then, limit_s=0.5)["answered"] == 2


def test_a_trial_is_no_reading_of_the_observer_s() -> None:
    found, asked = attempt_at_observer({"try": "ping", "connections": 2})
    assert len(found["forward_ms"]) == 2
    assert asked.report()["readings"] == []
    assert asked.connections == set()


def test_the_client_s_text_runs_by_itself_and_explains_a_failure() -> None:
    async def run() -> tuple[int | None, bytes]:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            "-c",
            Path(trial_client.__file__).read_text("utf-8"),  # noqa: ASYNC240 - a test may wait
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        request = b'{"try": "close", "address": "127.0.0.1", "port": 1, "limit_s": 2}'
        out, _ = await child.communicate(request)
        return child.returncode, out

    code, out = asyncio.run(run())
    assert code == 0
    assert b"ConnectionRefusedError" in out
