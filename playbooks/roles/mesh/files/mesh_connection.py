"""A connection to this node that is kept, for what is asked of it again and again."""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

Answers = dict[str, list[DictRow]]


class KeptConnection:
    """Answers questions; threads take turns.

    A connection for each question costs the server several times what the answer does.

    Args:
        source: How to connect.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._turn = threading.Lock()
        self._connection: psycopg.Connection[DictRow] | None = None

    def ask(self, queries: Mapping[str, Any]) -> Answers:
        """The rows of each query, by its name.

        Raises:
            psycopg.Error: A query failed, or nobody answers.
        """
        with self._turn:
            if self._connection is not None:
                try:
                    return self._answers(self._connection, queries)
                except psycopg.Error:
                    # Its server may have been started anew since: only a new one can tell.
                    self._drop()
            self._connection = psycopg.connect(self._source, autocommit=True, row_factory=dict_row)
            try:
                return self._answers(self._connection, queries)
            except psycopg.Error:
                self._drop()
                raise

    def close(self) -> None:
        """Close it; the next question opens another one."""
        with self._turn:
            self._drop()

    def _answers(
        self, connection: psycopg.Connection[DictRow], queries: Mapping[str, Any]
    ) -> Answers:
        return {name: connection.execute(query).fetchall() for name, query in queries.items()}

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
