"""A set with removals: in the end every replica has what was added and not removed knowingly.

Definition. A removal takes away the adds that its node has seen. So in the end an element is at
every node if it has an acknowledged add that no removal can have seen: every removal of it, of
unknown outcome too, had been completed when the add began. And it is at no node if every add of it,
of unknown outcome too, had been acknowledged at one node before a removal was begun there that was
acknowledged. In all other cases either is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from testbed.checkers.operation_view import shown
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History, Pair

NAME = "final-set"
PROMISE = "In the end every set has what was added and not removed by who had seen it added."
EXAMPLES_MAX = 20


def check(
    history: History,
    nodes: Sequence[str],
    *,
    add: str = "include",
    remove: str = "exclude",
    final: str = "member",
) -> Verdict:
    """Judge the final reads of every element.

    Args:
        history: What clients saw; the element is the key, and completions name nodes.
        nodes: Whose final reads count.
        add: The function that adds its key.
        remove: The function that removes its key.
        final: The function that asks at the end whether its key is there.

    Raises:
        HistoryError: The history cannot be paired.
    """
    adds, removals = _by_key(history, add), _by_key(history, remove)
    wrong: list[dict[str, Any]] = []
    unread = {(node, key) for key in adds for node in nodes}
    judged = 0
    for pair in history.of({final}, "ok"):
        if pair.node not in nodes:
            continue
        judged += 1
        key = pair.invocation.key
        unread.discard((str(pair.node), key))
        telling = (
            _removed_last(adds[key], removals[key])
            if pair.value
            else _lost(adds[key], removals[key])
        )
        if telling is not None:
            said = "is there, and should not be" if pair.value else "is lost"
            wrong.append(
                {
                    "anomaly": "wrong-element",
                    "text": [f"element {key} {said} at {pair.node}"],
                    "element": key,
                    "lost": not pair.value,
                    "operations": [shown(one) for one in (*telling, pair)],
                }
            )
    lost = {str(one["element"]) for one in wrong if one["lost"]}
    numbers = {
        "final_reads": float(judged),
        "wrong_reads": float(len(wrong)),
        "rows_that_lost": float(len(lost)),
    }
    if wrong:
        reason = f"{len(wrong)} of {judged} final reads are wrong: {wrong[0]['text'][0]}"
        return Verdict(
            NAME, PROMISE, Validity.VIOLATION, reason, tuple(wrong[:EXAMPLES_MAX]), numbers
        )
    if not judged or not any(adds.values()):
        reason = "nothing was added, or nobody was asked at the end"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    if unread:
        node, key = min(unread, key=str)
        reason = f"{node} was not asked for element {key} at the end ({len(unread)} such questions)"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    return Verdict(NAME, PROMISE, Validity.VALID, f"{judged} final reads are right", (), numbers)


def _by_key(history: History, function: str) -> dict[Any, list[Pair]]:
    """What was, or may have been, done."""
    found: dict[Any, list[Pair]] = defaultdict(list)
    for pair in history.of({function}):
        if pair.outcome != "fail":
            found[pair.invocation.key].append(pair)
    return found


def _lost(adds: Sequence[Pair], removals: Iterable[Pair]) -> tuple[Pair, ...] | None:
    """An acknowledged add that no removal can have seen; None if there is none."""
    last_ns = max((_ended_ns(one) for one in removals), default=-1.0)
    return next(((one,) for one in adds if one.outcome == "ok" and one.start_ns > last_ns), None)


def _removed_last(adds: Sequence[Pair], removals: Sequence[Pair]) -> tuple[Pair, ...] | None:
    """A removal that had seen every add; nothing for an element that nobody added; else None."""
    if not adds:
        return ()
    for removal in removals:
        if removal.outcome == "ok" and all(
            one.outcome == "ok" and one.node == removal.node and _ended_ns(one) < removal.start_ns
            for one in adds
        ):
            return (adds[-1], removal)
    return None


def _ended_ns(pair: Pair) -> float:
    """When it was surely over: what is of unknown outcome may be done at any time."""
    return float("inf") if pair.outcome != "ok" or pair.end_ns is None else float(pair.end_ns)
