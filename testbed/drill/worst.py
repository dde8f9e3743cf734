"""The worst readings of a drill: how far the signals went from what is healthy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from testbed.drill.drill import Bound
from testbed.runner.folder import FolderError

FILE = "signals.jsonl"
_READ = (int, float, type(None))


@dataclass(frozen=True, slots=True)
class Worst:
    """The worst reading of one bound's signal.

    Args:
        bound: What is healthy.
        value: The reading; None when there was none at all.
        at_s: When, on the run's clock.
        broken_s: For how long in all the bound was broken, in seconds.
    """

    bound: Bound
    value: float | None
    at_s: float | None
    broken_s: float


def read_signals(metrics: Path) -> tuple[dict[str, Any], ...]:
    """The signals that a drill recorded, in order; a last line that was cut off is left out.

    Raises:
        FolderError: A line is damaged.
    """
    try:
        lines = (metrics / FILE).read_bytes().split(b"\n")[:-1]
    except OSError:
        return ()
    found = []
    for number, line in enumerate(lines, 1):
        try:
            reading = orjson.loads(line)
            whole = type(reading["time"]) is int
        except (ValueError, KeyError, TypeError) as error:
            raise FolderError(f"{metrics / FILE}:{number}: damaged: {error}") from error
        if not whole or not all(isinstance(one, _READ) for one in reading.values()):
            raise FolderError(f"{metrics / FILE}:{number}: damaged: expected numbers alone")
        found.append(reading)
    return tuple(found)


def worst(
    bounds: Sequence[Bound], readings: Sequence[dict[str, Any]], since_ns: int
) -> tuple[Worst, ...]:
    """The worst reading of each bound from a moment on.

    Args:
        bounds: What is healthy.
        readings: As ``read_signals`` gives them.
        since_ns: From when on; before it nothing was injected.
    """
    return tuple(_worst(bound, [r for r in readings if r["time"] >= since_ns]) for bound in bounds)


def _worst(bound: Bound, readings: Sequence[dict[str, Any]]) -> Worst:
    seen = [(r[bound.signal], r["time"]) for r in readings if r.get(bound.signal) is not None]
    choose = min if bound.op == "min" else max
    value, time = choose(seen, key=lambda one: one[0], default=(None, None))
    broken_ns = sum(
        later["time"] - one["time"]
        for one, later in pairwise(readings)
        if not bound.holds(one.get(bound.signal))
    )
    return Worst(bound, value, None if time is None else time / 1e9, broken_ns / 1e9)
