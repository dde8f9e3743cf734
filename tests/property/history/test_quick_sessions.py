"""The quick readers of sessions and the ordinary one make the same of the same document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.history.quick_sessions import quick_table
from testbed.history.scanned_sessions import scanned_table
from testbed.history.sessions import slow_table
from testbed.history.strict_json import loads, written
from tests.tables_seen import every_field, sessions_seen

PLAIN = st.one_of(st.integers(-2, 4), st.sampled_from(["", "x", "1", 2**63, -(2**70)]))
ODD: st.SearchStrategy[Any] = st.sampled_from([True, 1.0, None, [1], {"a": 1}])


def operations(keys: st.SearchStrategy[Any], values: st.SearchStrategy[Any]) -> Any:
    return st.one_of(
        st.tuples(st.just("w"), keys, values).map(list),
        st.tuples(st.just("r"), keys, values | st.none()).map(list),
    )


def documents(operation: st.SearchStrategy[Any]) -> Any:
    transaction = st.fixed_dictionaries(
        {"committed": st.booleans(), "ops": st.lists(operation, max_size=4)}
    )
    sessions = st.lists(st.lists(transaction, max_size=4), max_size=4)
    return st.fixed_dictionaries({"sessions": sessions})


@given(documents(operations(PLAIN, PLAIN)))
def test_the_usual_is_read_alike(document: Any) -> None:
    quick = quick_table(document, "h")
    assert quick is not None
    assert every_field(quick) == every_field(slow_table(document, written(document, 0), "h"))


@given(documents(operations(PLAIN | ODD, PLAIN | ODD)))
def test_the_rest_is_left_to_the_ordinary_reader_or_read_alike(document: Any) -> None:
    quick = quick_table(document, "h")
    if quick is not None:
        assert every_field(quick) == every_field(slow_table(document, written(document, 0), "h"))


def spread(document: Any, blank: str, *, sort: bool = False) -> bytes:
    """A document as text, with a blank wherever there may be one."""
    separators = (f"{blank},{blank}", f"{blank}:{blank}")
    text = json.dumps(document, separators=separators, sort_keys=sort)
    for bracket in "[]{}":
        text = text.replace(bracket, blank + bracket + blank)
    return text.encode()


WHOLE = st.integers(-3, 5) | st.sampled_from([10**18 - 1, 12345678, 1 - 10**18])


@given(documents(operations(WHOLE, WHOLE)), st.sampled_from(["", " ", "\n\t", "\r\n  "]))
def test_whole_numbers_are_scanned_alike(document: Any, blank: str) -> None:
    data = spread(document, blank, sort=True)
    scanned = scanned_table(data, "h")
    assert scanned is not None
    assert sessions_seen(scanned) == sessions_seen(slow_table(document, data, "h"))


@given(documents(operations(WHOLE, WHOLE)), st.data())
def test_damaged_sessions_are_left_to_the_ordinary_reader_or_scanned_alike(
    document: Any, data: Any
) -> None:
    text = bytearray(spread(document, "", sort=True))
    at = data.draw(st.integers(0, len(text) - 1))
    piece = st.sampled_from([b"", b"0", b"-", b" ", b"]", b"[", b",", b'"', b"1e3", b"\0", b"null"])
    text[at : at + data.draw(st.integers(0, 3))] = data.draw(piece | st.binary(max_size=2))
    scanned = scanned_table(bytes(text), "h")
    if scanned is not None:
        assert sessions_seen(scanned) == sessions_seen(
            slow_table(loads(bytes(text)), bytes(text), "h")
        )


@given(documents(operations(WHOLE | ODD | PLAIN, WHOLE | ODD | PLAIN)))
def test_what_is_no_whole_number_is_not_scanned_or_scanned_alike(document: Any) -> None:
    data = spread(document, "")
    scanned = scanned_table(data, "h")
    if scanned is not None:
        assert sessions_seen(scanned) == sessions_seen(slow_table(document, data, "h"))


@pytest.mark.parametrize("least", [0, 10**9, -(2**14)])
def test_many_keys_and_values_of_any_size_are_scanned_alike(least: int) -> None:
    numbers = range(least, least + 2**15)
    ops = [["w", number * 7, number] for number in numbers]
    seen = [["r", number * 7, number] for number in numbers] + [["r", 0, None]]
    sessions = [[{"committed": True, "ops": ops}], [{"committed": False, "ops": seen}]]
    document = {"sessions": sessions}
    data = spread(document, "")
    scanned = scanned_table(data, "h")
    assert scanned is not None
    assert sessions_seen(scanned) == sessions_seen(slow_table(document, data, "h"))


def test_what_the_format_does_not_want_is_no_table() -> None:
    sound = {"committed": True, "ops": [["w", 1, 1]]}
    assert quick_table({"sessions": [[sound]]}, "h") is not None
    wrongs: tuple[Any, ...] = (
        [],
        {"sessions": {}},
        {"sessions": [[sound]], "more": 1},
        {"sessions": [sound]},
        {"sessions": [[{**sound, "committed": 1}]]},
        {"sessions": [[{**sound, "id": 1}]]},
        {"sessions": [[{"committed": True, "ops": [["w", 1]]}]]},
        {"sessions": [[{"committed": True, "ops": [["a", 1, 1]]}]]},
        {"sessions": [[{"committed": True, "ops": [["w", 1, None]]}]]},
        {"sessions": [[{"committed": True, "ops": ["w11"]}]]},
    )
    for wrong in wrongs:
        assert quick_table(wrong, "h") is None
        assert scanned_table(spread(wrong, ""), "h") is None
