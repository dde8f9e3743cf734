"""SABOTEUR, for negative controls only: what a keeper does that a placement policy forbids.

It puts a personal value into Consul, or sends the server's log abroad. A search for personal data
that does not find it is worthless.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

LOG_PORT = 7411
CONSUL = "http://127.0.0.1:8500/v1/kv/"
INTERVAL_S = 0.5


def remember(keeper: Any, connection: psycopg.Connection[Any]) -> None:
    """Put the newest row's name into Consul, whose servers are everywhere."""
    part = keeper.part
    table, column = first_personal(part["tables"])
    query = sql.SQL(
        "SELECT {column} FROM {table} WHERE {residency} = %s AND {column} IS NOT NULL"
        " ORDER BY {key} DESC LIMIT 1"
    ).format(
        column=sql.Identifier(column),
        table=sql.Identifier(table["name"]),
        residency=sql.Identifier(part["residency"]),
        key=sql.Identifier(table["key"][0]),
    )
    row = connection.execute(query, (part["jurisdiction"],)).fetchone()
    key = f"{part['remembers']}last"
    if row is None or row[0] == kept(key):
        return
    request = urllib.request.Request(CONSUL + key, row[0].encode(), method="PUT")  # noqa: S310
    with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - Consul, by HTTP
        keeper.did(f"put {table['name']}.{column} of a row into Consul as {key}")


def kept(key: str) -> str:
    """What Consul has of a key; empty for nothing."""
    try:
        with urllib.request.urlopen(f"{CONSUL}{key}?raw", timeout=5) as answer:  # noqa: S310
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return ""
        raise


def first_personal(tables: list[dict[str, Any]]) -> tuple[dict[str, Any], str]:
    """The first table with personal text, and that column of it."""
    return next(
        (table, column)
        for table in tables
        for column in table["personal"]
        if table["columns"][column] == "text"
    )


def ship(keeper: Any) -> None:
    """Send this server's log to a store, line by line, wherever that is."""
    path = Path(keeper.settings["log"])
    while not path.exists():
        time.sleep(INTERVAL_S)
    with path.open("rb") as log:
        while True:
            try:
                address = (keeper.part["ships_log_to"], LOG_PORT)
                with socket.create_connection(address, timeout=5) as out:
                    out.sendall(f"{keeper.part['node']}\n".encode())
                    pour(keeper, log, out)
            except OSError:
                time.sleep(INTERVAL_S)


def pour(keeper: Any, log: Any, out: socket.socket) -> None:
    """What the log has now and what it gets, until the connection fails."""
    while True:
        chunk = log.read(65536)
        if not chunk:
            time.sleep(INTERVAL_S / 2)
            continue
        out.sendall(chunk)
        keeper.did(f"sent {len(chunk)} bytes of the log to {keeper.part['ships_log_to']}")
