"""How many of something, in words."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """So many of something: ``1 write``, ``2,000 writes``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
