"""An interrupt within a callback of a foreign library is heard, and nothing else is touched."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import pytest

from testbed.history.lost_interrupts import interrupts_told


def called_back(error: BaseException) -> None:
    """Raise within a callback of the C library."""

    def compare(_one: int, _other: int) -> int:
        raise error

    numbers = (ctypes.c_int * 2)(2, 1)
    function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(compare)
    ctypes.CDLL(None).qsort(numbers, 2, ctypes.sizeof(ctypes.c_int), function)


def test_an_interrupt_is_raised_when_the_library_is_done(
    capfd: pytest.CaptureFixture[str],
) -> None:
    hook = sys.unraisablehook
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"), interrupts_told():
        called_back(KeyboardInterrupt("SIGTERM"))
    assert sys.unraisablehook is hook
    assert capfd.readouterr().err == ""


def test_other_errors_go_where_they_went(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda ignored: seen.append(ignored.exc_type))
    with interrupts_told():
        called_back(ValueError("none of ours"))
    assert seen == [ValueError]


def test_what_is_raised_within_is_raised() -> None:
    hook = sys.unraisablehook
    with pytest.raises(ValueError, match="within"), interrupts_told():
        raise ValueError("within")
    assert sys.unraisablehook is hook
