"""The quick reader of sessions and the ordinary one make the same of the same document."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from testbed.history.quick_sessions import quick_table
from testbed.history.sessions import slow_table
from testbed.history.strict_json import written
from testbed.history.transaction_table import TransactionTable

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


def plain(table: TransactionTable) -> dict[str, Any]:
    """Every field, arrays as lists with their kind."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(table):
        value = getattr(table, field.name)
        if isinstance(value, np.ndarray):
            found[field.name] = (str(value.dtype), value.tolist())
        else:
            found[field.name] = list(value) if field.name.endswith(("s", "names")) else value
    found["source"] = table.source
    return found


@given(documents(operations(PLAIN, PLAIN)))
def test_the_usual_is_read_alike(document: Any) -> None:
    quick = quick_table(document, "h")
    assert quick is not None
    assert plain(quick) == plain(slow_table(document, written(document, 0), "h"))


@given(documents(operations(PLAIN | ODD, PLAIN | ODD)))
def test_the_rest_is_left_to_the_ordinary_reader_or_read_alike(document: Any) -> None:
    quick = quick_table(document, "h")
    if quick is not None:
        assert plain(quick) == plain(slow_table(document, written(document, 0), "h"))


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
