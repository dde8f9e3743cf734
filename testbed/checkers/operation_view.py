"""How an operation stands in a counterexample: plain JSON, the same everywhere."""

from __future__ import annotations

from typing import Any

from testbed.checkers.brief import bounded
from testbed.history.history import Pair


def shown(pair: Pair, **more: Any) -> dict[str, Any]:
    """What a reader of a counterexample needs of an operation, and where to find it.

    Args:
        pair: The operation.
        more: What else there is to say of it.
    """
    what: dict[str, Any] = {
        "line": pair.invocation.index,
        "process": pair.invocation.process,
        "region": pair.region,
        "node": pair.node,
        "f": pair.f,
        "key": pair.invocation.key,
        "value": bounded(pair.value),
        "outcome": pair.outcome,
        "start_ns": pair.start_ns,
        "end_ns": pair.end_ns,
        "term": None if pair.completion is None else pair.completion.term,
    }
    return {name: value for name, value in {**what, **more}.items() if value is not None}


def moment_s(time_ns: int) -> str:
    """A time of the run for people."""
    return f"{time_ns / 1e9:.3f} s"
