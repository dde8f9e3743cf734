"""How many of something, in words."""

from __future__ import annotations


def counted(count: int, what: str) -> str:
    """So many of something: ``1 read``, ``2,000 reads``, ``2 dependencies``."""
    if count == 1:
        return f"1 {what}"
    many = f"{what.removesuffix('y')}ies" if what.endswith("cy") else f"{what}s"
    return f"{count:,} {many}"
