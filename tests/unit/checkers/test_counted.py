"""Numbers in words have the noun that goes with them."""

from __future__ import annotations

import pytest

from testbed.checkers.counted import counted


@pytest.mark.parametrize(
    ("count", "nouns", "text"),
    [
        (0, ["read"], "0 reads"),
        (1, ["read"], "1 read"),
        (2000, ["read"], "2,000 reads"),
        (1, ["dependency", "dependencies"], "1 dependency"),
        (3, ["dependency", "dependencies"], "3 dependencies"),
    ],
)
def test_how_many(count: int, nouns: list[str], text: str) -> None:
    assert counted(count, *nouns) == text
