"""The bound on one transaction or string of a file of sessions."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.history import session_bounds as module
from testbed.history.problem import HistoryError
from testbed.history.session_bounds import refuse_long
from testbed.history.sessions import table_of, transactions
from testbed.history.source import Source

texts = st.text(st.sampled_from('ab"\\{[]}:,ä'), max_size=6) | st.just('"committed"')
operations = st.lists(st.tuples(st.sampled_from("rw"), texts, texts), max_size=9)


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """A document, a transaction a line, its names in any order."""
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        names: dict[str, Any] = {"committed": True, "ops": draw(operations)}
        order = draw(st.permutations(sorted(names)))
        text = json.dumps({name: names[name] for name in order}, ensure_ascii=draw(st.booleans()))
        lines.append(f"[{text}\n]")
    return ('{"sessions": [\n' + ",\n".join(lines) + "]}").encode()


@given(data=written(), drawn=st.data())
def test_exactly_what_is_longer_than_the_bound_is_refused(data: bytes, drawn: Any) -> None:
    lines = enumerate(data.split(b"\n"), 1)
    lengths = {number: len(line) - 1 for number, line in lines if line.startswith(b"[")}
    # Names alone take less: their strings are not what is too long.
    bound = max(drawn.draw(st.sampled_from(list(lengths.values()))) - drawn.draw(st.booleans()), 50)
    long = [number for number, length in lengths.items() if length > bound]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LENGTH_MAX", bound)
        if not long:
            refuse_long(data, "h")
            return
        with pytest.raises(HistoryError) as refused:
            refuse_long(data, "h")
    assert str(refused.value) == (
        f"h:{long[0]}:2: expected a transaction of at most {bound} bytes, this one is longer"
    )


LONG = '"' + r"\"" * 200 + '"'


@pytest.mark.parametrize(
    ("document", "place", "what"),
    [
        (
            f'{{"sessions": [[\n {{"committed": true, "ops": [["w", {LONG}, 1]]}}]]}}',
            "2:36",
            "string",
        ),
        (f'{{"sessions":\n{LONG[:-1]}', "2:1", "string"),
        (f'{{"sessions": [], "ä":\n"ä", {LONG}: 1}}', "2:6", "string"),
        ('{"sessions": [[{"committed": 1, "ops": [' + "1," * 200 + "1]}]]}", "1:16", "transaction"),
    ],
)
def test_the_place_of_what_is_too_long(
    document: str, place: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LENGTH_MAX", 256)
    for read in (table_of, transactions):
        with pytest.raises(
            HistoryError, match=f"h:{place}: expected a {what} of at most 256 bytes"
        ):
            read(Source(io.BytesIO(document.encode()), "h"))


def test_documents_of_many_transactions_are_not_walked_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LENGTH_MAX", 1000)
    monkeypatch.setattr(module, "_TOKEN", None)
    transaction = {"committed": True, "ops": [["w", "x", 1]]}
    refuse_long(json.dumps({"sessions": [[transaction] * 100]}).encode(), "h")
