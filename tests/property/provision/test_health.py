"""Laws of what the launcher compares."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from testbed.provision.launcher.health import _unchunked, contains
from testbed.provision.launcher.process import digest

# Keys are compared, never read: few of them meet more often.
KEY = st.sampled_from(["role", "state", "lag", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3),
    max_leaves=6,
)
OBJECT = st.dictionaries(KEY, JSON, max_size=3)


@given(JSON)
def test_everything_contains_itself(value: Any) -> None:
    assert contains(value, value)


@given(OBJECT, OBJECT)
def test_more_keys_change_nothing(expected: dict[str, Any], more: dict[str, Any]) -> None:
    assert contains({**more, **expected}, expected)


@given(OBJECT.filter(bool), st.data())
def test_a_key_that_is_missing_is_missed(expected: dict[str, Any], data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(sorted(expected)))
    assert not contains({key: expected[key] for key in expected if key != gone}, expected)


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=5))
def test_chunks_are_put_together(pieces: list[bytes]) -> None:
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    assert _unchunked(chunked) == b"".join(pieces)


SPEC = st.fixed_dictionaries(
    {"argv": st.lists(st.text(max_size=5), max_size=3), "files": OBJECT, "env": OBJECT}
)


@given(SPEC, JSON, JSON)
def test_how_a_program_is_waited_for_does_not_count_as_another_program(
    spec: dict[str, Any], healthy: Any, settings: Any
) -> None:
    assert digest({**spec, "healthy": healthy, "settings": settings}) == digest(spec)


@given(SPEC, SPEC)
def test_another_command_line_does(spec: dict[str, Any], other: dict[str, Any]) -> None:
    assert (digest(spec) == digest(other)) is (spec == other)
