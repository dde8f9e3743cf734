"""One step on a register: a read, a write or a compare-and-set with its time."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from testbed.history.history import History, Pair
from testbed.history.problem import HistoryError, Problem

NEVER_NS = 1 << 62
"""The return of what never surely returned: later than every moment."""


@dataclass(frozen=True, slots=True, eq=False)
class RegisterStep:
    """What an operation would do to a register when it takes effect.

    Args:
        kind: ``read``, ``write`` or ``cas``.
        expects: The value that a read or a compare-and-set finds; None for a write.
        leaves: The value that a write or a compare-and-set leaves; None for a read.
        start_ns: Its invocation: it took effect after this.
        end_ns: Its return: it took effect before this; ``NEVER_NS`` if its outcome is unknown.
        pair: The operation itself.
    """

    kind: Literal["read", "write", "cas"]
    expects: Hashable
    leaves: Hashable
    start_ns: int
    end_ns: int
    pair: Pair

    @property
    def returned(self) -> bool:
        """Whether it surely took effect."""
        return self.end_ns < NEVER_NS


def register_steps(
    history: History, *, read: Iterable[str], write: str, cas: str
) -> dict[Hashable, list[RegisterStep]]:
    """By key, the steps that a linearization has to or may place.

    Left out are what surely failed, reads without a result, and, to a fixpoint, writes and
    compare-and-sets of unknown outcome whose new value nothing that is kept finds: a
    linearization with one of them is one without it as well.

    Raises:
        HistoryError: The history cannot be paired, or a value is no number or text.
    """
    reads = frozenset(read)
    steps: dict[Hashable, list[RegisterStep]] = {}
    problems: list[Problem] = []
    for pair in history.of(reads | {write, cas}):
        if pair.outcome == "fail" or (pair.f in reads and pair.outcome != "ok"):
            continue
        expected = _malformed(pair, cas, reads)
        if expected:
            problems.append(Problem(pair.invocation.index or 0, 0, expected))
        else:
            steps.setdefault(pair.invocation.key, []).append(_step(pair, reads, cas))
    if problems:
        raise HistoryError(history.source, problems)
    return {key: _relevant(of_key) for key, of_key in steps.items()}


def _step(pair: Pair, reads: frozenset[str], cas: str) -> RegisterStep:
    asked: Any = pair.invocation.value
    end_ns = NEVER_NS if pair.outcome != "ok" or pair.end_ns is None else pair.end_ns
    if pair.f in reads:
        return RegisterStep("read", pair.value, None, pair.start_ns, end_ns, pair)
    if pair.f == cas:
        return RegisterStep("cas", asked[0], asked[1], pair.start_ns, end_ns, pair)
    return RegisterStep("write", None, asked, pair.start_ns, end_ns, pair)


def _relevant(steps: list[RegisterStep]) -> list[RegisterStep]:
    kept = [step for step in steps if step.returned]
    waiting: dict[Hashable, list[RegisterStep]] = {}
    for step in steps:
        if not step.returned:
            waiting.setdefault(step.leaves, []).append(step)
    found = [step.expects for step in kept if step.kind != "write"]
    while found:
        for step in waiting.pop(found.pop(), ()):
            kept.append(step)
            if step.kind == "cas":
                found.append(step.expects)
    return sorted(kept, key=lambda step: step.start_ns)


def _malformed(pair: Pair, cas: str, reads: frozenset[str]) -> str | None:
    value = pair.value if pair.f in reads else pair.invocation.value
    if pair.f == cas:
        if not isinstance(value, list) or len(value) != 2 or not all(map(_plain, value)):
            return f"expected old and new value in a list as the value of '{cas}'"
        return None
    return None if _plain(value) else f"expected a whole number or text as the value of '{pair.f}'"


def _plain(value: object) -> bool:
    return value is None or type(value) in (int, str)
