"""Makes a node lose what it keeps for regions that do not follow: the fault `slot-loss`."""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import time
from typing import Any

from mesh_way import Connection, connected

PARTS = 8
FOLLOW_S = 3.0
POLL_S = 0.1

WRITE = "SELECT pg_logical_emit_message(false, 'testbed', repeat('x', %s), flush => true)"
"""A message in the log that no subscription asks for."""

BEHIND = """
SELECT slot_name FROM pg_replication_slots
WHERE slot_type = 'logical' AND wal_status <> 'lost' AND CASE WHEN %s = 0
    THEN confirmed_flush_lsn < pg_current_wal_lsn() - 8192::numeric
    ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > %s END
"""


def flood(settings: dict[str, Any]) -> None:
    """Write so much that the slots are lost whose regions do not follow, and no other.

    Args:
        settings: As ``mesh.json`` has them.

    Raises:
        ValueError: Every region follows.
    """
    bound = int(settings["slot_bound_bytes"])
    with connected(settings) as connection:
        behind: set[str] = set()
        for number in range(PARTS * 3 // 2):
            connection.execute(WRITE, (bound // PARTS,))
            # A slot keeps WAL from the last such snapshot that its reader has gone past.
            connection.execute("SELECT pg_log_standby_snapshot()")
            deadline = time.monotonic() + FOLLOW_S
            while late := behind_of(connection, bound // 2 if number else 0) - behind:
                if time.monotonic() > deadline:
                    behind |= late
                    break
                time.sleep(POLL_S)
            if not behind:
                raise ValueError("every region follows: cut one off before")
        connection.execute("CHECKPOINT")


def behind_of(connection: Connection, kept_bytes: int) -> set[str]:
    """The slots whose readers have not confirmed what was written, or that keep more than this."""
    return {row[0] for row in connection.execute(BEHIND, (kept_bytes, kept_bytes))}
