from __future__ import annotations

import pytest

from testbed.report.visible import compact, visible, visible_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("eu-west", "eu-west"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("\ud800", "\\ud800"),
        ("\ufffe", "\\ufffe"),
        ("<b>&\"'", "<b>&\"'"),
        ("Zürich ✓ 東京", "Zürich ✓ 東京"),
    ],
)
def test_hidden_characters_are_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_long_text_is_cut_and_says_so() -> None:
    assert visible("x" * 50, 10) == "xxxxxxxxx…"


def test_line_ends_stay_line_ends_where_they_may() -> None:
    assert visible_lines("a\x1b\nb\r\nc") == "a\\x1b\nb\nc"


def test_values_are_compact_json() -> None:
    assert compact({"a": [1, None, "x"]}) == '{"a":[1,null,"x"]}'
    assert compact("plain") == "plain"
    assert compact({1, 2}) == "{1, 2}"
    assert len(compact(list(range(1000)), 50)) == 50
