"""Durations as people type them."""

from __future__ import annotations

import pytest

from experiments.duration import parse_duration_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("5m", 300), ("1h30m", 5400), (" 2M ", 120), ("0.5h", 1800)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "5 minutes", "m5", "-3s", "0", "0m", "5x", "1e3", "nan"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        parse_duration_s(text)
