"""Where PostgreSQL puts what it is given: each place that hides bytes is planted and searched."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from testbed.history.residency import Found
from tests.live.probes.conftest import Server, running
from tests.live.world.conftest import eventually

pytestmark = pytest.mark.live

FILLED = "0123456789" * 150
"""Compressible text around a canary."""
LONG = "".join(str(number) for number in range(9000))

TABLE_FILE = "table or index file"
LOG = "write-ahead log"


def plant_types(server: Server, connection: psycopg.Connection[Any]) -> None:
    connection.execute("CREATE TABLE typed (t text, u uuid, b bigint, n numeric, y bytea, j jsonb)")
    for canary in server.plant("typed"):
        connection.execute(
            "INSERT INTO typed VALUES (%s, %s, %s, %s, %s, jsonb_build_object('k', %s::text))",
            (
                canary.token,
                canary.uuid,
                canary.bigint,
                canary.numeric,
                bytes.fromhex(canary.bytea),
                canary.token,
            ),
        )
    connection.execute("CREATE TABLE counted (j jsonb)")
    for canary in server.plant("number in jsonb"):
        connection.execute(
            "INSERT INTO counted VALUES (jsonb_build_object('n', %s))", (canary.bigint,)
        )


def plant_writes(server: Server, connection: psycopg.Connection[Any]) -> None:
    connection.execute("CREATE TABLE written (id serial PRIMARY KEY, t text)")
    with connection.cursor().copy("COPY written (t) FROM STDIN") as copy:
        for canary in server.plant("copy"):
            copy.write_row((canary.token,))
    for canary in server.plant("deleted"):
        connection.execute("INSERT INTO written (t) VALUES (%s)", (canary.token,))
        connection.execute("DELETE FROM written WHERE t = %s", (canary.token,))
    for canary in server.plant("overwritten"):
        connection.execute("INSERT INTO written (t) VALUES (%s)", (canary.token,))
        connection.execute("UPDATE written SET t = 'gone' WHERE t = %s", (canary.token,))
    for canary in server.plant("aborted"):
        with connection.transaction(force_rollback=True):
            connection.execute("INSERT INTO written (t) VALUES (%s)", (canary.token,))


def plant_compressed(server: Server, connection: psycopg.Connection[Any]) -> None:
    connection.execute("CREATE TABLE packed (id serial PRIMARY KEY, t text)")
    for purpose, before, after in (
        ("inline", "abcdefgh" * 200, "xyz" * 300),
        ("toast", LONG, "xyz" * 3000),
    ):
        for canary in server.plant(purpose):
            text = before + canary.token + after
            connection.execute("INSERT INTO packed (t) VALUES (%s)", (text,))
    connection.execute("CREATE TABLE keyed (t text)")
    connection.execute("CREATE INDEX keyed_t ON keyed (t)")
    for canary in server.plant("index key"):
        connection.execute("INSERT INTO keyed VALUES (%s)", ("abcd" * 500 + canary.token,))
    connection.execute("CREATE TABLE external (id serial, t text)")
    connection.execute("ALTER TABLE external ALTER t SET STORAGE EXTERNAL")
    for number, canary in enumerate(server.plant("split")):
        # Across the end of the first piece of 1,996 bytes.
        text = "x" * (1980 + number % 8) + canary.token + "y" * 2000
        connection.execute("INSERT INTO external (t) VALUES (%s)", (text,))
    for canary in server.plant("large object"):
        content = (FILLED + canary.token + FILLED).encode()
        connection.execute("SELECT lo_from_bytea(0, %s)", (content,))


def plant_elsewhere(server: Server, connection: psycopg.Connection[Any]) -> None:
    connection.execute("CREATE TABLE once (t text PRIMARY KEY)")
    for canary in server.plant("error"):
        connection.execute("INSERT INTO once VALUES (%s)", (canary.token,))
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO once VALUES (%s)", (canary.token,))
    connection.execute("SET log_statement = 'all'")
    for canary in server.plant("statement log"):
        connection.execute(f"SELECT '{canary.token}'")
    connection.execute("SET log_statement = 'none'")
    connection.execute("CREATE TABLE analysed AS SELECT generate_series(1, 20) AS id, '' AS t")
    for number, canary in enumerate(server.plant("statistics"), 1):
        connection.execute("UPDATE analysed SET t = %s WHERE id = %s", (canary.token, number))
    connection.execute("ANALYZE analysed")
    connection.execute("CREATE EXTENSION pg_stat_statements")
    for canary in server.plant("query"):
        connection.execute(f"SELECT '{canary.token}'")
    for canary in server.plant("statement text"):
        connection.execute(f"DO $$ BEGIN PERFORM '{canary.token}'; END $$")
    for canary in server.plant("prepared", 3):
        with psycopg.connect(server.source) as other:
            other.execute("INSERT INTO written (t) VALUES (%s)", (canary.token,))
            other.execute(f"PREPARE TRANSACTION '{canary.token}'")


def plant_in_gin(server: Server, connection: psycopg.Connection[Any]) -> None:
    """Keys and numbers of JSON are keys of the index, as texts of their own."""
    connection.execute("CREATE TABLE documents (j jsonb)")
    connection.execute("CREATE INDEX documents_j ON documents USING gin (j)")
    for canary in server.plant("in gin"):
        connection.execute(
            "INSERT INTO documents VALUES (jsonb_build_object(%s::text, %s))",
            (canary.token, canary.bigint),
        )


def plant_explained(server: Server, connection: psycopg.Connection[Any]) -> None:
    """A slow query's plan has literals; its log line has the values that were bound as well."""
    connection.execute("LOAD 'auto_explain'")
    connection.execute("SET auto_explain.log_min_duration = 0")
    for canary in server.plant("explained"):
        connection.execute(f"SELECT FROM once WHERE t = '{canary.token}'")
    for canary in server.plant("explained, bound"):
        connection.execute("SELECT FROM once WHERE t = %s", (canary.token,))
    connection.execute("SET auto_explain.log_min_duration = -1")


def plant_page_images(server: Server, connection: psycopg.Connection[Any]) -> None:
    """Rows that lie in the log only inside a compressed image of their page."""
    connection.execute("CREATE TABLE pictured (id int PRIMARY KEY, t text, n int)")
    for number, canary in enumerate(server.plant("page image")):
        connection.execute("INSERT INTO pictured VALUES (%s, %s, 0)", (number, canary.token))
    connection.execute("INSERT INTO pictured VALUES (1000, '', 0)")
    connection.execute("SELECT pg_switch_wal()")
    connection.execute("CHECKPOINT")
    connection.execute("UPDATE pictured SET n = 1 WHERE id = 1000")


@pytest.fixture(scope="module")
def found(server: Server) -> Found:
    with server.connect() as connection:
        plant_types(server, connection)
        plant_writes(server, connection)
        plant_compressed(server, connection)
        plant_elsewhere(server, connection)
        plant_in_gin(server, connection)
        plant_explained(server, connection)
        plant_page_images(server, connection)
        server.plant("never written")
        connection.execute("CHECKPOINT")
        searched = server.search()
        # A slot's creation would wait for their end.
        for canary in server.planted["prepared"]:
            connection.execute(f"ROLLBACK PREPARED '{canary.token}'")
    return searched


def test_every_file_was_searched(found: Found, server: Server) -> None:
    (searched,) = found.searched
    assert searched.unsearchable == ()
    assert searched.files > 900
    assert searched.bytes > 20e6


def test_what_was_never_written_is_never_found(found: Found, server: Server) -> None:
    silent = {canary.token for canary in server.planted["never written"]}
    assert not silent & {finding.canary for finding in found.findings}


@pytest.mark.parametrize("how", [TABLE_FILE, LOG])
def test_types_are_found_as_they_lie(found: Found, server: Server, how: str) -> None:
    expected = {
        "utf-8",
        "uuid raw",
        "bigint little-endian",
        "numeric little-endian",
        "bytea raw",
    }
    assert server.seen(found, "typed", how=how) >= expected
    wanted = {"bigint as numeric little-endian"}
    assert server.seen(found, "number in jsonb", how=how) >= wanted


@pytest.mark.parametrize("purpose", ["copy", "deleted", "overwritten", "aborted"])
@pytest.mark.parametrize("how", [TABLE_FILE, LOG])
def test_rows_that_are_gone_are_found(found: Found, server: Server, purpose: str, how: str) -> None:
    assert "utf-8" in server.seen(found, purpose, how=how)


@pytest.mark.parametrize(
    ("purpose", "inside"),
    [
        ("inline", "pglz value"),
        ("index key", "pglz value"),
        ("large object", "pglz value"),
        ("toast", "TOAST pglz value"),
        ("split", "TOAST pieces"),
    ],
)
@pytest.mark.parametrize("how", [TABLE_FILE, LOG])
def test_what_plain_search_cannot_see_is_found(
    found: Found, server: Server, purpose: str, inside: str, how: str
) -> None:
    assert server.seen(found, purpose, how=how, inside=inside) == {"utf-8"}


def test_page_images_are_decoded(found: Found, server: Server) -> None:
    assert "utf-8" in server.seen(found, "page image", how=LOG, inside="page image")


@pytest.mark.parametrize(
    ("purpose", "file"),
    [
        ("error", "/srv/server.log"),
        ("statement log", "/srv/server.log"),
        ("explained", "/srv/server.log"),
        ("explained, bound", "/srv/server.log"),
        ("statement text", "pgss_query_texts.stat"),
        ("prepared", "/pg_twophase/"),
    ],
)
def test_logs_and_states(found: Found, server: Server, purpose: str, file: str) -> None:
    assert "utf-8" in server.seen(found, purpose, file=file)


def test_the_text_of_a_query_is_kept_without_its_literals(found: Found, server: Server) -> None:
    assert not server.seen(found, "query")


def test_statistics_hold_values(found: Found, server: Server) -> None:
    with server.connect() as connection:
        row = connection.execute("SELECT pg_relation_filepath('pg_statistic')").fetchone()
    assert row is not None
    assert "utf-8" in server.seen(found, "statistics", file=row[0])


def test_an_index_over_json_holds_numbers_as_texts(found: Found, server: Server) -> None:
    with server.connect() as connection:
        row = connection.execute("SELECT pg_relation_filepath('documents_j')").fetchone()
        heap = connection.execute("SELECT pg_relation_filepath('documents')").fetchone()
    assert row is not None
    assert heap is not None
    assert server.seen(found, "in gin", file=row[0]) >= {"utf-8", "bigint text"}
    assert "bigint text" not in server.seen(found, "in gin", file=heap[0])


def test_dumps_and_backups_are_opened(server: Server, found: Found) -> None:
    backups = server.folder / "backup"
    backups.mkdir()
    server.do("pg_dump", "-Fc", "-d", server.source, "-f", str(backups / "whole.dump"))
    server.do("pg_basebackup", "-d", server.source, "-Ft", "-z", "-X", "none", "-c", "fast",
              "-D", str(backups / "base"))  # fmt: skip
    server.do("pg_dump", "--statistics-only", "-d", server.source,
              "-f", str(backups / "statistics.sql"))  # fmt: skip
    again = server.search("backup")
    typed = {"utf-8", "uuid text", "bigint text", "numeric text", "bytea hex"}
    assert server.seen(again, "typed", file="whole.dump") >= typed
    for purpose in ("inline", "toast", "index key"):
        assert "utf-8" in server.seen(again, purpose, file="whole.dump")
        assert "utf-8" in server.seen(again, purpose, file="base.tar.gz")
    assert "utf-8" in server.seen(again, "deleted", file="base.tar.gz")
    assert not server.seen(again, "deleted", file="whole.dump")
    # A dump without any row holds values all the same.
    assert "utf-8" in server.seen(again, "statistics", file="statistics.sql")
    assert not server.seen(again, "typed", file="statistics.sql")
    assert again.searched[0].unsearchable == ()


def test_spilled_sorts_and_held_cursors(server: Server) -> None:
    canaries = server.plant("sorted", 3)
    with psycopg.connect(server.source) as connection:
        connection.execute("SET work_mem = '64kB'")
        tokens = [canary.token for canary in canaries]
        connection.execute(
            "DECLARE held CURSOR FOR SELECT v || n AS t FROM unnest(%s::text[]) v, "
            "generate_series(1, 3000) n ORDER BY t",
            (tokens,),
        )
        connection.execute("FETCH 1 FROM held")
        during = server.search("data/base/pgsql_tmp")
    assert "utf-8" in server.seen(during, "sorted", how="temporary file")
    after = server.search("data/base")
    assert not server.seen(after, "sorted", how="temporary file")


def test_a_notification_is_on_disk_once_its_queue_overflows(server: Server) -> None:
    """Not before, and in no write-ahead log: so it comes to no standby."""
    canaries = server.plant("notified")
    with server.connect() as listener, server.connect() as sender:
        # Who listens inside a transaction holds the queue's end.
        listener.execute("LISTEN told")
        listener.execute("BEGIN")
        for canary in canaries:
            sender.execute("SELECT pg_notify('told', %s)", (canary.token,))
        sender.execute("CHECKPOINT")
        before = server.search("data/pg_notify")
        for number in range(60):
            sender.execute("SELECT pg_notify('told', %s)", (str(number).ljust(7900, "."),))
        after = server.search("data/pg_notify")
        log = server.search("data/pg_wal")
    assert not server.seen(before, "notified")
    assert server.seen(after, "notified") == {"utf-8"}
    assert not server.seen(log, "notified")


def test_decoding_spills_what_is_not_committed(server: Server) -> None:
    canaries = server.plant("spilled", 3)
    slot = ("-d", server.source, "--slot", "spilling")
    server.do("pg_recvlogical", *slot, "--create-slot", "-P", "test_decoding")
    receiver = server.run("pg_recvlogical", *slot, "--start", "-f", "-", stdout=subprocess.DEVNULL)
    try:
        with psycopg.connect(server.source) as connection:
            for canary in canaries:
                connection.execute(
                    "INSERT INTO written (t) SELECT %s FROM generate_series(1, 3000)",
                    (canary.token,),
                )
            spills = server.folder / "data" / "pg_replslot" / "spilling"
            eventually(lambda: len(list(spills.glob("*.spill"))) > 0, "a spill file", 20)
            eventually(
                lambda: (
                    "utf-8"
                    in server.seen(server.search("data/pg_replslot"), "spilled", how="spill file")
                ),
                "all are spilled",
                20,
            )
            connection.rollback()
    finally:
        receiver.terminate()
        receiver.wait(20)
    eventually(lambda: _dropped(server), "the slot is dropped")


def _dropped(server: Server) -> bool:
    with server.connect() as connection:
        try:
            connection.execute("SELECT pg_drop_replication_slot('spilling')")
        except psycopg.errors.ObjectInUse:
            return False
    return True


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("plain")
    with running(folder, "wal_level=replica") as made:
        yield made


def test_an_update_logs_only_what_differs(plain: Server) -> None:
    canaries = plain.plant("updated")
    with plain.connect() as connection:
        connection.execute("CREATE TABLE changing (id int PRIMARY KEY, t text)")
        for number, canary in enumerate(canaries):
            shared = canary.token[:8] + "-" * 16
            connection.execute("INSERT INTO changing VALUES (%s, %s)", (number, shared))
            connection.execute("UPDATE changing SET t = %s WHERE id = %s", (canary.token, number))
        connection.execute("CHECKPOINT")
    found = plain.search()
    assert plain.seen(found, "updated", how=TABLE_FILE) == {"utf-8"}
    assert plain.seen(found, "updated", how=LOG) == {"utf-8 tail"}


def test_recycled_segments_keep_what_was_dropped(plain: Server) -> None:
    canaries = plain.plant("dropped")
    with plain.connect() as connection:
        connection.execute("CREATE TABLE dropping (t text)")
        connection.execute("CREATE TABLE other (t text)")
        for canary in canaries:
            connection.execute("INSERT INTO dropping VALUES (%s)", (canary.token,))
        connection.execute("DROP TABLE dropping")
        for _ in range(2):
            connection.execute("SELECT pg_switch_wal()")
            connection.execute("INSERT INTO other VALUES ('x')")
            connection.execute("CHECKPOINT")
        row = connection.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()
    assert row is not None
    found = plain.search()
    wanted = {canary.token for canary in canaries}
    ahead = {
        finding.canary
        for finding in found.findings
        if (file := getattr(finding.where, "file", "").rpartition("/")[2]) > row[0]
        and len(file) == 24
    }
    assert wanted <= ahead
    assert not plain.seen(found, "dropped", how=TABLE_FILE)
