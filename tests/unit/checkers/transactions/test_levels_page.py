"""The page of levels names all that the program knows."""

from pathlib import Path

import pytest

from testbed.checkers.transactions import anomaly, level

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "levels.md"


@pytest.mark.parametrize("name", [n for n in level.ALL if level.base_of(n)[1] == ""])
def test_every_level_has_a_row(name):
    assert f"\n| `{name}` |" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list(anomaly.MEANING))
def test_every_anomaly_has_a_row_with_its_meaning(name):
    row = f"\n| `{name}` | {anomaly.MEANING[name]} |"
    assert row in PAGE.read_text(encoding="utf-8")
