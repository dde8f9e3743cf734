"""What operators do to a jurisdiction's data while clients go on: each can make it leave.

Each work is done on the primary of one jurisdiction, leaves something that can be counted, and is
undone by removing what it made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import asyncpg

from faults.edited_policy import EditedPolicy
from faults.maintenance_site import Site, run, store_of
from faults.policy_edit import NarrowPolicy
from faults.protocol import FaultError
from faults.restore_base import RestoreBase
from testbed.probes.servers import connected
from testbed.toolchain.programs import locate
from testbed.topology.placement_edits import EDITS

DATABASE = "testbed"
ADDED = "gift_note"
SEEDED = "seeded"
RESTORED = "restored"

_LIMIT_S = 30.0
_SEED_S = 20.0
_POLL_S = 0.1
_DUMPS = "/srv/backup/dumps"

# A subscriber that had more from a lost primary skips what lies before that place in the log: what
# is written next lies in a new segment.
_BEYOND = "select pg_switch_wal()"
_ADD = f"alter table orders add column if not exists {ADDED} text"
_FILL = f"update orders set {ADDED} = delivery_address where residency = $1"  # noqa: S608
_EMPTY = f"update orders set {ADDED} = null where {ADDED} is not null"  # noqa: S608
_FILLED = f"select count(*) from orders where {ADDED} is not null"  # noqa: S608
_COLUMN = "select count(*) from pg_attribute where attrelid = 'orders'::regclass and attname = $1"
_EXISTS = "select count(*) from pg_database where datname = $1"
_COPIED = "select count(*) from customers"


class Work(Protocol):
    """One kind of work."""

    async def do(self, site: Site) -> None:
        """Do it. Raises FaultError, or what a connection that is lost raises."""

    async def count(self, site: Site) -> int:
        """How much of it is there now; 0 when nothing is."""

    async def undo(self, site: Site) -> None:
        """Remove what it made; idempotent."""


class AddColumn:
    """A column for a personal value is added to a published table, and filled."""

    async def do(self, site: Site) -> None:
        """Add and fill it."""
        async with connected(site.primary, DATABASE) as connection:
            await connection.execute(_ADD)
            await connection.execute(_BEYOND)
            await connection.execute(_FILL, site.jurisdiction)

    async def count(self, site: Site) -> int:
        """Rows with a value in it."""
        async with connected(site.primary, DATABASE) as connection:
            if not await connection.fetchval(_COLUMN, ADDED):
                return 0
            return int(await connection.fetchval(_FILLED))

    async def undo(self, site: Site) -> None:
        """Drop it."""
        async with connected(site.primary, DATABASE) as connection:
            try:
                await connection.execute(f"alter table orders drop column if exists {ADDED}")
            except asyncpg.DependentObjectsStillExistError:
                # A server that took over with an older policy still publishes it.
                await connection.execute(_EMPTY)


class SeedSubscriber:
    """A new subscriber gets its first copy of what another jurisdiction publishes."""

    async def do(self, site: Site) -> None:
        """Make a database with the same tables, and have it filled by a subscription."""
        async with connected(site.primary, DATABASE) as connection:
            row = await connection.fetchrow(
                "select subconninfo, subpublications[1] as published from pg_subscription limit 1"
            )
        if row is None:
            raise FaultError(f"{site.primary.name} subscribes to nothing: name another region")
        await _database(site, SEEDED)
        dump = ["pg_dump", "--schema-only", "--no-publications", "--no-subscriptions", DATABASE]
        await run(site, site.primary, f"{_words(site, dump)} | {_psql(site, SEEDED)}")
        async with connected(site.primary, SEEDED) as connection:
            source = str(row["subconninfo"]).replace("'", "''")
            await connection.execute(
                f"create subscription {SEEDED} connection '{source}'"
                f' publication "{row["published"]}" with (copy_data = true)'
            )
            await _seeded(connection)

    async def count(self, site: Site) -> int:
        """Rows that were copied."""
        return await _rows(site, SEEDED)

    async def undo(self, site: Site) -> None:
        """Drop the subscription and the database."""
        async with connected(site.primary) as connection:
            if not await connection.fetchval(_EXISTS, SEEDED):
                return
        async with connected(site.primary, SEEDED) as connection:
            await connection.execute(f"drop subscription if exists {SEEDED}")
        await _drop(site, SEEDED)


class RestoreDump:
    """The newest dump of the jurisdiction is restored beside its database."""

    async def do(self, site: Site) -> None:
        """Restore it from the jurisdiction's own store."""
        store = store_of(site)
        await _database(site, RESTORED)
        newest = f"$(ls -t {_DUMPS}/{site.jurisdiction.lower()}-*.dump | head -n 1)"
        restore = ["pg_restore", "--no-publications", "--no-subscriptions", "--exit-on-error"]
        restore += [f"--host={site.primary.address}", "--username=postgres", f"--dbname={RESTORED}"]
        await run(site, store, f"{_words(site, restore)} {newest}")

    async def count(self, site: Site) -> int:
        """Rows that were restored."""
        return await _rows(site, RESTORED)

    async def undo(self, site: Site) -> None:
        """Drop the database."""
        await _drop(site, RESTORED)


WORKS: Mapping[str, Work] = MappingProxyType(
    {
        "add_column": AddColumn(),
        "seed_subscriber": SeedSubscriber(),
        "restore_dump": RestoreDump(),
        "restore_base": RestoreBase(),
        "narrow_policy": NarrowPolicy(),
        **{name: EditedPolicy(edit) for name, edit in EDITS.items()},
    }
)
"""Name in a plan -> the work."""


async def _database(site: Site, name: str) -> None:
    async with connected(site.primary) as connection:
        await connection.execute(f"drop database if exists {name} with (force)")
        await connection.execute(f"create database {name} owner testbed")


async def _drop(site: Site, name: str) -> None:
    async with connected(site.primary) as connection:
        await connection.execute(f"drop database if exists {name} with (force)")


async def _rows(site: Site, name: str) -> int:
    async with connected(site.primary) as connection:
        if not await connection.fetchval(_EXISTS, name):
            return 0
    async with connected(site.primary, name) as connection:
        return int(await connection.fetchval(_COPIED))


async def _seeded(connection: asyncpg.Connection) -> None:
    """Wait until every table has had its first copy."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _SEED_S
    missing = "select count(*) from pg_subscription_rel where srsubstate not in ('r', 's')"
    while await connection.fetchval(missing):
        if loop.time() > deadline:
            raise FaultError(f"the first copy had not ended after {_SEED_S:.0f} s")
        await asyncio.sleep(_POLL_S)


def _words(site: Site, command: list[str]) -> str:
    program, *arguments = command
    host = [] if any(word.startswith("--host") for word in arguments) else [
        f"--host={site.primary.address}", "--username=postgres",
    ]  # fmt: skip
    return " ".join([str(locate("postgres").folder / program), *host, *arguments])


def _psql(site: Site, database: str) -> str:
    words = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={database}"]
    return _words(site, words)
