"""Whether sessions lived through a promotion."""

from __future__ import annotations

import pytest

from testbed.checkers.session_span import check
from testbed.checkers.verdict import Validity
from tests.histories import S, Scribe


def judged(*, terms: tuple[int, int] = (1, 2), reader: str = "one", read_s: int = 9) -> Validity:
    scribe = Scribe()
    scribe.call("write", S, 2 * S, process="one", value=1, term=terms[0], node="a")
    scribe.call("write", 5 * S, 6 * S, process="two", value=2, term=terms[1], node="b")
    scribe.call("read", read_s * S, 10 * S, process=reader, result=2, node="b")
    return check(scribe.history(), {"write"}, {"read"}).validity


def test_a_session_that_wrote_before_and_read_after_spans_a_promotion() -> None:
    assert judged() is Validity.VALID


@pytest.mark.parametrize(
    "lacking",
    [{"terms": (1, 1)}, {"reader": "two"}, {"reader": "three"}, {"read_s": 3}],
    ids=["no promotion", "wrote after it only", "never wrote", "read before it"],
)
def test_without_one_nothing_was_put_to_the_test(lacking: dict[str, object]) -> None:
    assert judged(**lacking) is Validity.UNKNOWN  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("writes", "read_s", "validity"),
    [
        # Who, from, to and the term; the session is the first.
        ([("one", 0, 2, 1), ("two", 5, 50, 2), ("three", 10, 20, 2)], 30, Validity.VALID),
        ([("one", 0, 2, 1), ("two", 5, 50, 2), ("three", 10, 20, 2)], 20, Validity.UNKNOWN),
        ([("one", 0, 6, 2), ("two", 5, 8, 1)], 20, Validity.UNKNOWN),
        ([("one", 0, 6, 1), ("two", 5, 6, 2)], 20, Validity.UNKNOWN),
        ([("one", 0, 10, 1), ("two", 4, 5, 2)], 20, Validity.UNKNOWN),
        ([("one", 0, 5, 1), ("two", 4, 6, 2)], 20, Validity.VALID),
    ],
)
def test_a_promotion_is_the_first_acknowledgement_of_a_later_term(
    writes: list[tuple[str, int, int, int]], read_s: int, validity: Validity
) -> None:
    scribe = Scribe()
    for process, start, end, term in writes:
        scribe.call("write", start * S, end * S, process=process, term=term)
    scribe.call("read", read_s * S, (read_s + 1) * S, process="one")
    assert check(scribe.history(), {"write"}, {"read"}).validity is validity


@pytest.mark.parametrize(
    ("logs", "validity"),
    [({}, Validity.VALID), ({"a": "west", "b": "east"}, Validity.UNKNOWN)],
)
def test_a_later_term_of_another_log_is_no_promotion(
    logs: dict[str, str], validity: Validity
) -> None:
    """The clusters of a mesh count their terms apart."""
    scribe = Scribe().call("write", S, 2 * S, process="one", value=1, term=1, node="a")
    scribe.call("write", 5 * S, 6 * S, process="two", value=2, term=2, node="b")
    scribe.call("read", 9 * S, 10 * S, process="one", result=2, node="a")
    assert check(scribe.history(), {"write"}, {"read"}, logs).validity is validity
