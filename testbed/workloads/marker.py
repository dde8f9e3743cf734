"""The marker: one write after the heal, looked for on every node.

A node that shows a marker has applied everything that was acknowledged before the marker was
asked for, as long as one log orders all writes. It is what makes a final read final.
"""

from __future__ import annotations

from testbed.clients.protocol import Invocation

MARK = "mark"
"""Writes a marker; its value is the marker's number."""

MARKED = "marked"
"""Asks a node whether it shows the marker of that number: ``ok`` with true or false."""


def mark(number: int) -> Invocation:
    """Write marker ``number``, at the writer's endpoint; writing one twice is harmless."""
    return Invocation(MARK, number)


def marked(number: int) -> Invocation:
    """Ask whether marker ``number`` is to be seen, at any endpoint."""
    return Invocation(MARKED, number, endpoint="reader")
