"""Histories of collections, drawn: operations that overlap, results that are right or not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Line = dict[str, Any]


@dataclass
class Call:
    """An operation as the oracles see it: positions in the history are times."""

    f: str
    asked: Any
    result: Any
    start: int
    end: int | None
    outcome: str
    process: int

    @property
    def said(self) -> Any:
        """What the completion says, or else what was asked for."""
        return self.asked if self.result is None else self.result


def calls_of(lines: Iterable[Line]) -> list[Call]:
    """Every operation, in the order of the invocations."""
    calls: list[Call] = []
    pending: dict[int, Call] = {}
    for place, line in enumerate(lines):
        if line["type"] == "invoke":
            call = Call(line["f"], line["value"], None, place, None, "info", line["process"])
            pending[line["process"]] = call
            calls.append(call)
        else:
            call = pending.pop(line["process"])
            call.outcome, call.end, call.result = line["type"], place, line["value"]
    return calls


def drawn(
    rng: random.Random,
    ask: Callable[[random.Random], tuple[str, Any]],
    answer: Callable[[random.Random, str, Any], Any],
    *,
    count: int = 8,
    processes: int = 3,
) -> list[Line]:
    """Lines of processes that run at the same time.

    Args:
        rng: Where everything is drawn from.
        ask: Draws a function and a value.
        answer: Draws what an acknowledged operation returns, given function and value.
        count: About how many operations.
        processes: How many there are at a time; one whose operation ended in ``info`` is replaced.
    """
    lines: list[Line] = []
    pending: dict[int, tuple[str, Any]] = {}
    names = list(range(processes))
    asked = 0
    while asked < count or pending:
        place = rng.randrange(processes)
        process = names[place]
        if process not in pending:
            if asked >= count:
                if rng.random() < 0.3:
                    break
                continue
            pending[process] = ask(rng)
            asked += 1
            f, value = pending[process]
            lines.append({"type": "invoke", "process": process, "f": f, "value": value})
            continue
        f, value = pending.pop(process)
        outcome = rng.choices(["ok", "fail", "info"], [7, 1, 1])[0]
        result = answer(rng, f, value) if outcome == "ok" else value
        lines.append({"type": outcome, "process": process, "f": f, "value": result})
        if outcome == "info":
            names[place] = max(names) + 1
    return lines


def finished(lines: list[Line], f: str, result: Any) -> list[Line]:
    """With one more operation in the end that nothing overlaps."""
    process = 1 + max((line["process"] for line in lines), default=0)
    return [
        *lines,
        {"type": "invoke", "process": process, "f": f, "value": None},
        {"type": "ok", "process": process, "f": f, "value": result},
    ]


def renamed_processes(lines: list[Line], rng: random.Random) -> list[Line]:
    """The same under other process names."""
    names = sorted({line["process"] for line in lines})
    others = dict(zip(names, rng.sample(range(100), len(names)), strict=True))
    return [{**line, "process": others[line["process"]]} for line in lines]


def without_failed(lines: list[Line]) -> list[Line]:
    """The same without the operations that surely failed."""
    dropped: set[int] = set()
    pending: dict[int, int] = {}
    for place, line in enumerate(lines):
        if line["type"] == "invoke":
            pending[line["process"]] = place
        elif line["type"] == "fail":
            dropped |= {place, pending[line["process"]]}
    return [line for place, line in enumerate(lines) if place not in dropped]


def with_indeterminate(lines: list[Line], rng: random.Random, f: str, value: Any) -> list[Line]:
    """The same with an operation of a new process that may never have happened."""
    process = 1000
    place = rng.randint(0, len(lines))
    begun = {"type": "invoke", "process": process, "f": f, "value": value}
    ended = {"type": "info", "process": process, "f": f, "value": value}
    later = rng.randint(place, len(lines))
    return [*lines[:place], begun, *lines[place:later], ended, *lines[later:]]
