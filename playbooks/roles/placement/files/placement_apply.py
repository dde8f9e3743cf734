"""Makes a jurisdiction's cluster agree with the policy: tables, publication, subscriptions.

Reads the settings file that is its argument, and prints ``{"changed": bool, "changes": [...]}``
(sentences) or ``{"error": text}``. With ``--check`` it says what would change and changes nothing.
On a standby there is nothing to do: it has all from its primary.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import psycopg
from placement_publication import publish, stale
from placement_seed import seed
from placement_way import PlacementError, lost, until, ways
from psycopg import sql

STREAM_S_MAX = 30.0
PEER_S_MAX = 60.0
"""How long another jurisdiction may need to publish by the policy that is played on it too."""

STREAMING = """
SELECT count(*) FROM pg_stat_subscription
WHERE pid IS NOT NULL AND received_lsn IS NOT NULL AND worker_type = 'apply'
"""


class Placement:
    """One server's part.

    Args:
        settings: As ``placement.json`` has them.
        check: Whether to change nothing.
    """

    def __init__(self, settings: dict[str, Any], *, check: bool) -> None:
        self.settings = settings
        self.part = settings["part"]
        self.check = check
        self.changes: list[str] = []
        self.connection = psycopg.connect(
            host=settings["socket"], user="postgres", dbname="testbed", autocommit=True
        )

    def agree(self) -> None:
        """Everything, in the order in which each needs the ones before."""
        if self.value("SELECT pg_is_in_recovery()"):
            return
        self.agree_schema()
        self.agree_publication()
        self.agree_subscriptions()
        if not self.check:
            until("a stream from every jurisdiction", self.all_stream, STREAM_S_MAX)

    def value(self, query: str, *arguments: Any) -> Any:
        """The one value of a query; None without a row."""
        row = self.connection.execute(query, arguments).fetchone()
        return None if row is None else row[0]

    def change(self, sentence: str, *statements: Any) -> None:
        """Say a change, and make it."""
        self.changes.append(sentence)
        if not self.check:
            for statement in statements:
                self.connection.execute(statement)

    def agree_schema(self) -> None:
        """The tables of the policy; those of another policy cannot become them."""
        schema = Path(self.settings["schema"]).read_text(encoding="utf-8")
        digest = hashlib.sha256(schema.encode()).hexdigest()
        present = self.value("SELECT current_setting('placement.schema', true)")
        if present == digest:
            return
        if present:
            raise PlacementError(
                "this database was made for another policy: end this world and make a new one"
            )
        self.change(
            "make the tables of the policy",
            "BEGIN",
            "SET LOCAL ROLE testbed",
            schema,
            "RESET ROLE",
            # What was said by whom: an erasure resets it.
            "CREATE EXTENSION pg_stat_statements",
            # A client that carries a position asks how far a stream has been applied.
            "GRANT SELECT ON pg_replication_origin_status TO testbed",
            "GRANT EXECUTE ON FUNCTION pg_show_replication_origin_status() TO testbed",
            sql.SQL("ALTER DATABASE testbed SET placement.schema = {}").format(sql.Literal(digest)),
            "COMMIT",
        )

    def agree_publication(self) -> None:
        """A publication of what may cross and of nothing else."""
        if self.value("SELECT to_regclass('public.mark')") is None:
            self.changes.append("publish what may cross")
            return  # only said, not done
        agree = stale if self.check else publish
        if agree(self.connection, self.settings) is not None:
            tables = ", ".join(one["table"] for one in self.part["publishes"])
            self.changes.append(f"publish what may cross of {tables}")

    def agree_subscriptions(self) -> None:
        """A subscription to what every other jurisdiction lets cross that misses nothing of it."""
        for way in ways(self.settings):
            try:
                reason = lost(self.connection, way)
            except psycopg.OperationalError:
                continue  # it is away; whether its stream comes back is waited for
            if reason is None:
                continue
            if self.check:
                self.changes.append(f"subscribe to {way.peer}: {reason}")
                continue
            rows = seed(self.settings, way, PEER_S_MAX)
            if rows is not None:
                self.changes.append(f"subscribe to {way.peer}: {reason}; {rows} rows were read")

    def all_stream(self) -> bool:
        """Whether every subscription has heard from its publisher."""
        return bool(self.value(STREAMING) == len(self.part["peers"]))


def main() -> int:
    """Run it; the exit code."""
    check = "--check" in sys.argv
    try:
        settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
        placement = Placement(settings, check=check)
        placement.agree()
    except (PlacementError, psycopg.Error, OSError) as error:
        print(json.dumps({"error": " ".join(str(error).split())}))
        return 3
    print(json.dumps({"changed": bool(placement.changes), "changes": placement.changes}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
