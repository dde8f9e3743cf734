"""Homes of rows as clients saw them: who moved them, and which writes could not know of it.

A hand-over is done at the home, a take-over at the new one, without the old one. Until the old
home hears of a take-over it acknowledges writes that will lose, and what it had acknowledged and
not sent loses too: those writes and the move knew nothing of each other.

What a region knows is told from its own answers. Streams keep the order of their origin: a region
that shows what another one wrote has all that the other one had acknowledged before. Rows that were
taken over are no such sign, since the new home sends them too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from testbed.history.history import REFUSED, History, Pair

NEVER_NS = float("inf")


class Homes:
    """The moves of a history's rows.

    Args:
        history: What clients saw; written values occur once, and completions name nodes.
        region_of: Node to region.
        write: The function that writes its value.
        delete: The function that deletes.
        read: The function that reads a row in the client's region.
        hand_over: The function that names the new home by its value.
        take_over: The function that makes the client's region the home.

    Raises:
        HistoryError: The history cannot be paired.
    """

    def __init__(
        self,
        history: History,
        region_of: Mapping[str, str],
        *,
        write: str = "write",
        delete: str = "delete",
        read: str = "read",
        hand_over: str = "hand-over",
        take_over: str = "take-over",
    ) -> None:
        self._region_of = region_of
        self._write, self._hand_over = write, hand_over
        writes = history.of({write, delete})
        self.writes = _by_key(writes)
        self._refused = _by_key(pair for pair in writes if pair.failed_with(REFUSED))
        self._reads = _by_key(history.of({read}, "ok"))
        moves = [pair for pair in history.of({hand_over, take_over}) if pair.outcome != "fail"]
        self.moves = _by_key(moves)
        self.taken = _by_key(pair for pair in moves if pair.f == take_over)
        self._signs = self._found_signs()

    def wrote(self, pair: Pair) -> bool:
        """Whether an operation writes a value."""
        return pair.f == self._write

    def region(self, pair: Pair) -> str:
        """Where an operation was done; where its client is, if nobody answered."""
        return pair.done_in(self._region_of)

    def new_home(self, move: Pair) -> str:
        """The region that a move makes the home."""
        return str(move.invocation.value) if move.f == self._hand_over else self.region(move)

    def refusals(self, key: Any) -> Sequence[Pair]:
        """Writes of a row that a region refused because the row is at home elsewhere."""
        return self._refused.get(key, ())

    def known_ns(self, what: Pair, region: str) -> float:
        """From when on a region surely knows what was done elsewhere; never if that is not told."""
        there = self.region(what)
        if what.outcome != "ok" or what.end_ns is None:
            return NEVER_NS
        if there == region:
            return what.end_ns
        signs = self._signs.get((there, region), ())
        return min((seen for wrote, seen in signs if wrote > what.end_ns), default=NEVER_NS)

    def shown_ns(self, written: Pair, region: str) -> float:
        """From when on a region surely has a write."""
        reads = self._reads.get(written.invocation.key, ())
        value = written.invocation.value
        shown = (
            pair.end_ns or 0
            for pair in reads
            if self.wrote(written) and pair.value == value and self.region(pair) == region
        )
        return min(shown, default=self.known_ns(written, region))

    def overtaken(self, written: Pair) -> Pair | None:
        """A move of the row that a write may lose to: neither knew of the other; None without one.

        Only of rows that somebody took over: a home that hands over sends what was written first.
        """
        key, region = written.invocation.key, self.region(written)
        if not self.taken.get(key):
            return None
        for move in self.moves[key]:
            there = self.region(move)
            unheard = there != region and self.known_ns(move, region) >= written.start_ns
            if unheard and self.shown_ns(written, there) >= move.start_ns:
                return move
        return None

    def _found_signs(self) -> Mapping[tuple[str, str], list[tuple[int, int]]]:
        """By two regions: when the first wrote something, and when the second showed it."""
        wrote = {
            (key, pair.invocation.value): pair
            for key, pairs in self.writes.items()
            for pair in pairs
            if self.wrote(pair)
        }
        found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for key, pairs in self._reads.items():
            first_ns = min((one.start_ns for one in self.taken.get(key, ())), default=NEVER_NS)
            for pair in pairs:
                written = wrote.get((key, pair.value))
                if written is not None and pair.end_ns is not None and pair.end_ns < first_ns:
                    ends = self.region(written), self.region(pair)
                    found[ends].append((written.start_ns, pair.end_ns))
        return found


def _by_key(pairs: Iterable[Pair]) -> dict[Any, list[Pair]]:
    found: dict[Any, list[Pair]] = defaultdict(list)
    for pair in pairs:
        found[pair.invocation.key].append(pair)
    return found
