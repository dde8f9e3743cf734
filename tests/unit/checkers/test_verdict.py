from __future__ import annotations

from testbed.checkers.verdict import Validity, Verdict, merge


def verdicts(*answers: Validity) -> list[Verdict]:
    return [Verdict("name", "promise", answer, "reason") for answer in answers]


def test_a_violation_outweighs_an_unknown_and_that_a_valid() -> None:
    assert merge(verdicts(Validity.VALID, Validity.VALID)) is Validity.VALID
    assert merge(verdicts(Validity.VALID, Validity.UNKNOWN)) is Validity.UNKNOWN
    assert merge(verdicts(Validity.UNKNOWN, Validity.VIOLATION)) is Validity.VIOLATION


def test_nothing_judged_is_unknown() -> None:
    assert merge([]) is Validity.UNKNOWN


def test_an_unknown_is_neither_valid_nor_a_violation_and_lies_between_them() -> None:
    assert sorted(Validity) == [Validity.VALID, Validity.UNKNOWN, Validity.VIOLATION]
    assert len({validity.value for validity in Validity}) == 3
