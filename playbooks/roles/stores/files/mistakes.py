"""SABOTEUR, for negative controls only: what a store does that a placement policy forbids.

It keeps other jurisdictions' logs, or their rows in a cache, or copies them into a table by hand
and removes that again. A search for personal data that does not find it is worthless.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from backups import source_of
from psycopg import sql

LOG_PORT = 7411
LOGS = Path("/srv/central-log")
CACHE = Path("/srv/cache")
CACHE_SOCKET = CACHE / "valkey.sock"
INTERVAL_S = 1.0
COPY_STAYS_S = 2.0
ROWS = 500
MISSES = (psycopg.Error, OSError)


def begin(store: Any) -> None:
    """Begin with every mistake that the store is told of."""
    part = store.part
    if part["collects_logs"]:
        start(lambda: collect(store))
    if part["caches"]:
        start_cache(store.settings["valkey"])
        start(lambda: again(lambda: cache(store)))
    if part["copies"]:
        start(lambda: again(lambda: copy(store)))


def start(work: Callable[[], None]) -> None:
    """Run something beside everything else."""
    threading.Thread(target=work, daemon=True).start()


def again(work: Callable[[], None]) -> None:
    """Do something again and again; what it misses once it gets the next time."""
    while True:
        try:
            work()
        except MISSES as error:
            print(f"missed: {' '.join(str(error).split())}", flush=True)
        time.sleep(INTERVAL_S)


def personal_table(store: Any) -> dict[str, Any]:
    """The table with the most personal columns."""
    found: dict[str, Any] = max(store.part["tables"], key=lambda table: len(table["personal"]))
    return found


def collect(store: Any) -> None:
    """Take the lines of other hosts' logs and keep them, a file for each."""
    LOGS.mkdir(exist_ok=True)
    with socket.create_server((store.settings["address"], LOG_PORT)) as server:
        while True:
            connection, _ = server.accept()
            start(lambda connection=connection: keep_lines(store, connection))  # type: ignore[misc]


def keep_lines(store: Any, connection: socket.socket) -> None:
    """The first line is the sender's name."""
    with connection, connection.makefile("rb") as lines:
        name = lines.readline().decode().strip()
        with (LOGS / f"{Path(name).name}.log").open("ab", buffering=0) as log:
            for line in lines:
                log.write(line)
                store.did(f"kept a line of the log of {name}")


def start_cache(program: str) -> None:
    """Run Valkey, which writes everything to a file as well."""
    CACHE.mkdir(exist_ok=True)
    subprocess.Popen(
        [
            program, "--port", "0", "--unixsocket", str(CACHE_SOCKET), "--dir", str(CACHE),
            "--appendonly", "yes", "--appendfsync", "always", "--save", "",
            "--logfile", str(CACHE / "valkey.log"),
        ],
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def cache(store: Any) -> None:
    """Fetch the newest rows of the table with the most personal data, and keep them by key."""
    table = personal_table(store)
    query = sql.SQL(
        "SELECT {key}::text, row_to_json(t)::text FROM {table} t ORDER BY {key} DESC LIMIT {rows}"
    ).format(key=sql.Identifier(table["key"][0]), table=sql.Identifier(table["name"]), rows=ROWS)
    with psycopg.connect(source_of(store.part["caches"])) as source:
        rows = source.execute(query).fetchall()
    if not rows:
        return
    import valkey  # noqa: PLC0415 - slow, and no other mistake needs it

    try:
        with valkey.Valkey(unix_socket_path=str(CACHE_SOCKET)) as out:
            out.mset({f"{table['name']}:{key}": row for key, row in rows})
    except valkey.ValkeyError as error:
        raise OSError(f"the cache: {error}") from error
    store.did(f"kept {len(rows)} rows of {table['name']} in a cache")


def copy(store: Any) -> None:
    """Copy a table abroad by hand, look at it for a moment, and remove it again."""
    table = personal_table(store)
    name, key = table["name"], sql.Identifier(table["key"][0])
    source, target = (source_of(addresses) for addresses in store.part["copies"])
    stray = sql.Identifier(f"{name}_copy")
    out = sql.SQL("COPY (SELECT * FROM {} ORDER BY {} DESC LIMIT {}) TO STDOUT")
    with psycopg.connect(source) as home, psycopg.connect(target, autocommit=True) as abroad:
        abroad.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(stray))
        make = sql.SQL("CREATE TABLE {} (LIKE {})").format(stray, sql.Identifier(name))
        abroad.execute(make)
        rows = 0
        with (
            home.cursor().copy(out.format(sql.Identifier(name), key, ROWS)) as reading,
            abroad.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(stray)) as writing,
        ):
            for chunk in reading:
                writing.write(chunk)
                rows += 1
        time.sleep(COPY_STAYS_S)
        abroad.execute(sql.SQL("DROP TABLE {}").format(stray))
    if rows:
        store.did(f"copied {rows} rows of {name} abroad, and removed them again")
