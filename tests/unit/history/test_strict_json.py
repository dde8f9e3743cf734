"""JSON read strictly: where what is refused stands."""

from __future__ import annotations

import pytest

from testbed.history.strict_json import JsonError, loads

LONG = "1" * 30  # beyond 64 bits: the document is read exactly
TOO_LONG = "1" * 1001


@pytest.mark.parametrize(
    ("document", "line", "column", "why"),
    [
        (f'{{"a":\n {LONG},\n "b": -{TOO_LONG}}}', 3, 7, "at most 1000 digits"),
        (f'["{TOO_LONG}",\n "\\"{TOO_LONG}", {TOO_LONG}]', 2, 1009, "at most 1000 digits"),
        (f"[{LONG},\n 1.5, 1e999]", 2, 7, "numbers that are finite"),
    ],
)
def test_a_number_that_is_refused_has_its_place(
    document: str, line: int, column: int, why: str
) -> None:
    with pytest.raises(JsonError, match=why) as refused:
        loads(document.encode())
    assert (refused.value.line, refused.value.column) == (line, column)


def test_a_long_number_is_exact() -> None:
    assert loads(f"[{LONG}, 1.5, 1]".encode()) == [int(LONG), 1.5, 1]
