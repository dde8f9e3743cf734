"""The operation: one line of a history, in the terms of Jepsen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

OperationType = Literal["invoke", "ok", "fail", "info"]

FAULTS_PROCESS = "faults"
"""The process name under which a history carries faults (Jepsen's ``nemesis``)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client asked, or what it got.

    Args:
        time: Nanoseconds on the monotonic clock since the run began.
        process: A client's number, never reused after an ``info``; or ``faults``.
        type: ``invoke``; then ``ok``, ``fail`` (surely not done) or ``info`` (unknown).
        f: The function asked for: ``add``, ``read``, ``write``, ``cas``, ``transfer``, ...
        value: Its argument or its result, plain JSON.
        key: The key that it concerns, where the workload has keys.
        region: The region of the client; in a journal only a process's first invocation says it.
        node: The node that answered, as far as the client knows.
        error: Why it was not ``ok``, in a few words.
        due: When an open-loop load meant to send it, in the same clock; only on invocations
            that were sent late.
        term: The primary's term, where a write's acknowledgement says it: a number that grows with
            every promotion (PostgreSQL: the timeline).
        index: Line number in the history, where it has been given one.
    """

    time: int
    process: int | str
    type: OperationType
    f: str
    value: Any = None
    key: Any = None
    region: str | None = None
    node: str | None = None
    error: str | None = None
    due: int | None = None
    term: int | None = None
    index: int | None = None
