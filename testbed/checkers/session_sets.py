"""Session guarantees of sets, and of lists whose reads have no common order: by what is there.

A read shows which writes its replica holds. Read your writes: it holds the session's acknowledged
ones. Monotonic reads: it holds what any earlier read of the session held. Monotonic writes and
writes follow reads: whoever holds a write holds what its session had written, and seen, before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from testbed.history.history import Pair
from testbed.measures.session_steps import Step, canonical

Found = tuple[str, Pair, Pair, str]
"""The guarantee, the earlier operation, the later one, and the element that is missing."""


@dataclass
class _Held:
    """What one session did with one key."""

    wrote: list[tuple[bytes, Pair]] = field(default_factory=list)
    saw: tuple[frozenset[bytes], Pair] | None = None


@dataclass
class _Needs:
    """What whoever holds an element must hold as well."""

    wrote: tuple[bytes, Pair] | None
    saw: tuple[frozenset[bytes], Pair] | None


def set_regressions(steps: list[Step]) -> Iterator[Found]:
    """Every read that lacks what it must hold: O(items of all reads)."""
    held: dict[tuple[int | str, bytes], _Held] = {}
    needs: dict[tuple[bytes, bytes], _Needs] = {}
    for step in steps:
        mine = held.setdefault((step.pair.invocation.process, step.key), _Held())
        if not step.writes:
            there = frozenset(canonical(element) for element in step.value)
            yield from _own(mine, step, there)
            # What is missing from this read was seen all the same.
            before = frozenset[bytes]() if mine.saw is None else mine.saw[0]
            mine.saw = (there if before <= there else there | before, step.pair)
            continue
        element = canonical(step.value)
        last = mine.wrote[-1] if mine.wrote else None
        needs[step.key, element] = _Needs(last, mine.saw)
        if step.pair.outcome == "ok":
            mine.wrote.append((element, step.pair))
    for step in steps:
        if not step.writes:
            yield from _others(step, needs)


def _own(mine: _Held, step: Step, there: frozenset[bytes]) -> Iterator[Found]:
    missing = [one for one in mine.wrote if one[0] not in there]
    if missing:
        element, pair = missing[0]
        yield "read-your-writes", pair, step.pair, element.decode()
    if mine.saw is not None and not mine.saw[0] <= there:
        element = min(mine.saw[0] - there)
        yield "monotonic-reads", mine.saw[1], step.pair, element.decode()


def _others(step: Step, needs: dict[tuple[bytes, bytes], _Needs]) -> Iterator[Found]:
    """What a read lacks though it holds a write that came after it in its session.

    That a write follows the one just before it says it of all: were an earlier one missing, then
    somewhere on the way one would be without the one just before it.
    """
    there = frozenset(canonical(element) for element in step.value)
    done: set[int] = set()
    for element in there:
        need = needs.get((step.key, element))
        if need is None:
            continue
        if need.wrote is not None and need.wrote[0] not in there:
            yield "monotonic-writes", need.wrote[1], step.pair, need.wrote[0].decode()
        if need.saw is not None and id(need.saw) not in done:
            done.add(id(need.saw))
            if not need.saw[0] <= there:
                missing = min(need.saw[0] - there)
                yield "writes-follow-reads", need.saw[1], step.pair, missing.decode()
