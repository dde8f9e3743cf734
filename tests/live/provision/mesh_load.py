"""Writes to one region until a file appears; run in the wan by the test of a join.

``python mesh_load.py ENTRY NUMBER STOP``: prints how many increments were acknowledged, and how
many were not, for whatever reason.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg


def main() -> None:
    """Write, and say what was acknowledged."""
    entry, number, stop = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    done, failed = 0, 0
    source = f"host={entry} port=5000 user=testbed dbname=testbed connect_timeout=5"
    with psycopg.connect(source, autocommit=True) as connection:
        while not stop.exists():
            try:
                connection.execute("SELECT increment(2, %s, 1)", (done % 5,))
                done += 1
            except psycopg.Error:
                failed += 1
            element = number * 1_000_000 + done
            connection.execute("INSERT INTO set_element VALUES (2, %s)", (element,))
            connection.execute(
                "INSERT INTO item (space, key, value) VALUES (2, %s, %s)"
                " ON CONFLICT (space, key) DO UPDATE SET value = excluded.value",
                (done % 40, element),
            )
            if done % 5 == 0:
                connection.execute("DELETE FROM item WHERE space = 2 AND key = %s", (done % 40,))
    print(done, failed)


if __name__ == "__main__":
    main()
