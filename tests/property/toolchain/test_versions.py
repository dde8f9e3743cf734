from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from testbed.toolchain.versions import Requirement, parse, show

VERSIONS = st.lists(st.integers(0, 9999), min_size=2, max_size=5).map(tuple)
WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1)


@given(VERSIONS, WORDS, st.sampled_from([" ", " v", " version ", "-"]))
def test_a_version_is_read_as_it_was_shown(version, word, between):
    assert parse(f"{word}{between}{show(version)}\n{word}") == version


@given(VERSIONS, VERSIONS, VERSIONS)
def test_a_range_accepts_just_what_lies_in_it(minimum, below, version):
    accepted = Requirement("x", minimum, below).accepts(version)
    assert accepted == (minimum <= version and not below <= version)


@given(st.text())
def test_nothing_that_a_program_prints_breaks_the_reading(printed):
    version = parse(printed)
    assert version is None or all(isinstance(part, int) for part in version)
