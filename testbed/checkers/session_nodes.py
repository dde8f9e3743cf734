"""Orders of writes that a node shows: it had the later one of two, then the earlier one.

A node shows what it holds. If it shows a version and, to a read that begins later, one that came
before it in a session, then it applied the two writes in the contrary order. Monotonic writes and
writes follow reads of registers show in no other way, as a register forgets what it held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from testbed.measures.session_steps import Step, canonical

Version = tuple[bytes, bytes]
Mine = tuple[int | str, bytes]
"""A session and a key."""


@dataclass
class Origins:
    """Where versions come from: who wrote them after what.

    Args:
        wrote: By version, the session with the key, and its count of writes to the key.
        saw: By session and key, the versions that it saw, in order.
        saw_before: By version, how many of those its writer had seen by then.
    """

    wrote: dict[Version, tuple[Mine, int]] = field(default_factory=dict)
    saw: dict[Mine, list[Version]] = field(default_factory=dict)
    saw_before: dict[Version, int] = field(default_factory=dict)


@dataclass
class _Shown:
    """What the reads at nodes have shown so far.

    Args:
        latest: By node and session with key, the session's latest write that was shown.
        replaced: By node and version, the read that shows that it is overwritten.
        noted: By node and session with key, how many of what the session saw are in ``replaced``.
    """

    latest: dict[tuple[str, Mine], tuple[int, Step]] = field(default_factory=dict)
    replaced: dict[tuple[str, Version], Step] = field(default_factory=dict)
    noted: dict[tuple[str, Mine], int] = field(default_factory=dict)


def origins(steps: list[Step]) -> Origins:
    """Where the versions of registers come from; of values that were written twice nothing."""
    found = Origins()
    counts: dict[Mine, int] = {}
    twice: set[Version] = set()
    for step in steps:
        if step.ordered or step.value is None:
            continue
        mine = (step.pair.invocation.process, step.key)
        version = (step.key, canonical(step.value))
        if not step.writes:
            found.saw.setdefault(mine, []).append(version)
            continue
        if version in found.wrote:
            twice.add(version)
        counts[mine] = counts.get(mine, 0) + 1
        found.wrote[version] = (mine, counts[mine])
        found.saw_before[version] = len(found.saw.get(mine, ()))
    for version in twice:
        del found.wrote[version]
    return found


def node_regressions(steps: list[Step], of: Origins) -> Iterator[tuple[str, Step, Step]]:
    """Every read at a node of what another read there had shown to be overwritten: O(n log n).

    Yields:
        ``monotonic-writes`` or ``writes-follow-reads``, the earlier read and the later one.
    """
    reads = [
        step
        for step in steps
        if not (step.writes or step.ordered or step.pair.node is None or step.value is None)
    ]
    by_end = sorted(reads, key=lambda step: step.pair.end_ns or 0)
    shown = _Shown()
    place = 0
    for step in sorted(reads, key=lambda step: step.pair.start_ns):
        while place < len(by_end) and (by_end[place].pair.end_ns or 0) < step.pair.start_ns:
            _note(by_end[place], of, shown)
            place += 1
        node, version = str(step.pair.node), (step.key, canonical(step.value))
        if version in of.wrote:
            mine, count = of.wrote[version]
            newer = shown.latest.get((node, mine))
            if newer is not None and newer[0] > count:
                yield "monotonic-writes", newer[1], step
        earlier = shown.replaced.get((node, version))
        if earlier is not None:
            yield "writes-follow-reads", earlier, step


def _note(step: Step, of: Origins, shown: _Shown) -> None:
    """What a read at a node shows to be overwritten there from now on."""
    node, version = str(step.pair.node), (step.key, canonical(step.value))
    if version not in of.wrote:
        return
    mine, count = of.wrote[version]
    before = shown.latest.get((node, mine))
    if before is None or count > before[0]:
        shown.latest[node, mine] = (count, step)
    seen, until = of.saw.get(mine, []), of.saw_before[version]
    for older in seen[shown.noted.get((node, mine), 0) : until]:
        if older != version:
            shown.replaced.setdefault((node, older), step)
    shown.noted[node, mine] = max(until, shown.noted.get((node, mine), 0))
