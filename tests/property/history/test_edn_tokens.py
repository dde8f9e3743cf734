"""Where a collection of EDN ends, told by leaps, against a walk from character to character."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from testbed.history.edn_tokens import end_of_collection

TEXTS = st.text(alphabet='[[(]{})]"\\;\n a', max_size=40)


def walked(text: str, position: int, bound: int, depth: int) -> int | None:
    text = text[:bound]
    within = ""  # a string or a comment, by what begins it
    while position < len(text):
        mark = text[position]
        position += 2 if mark == "\\" and within != ";" else 1
        if within:
            ended = "\n" if within == ";" else '"'
            within = "" if mark == ended else within
        elif mark in '";':
            within = mark
        elif mark in "[({":
            depth += 1
        elif mark in "])}":
            depth -= 1
            if not depth:
                return position
    return None


@given(TEXTS, st.integers(0, 5), st.integers(0, 45), st.integers(1, 4))
@example('[[[["]"]]]] 1] ]', 0, 40, 2)
@example('"\\"]"]', 0, 40, 1)
@example("\\]; ]\n]]", 0, 40, 1)
@example("[" * 9 + "]" * 10, 0, 40, 1)
def test_a_collection_ends_where_a_walk_ends_it(
    text: str, position: int, bound: int, depth: int
) -> None:
    found = end_of_collection(text, min(position, len(text)), bound, depth)
    assert found == walked(text, position, bound, depth)
