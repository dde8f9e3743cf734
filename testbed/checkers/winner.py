"""The winner of a row is a write after which nobody wrote who could have known of it.

Definition. In the end a row shows what some write wrote, or is absent by some delete. That write
may not have been followed by an acknowledged one: one that was invoked at the same node after it
was complete, or at a node where a read had shown it before. Of writes that knew nothing of each
other any may win. It is what a clock that keeps causality promises (L. Lamport, CACM 21(7), 1978),
and what wall clocks that differ break.

Where rows have homes, a take-over is known to lose writes that it could not know of and that could
not know of it: those replace nothing (see :mod:`testbed.measures.homes`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from testbed.checkers.operation_view import shown
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History, Pair
from testbed.measures.homes import Homes

NAME = "winner"
PROMISE = "No row ends with a write that a later one, which could have known of it, replaced."
EXAMPLES_MAX = 20


def check(
    history: History,
    nodes: Sequence[str],
    *,
    write: str = "write",
    delete: str = "delete",
    reads: Iterable[str] = ("read",),
    final: str = "row",
    homes: Homes | None = None,
) -> Verdict:
    """Judge the final value of every row.

    Args:
        history: What clients saw; every written value occurs once, and completions name nodes.
        nodes: Whose final reads count.
        write: The function that writes its value.
        delete: The function that deletes.
        reads: The functions that read meanwhile.
        final: The function that reads at the end.
        homes: The moves of the rows, where they have homes.

    Raises:
        HistoryError: The history cannot be paired.
    """
    by_key: dict[Any, list[Pair]] = defaultdict(list)
    for pair in history.of({write, delete}):
        if pair.outcome != "fail":
            by_key[pair.invocation.key].append(pair)
    seen: dict[tuple[Any, Any], list[Pair]] = defaultdict(list)
    for pair in history.of(reads, "ok"):
        seen[pair.invocation.key, pair.value].append(pair)
    ends: set[tuple[Any, Any]] = {
        (pair.invocation.key, pair.completion.value if pair.completion else None)
        for pair in history.of({final}, "ok")
        if pair.node in nodes
    }
    overtaken = set() if homes is None else _overtaken(by_key, homes)
    examples: list[dict[str, Any]] = []
    rows_overtaken = 0
    for key, value in sorted(ends, key=str):
        standing = [pair for pair in by_key[key] if pair not in overtaken]
        found = _judge(by_key[key], standing, value, seen[key, value], write=write)
        if found is not None:
            examples.append({"row": key, "value": value, **found})
        elif _judge(by_key[key], by_key[key], value, seen[key, value], write=write) is not None:
            rows_overtaken += 1
    numbers = {
        "rows": float(len(ends)),
        "wrong_rows": float(len(examples)),
        "rows_overtaken": float(rows_overtaken),
    }
    if examples:
        first = examples[0]
        reason = f"{len(examples)} rows are wrong; row {first['row']}: {first['text'][0]}"
        shown_ = tuple(examples[:EXAMPLES_MAX])
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, shown_, numbers)
    if not any(value is not None for _, value in ends):
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, "no row was there at the end", (), numbers)
    reason = f"{len(ends)} rows ended with a write that nothing replaced"
    if rows_overtaken:
        reason += f", {rows_overtaken} of them with one that only a take-over put back"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _overtaken(by_key: Mapping[Any, Sequence[Pair]], homes: Homes) -> set[Pair]:
    """The writes that a take-over may have undone."""
    every = (pair for pairs in by_key.values() for pair in pairs)
    return {pair for pair in every if homes.overtaken(pair) is not None}


def _judge(
    writers: Sequence[Pair],
    standing: Sequence[Pair],
    value: Any,
    showing: Sequence[Pair],
    *,
    write: str,
) -> dict[str, Any] | None:
    """What is wrong with a row that ended with a value; None if nothing is.

    Args:
        writers: What may have written the row.
        standing: Those that no take-over may have undone.
        value: What it ended with.
        showing: Reads that showed the value meanwhile.
        write: The function that writes its value.
    """
    if value is None:
        return _judge_absent(writers, standing, write=write)
    wrote = [pair for pair in writers if pair.f == write and pair.invocation.value == value]
    if not wrote:
        return _found(f"it shows {value}, which nobody wrote", ())
    replacing = _replacing(wrote[0], standing, showing)
    if replacing is None:
        return None
    text = f"it shows {value}, which was replaced at {replacing.node} by a later {replacing.f}"
    return _found(text, [wrote[0], replacing])


def _judge_absent(
    writers: Sequence[Pair], standing: Sequence[Pair], *, write: str
) -> dict[str, Any] | None:
    """What is wrong with a row that is absent in the end though somebody wrote it."""
    deletes = [pair for pair in writers if pair.f != write]
    if not deletes:
        surely = [pair for pair in standing if pair.outcome == "ok"]
        return _found("it is absent, and nobody deleted it", surely[:1]) if surely else None
    later = [_replacing(pair, standing, ()) for pair in deletes]
    if None in later:
        return None
    text = "it is absent, and every delete was followed by a write"
    return _found(text, [deletes[-1], *filter(None, later[-1:])])


def _replacing(written: Pair, writers: Sequence[Pair], showing: Sequence[Pair]) -> Pair | None:
    """An acknowledged write that must have known of this one."""
    known = {
        pair.node: pair.end_ns or 0 for pair in sorted(showing, key=lambda p: -(p.end_ns or 0))
    }
    if written.outcome == "ok" and written.node is not None and written.end_ns is not None:
        known[written.node] = min(written.end_ns, known.get(written.node, written.end_ns))
    for pair in writers:
        since = known.get(pair.node)
        later = since is not None and pair.start_ns > since
        if later and pair.outcome == "ok" and pair is not written:
            return pair
    return None


def _found(text: str, pairs: Iterable[Pair]) -> dict[str, Any]:
    operations = [shown(pair) for pair in pairs]
    return {"anomaly": "wrong-winner", "text": [text], "operations": operations}
