"""One home: a row is written in its home alone, and who hears that it has moved writes it no more.

Definition. Of the regions that acknowledged writes of a row at most one, the first home, did so
without a move of the row to it. A region acknowledges no write that begins after its own hand-over
was acknowledged, after it refused a write of the row, or after it surely heard of a take-over,
unless the row may have moved back to it. And where nobody else moved a row, what its old home wrote
after a take-over was acknowledged is not what the row ends with. Deletes do not count: of a row
that is not there one does nothing, anywhere.

Not a violation, but counted: what an old home acknowledges until it hears of a take-over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from testbed.checkers.operation_view import shown
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History, Pair
from testbed.measures.homes import Homes

NAME = "one-home"
PROMISE = (
    "A row is written in its home alone, and a home that hears that it is none any more stops."
)
EXAMPLES_MAX = 20
WON = "won-by-the-old"
"""The anomaly that is seen in final reads; every other is in what was acknowledged."""


def check(history: History, homes: Homes, nodes: Sequence[str], *, final: str = "row") -> Verdict:
    """Judge every acknowledged write.

    Args:
        history: What clients saw.
        homes: The moves of its rows.
        nodes: Whose final reads count.
        final: The function that reads a row at the end.

    Raises:
        HistoryError: The history cannot be paired.
    """
    ends = {
        (pair.invocation.key, pair.value)
        for pair in history.of({final}, "ok")
        if pair.node in nodes
    }
    found: list[dict[str, Any]] = []
    acknowledged = 0
    for key, pairs in homes.writes.items():
        written = [pair for pair in pairs if pair.outcome == "ok" and homes.wrote(pair)]
        acknowledged += len(written)
        found += _strangers(homes, key, written)
        found += (one for pair in written if (one := _deaf(homes, pair)) is not None)
        found += _won_by_the_old(homes, key, [one for one in written if (key, one.value) in ends])
    unheard_ms = [ms for pairs in homes.taken.values() for move in pairs
                  for ms in _unheard_ms(homes, move)]  # fmt: skip
    numbers = {
        "writes": float(acknowledged),
        "moves": float(sum(map(len, homes.moves.values()))),
        "take_overs": float(sum(map(len, homes.taken.values()))),
        "writes_unheard": float(len(unheard_ms)),
        "unheard_ms_max": max(unheard_ms, default=0.0),
    }
    if found:
        reason = found[0]["text"][0] + (f", and {len(found) - 1} more" if found[1:] else "")
        return Verdict(
            NAME, PROMISE, Validity.VIOLATION, reason, tuple(found[:EXAMPLES_MAX]), numbers
        )
    if not acknowledged:
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, "nothing was written", (), numbers)
    reason = f"{acknowledged} writes at home, {numbers['moves']:.0f} moves"
    if unheard_ms:
        reason += (
            f"; {len(unheard_ms)} writes by old homes that had not heard of a take-over, the last "
            f"{max(unheard_ms):.0f} ms after it"
        )
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _strangers(homes: Homes, key: Any, written: Sequence[Pair]) -> Iterator[dict[str, Any]]:
    """Regions that wrote a row that was never moved to them, beside the first home."""
    first: dict[str, Pair] = {}
    for pair in written:
        region = homes.region(pair)
        if not _may_have_come(homes, pair):
            first.setdefault(region, pair)
    if len(first) > 1:
        listed = " and ".join(sorted(first))
        yield _example(f"row {key} was written in {listed} without having moved", *first.values())


def _deaf(homes: Homes, written: Pair) -> dict[str, Any] | None:
    """What is wrong with a write whose region had heard that the row is not at home there."""
    key, region = written.invocation.key, homes.region(written)
    for move in homes.moves.get(key, ()):
        away = homes.new_home(move) != region
        heard = homes.known_ns(move, region) < written.start_ns
        if away and heard and not _may_have_come(homes, written, move):
            text = f"row {key} was written in {region}, which knew of its {move.f}"
            return _example(text, move, written)
    for refusal in homes.refusals(key):
        refused = homes.region(refusal) == region and (refusal.end_ns or 0) < written.start_ns
        if refused and not _may_have_come(homes, written):
            text = f"row {key} was written in {region}, which had refused to"
            return _example(text, refusal, written)
    return None


def _may_have_come(homes: Homes, written: Pair, away: Pair | None = None) -> bool:
    """Whether the row may have moved to the region of a write before that, and not away since.

    Of two moves that did not know of each other either may count in the end.
    """
    region, until_ns = homes.region(written), written.end_ns or 0
    return any(
        homes.new_home(move) == region
        and move.start_ns <= until_ns
        and (away is None or homes.known_ns(move, homes.region(away)) >= away.start_ns)
        for move in homes.moves.get(written.invocation.key, ())
    )


def _won_by_the_old(homes: Homes, key: Any, last: Sequence[Pair]) -> Iterator[dict[str, Any]]:
    """A row that was moved once, by a take-over, and ends with what the old home wrote after it."""
    moves = homes.moves.get(key, ())
    if len(moves) != 1 or not homes.taken.get(key) or moves[0].outcome != "ok":
        return
    for written in last:
        late = written.start_ns > (moves[0].end_ns or 0)
        if late and written.value is not None and homes.region(written) != homes.region(moves[0]):
            text = f"row {key} ends with what {homes.region(written)} wrote after the take-over"
            yield {**_example(text, moves[0], written), "anomaly": WON}


def _unheard_ms(homes: Homes, move: Pair) -> Iterator[float]:
    """How long after a take-over its old home began each write that it acknowledged."""
    if move.outcome != "ok" or move.end_ns is None:
        return
    for written in homes.writes.get(move.invocation.key, ()):
        elsewhere = homes.region(written) != homes.region(move)
        done = written.outcome == "ok" and homes.wrote(written)
        late = done and written.start_ns > move.end_ns
        if elsewhere and late and not _may_have_come(homes, written, move):
            yield (written.start_ns - move.end_ns) / 1e6


def _example(text: str, *pairs: Pair) -> dict[str, Any]:
    return {"anomaly": "not-at-home", "text": [text], "operations": [shown(one) for one in pairs]}
