"""Choices that Hypothesis draws all at once, a byte each.

Several times quicker than to draw them one by one, and of a list of choices the usual is as long as
any other. What fails is still made smaller: the first of all options is the simplest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st


class Dice:
    """Choices by bytes; the first options where there are no more.

    Args:
        thrown: The bytes.
    """

    def __init__(self, thrown: bytes) -> None:
        self._left = iter(thrown)

    def of(self, options: Sequence[Any]) -> Any:
        """One of several."""
        return options[next(self._left, 0) % len(options)]

    def number(self, least: int, most: int) -> int:
        """One of these, with both ends."""
        return least + next(self._left, 0) % (most - least + 1)

    def heads(self) -> bool:
        """Yes or no."""
        return self.number(0, 1) == 1


def dice(choices: int) -> st.SearchStrategy[Dice]:
    """Dice for so many choices."""
    return st.binary(min_size=choices, max_size=choices).map(Dice)
