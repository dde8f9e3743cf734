"""The final state of a set: what every node holds at the end, and what is missing there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from testbed.history.history import History, Pair
from testbed.history.problem import HistoryError, Problem


@dataclass(frozen=True, slots=True)
class FinalRead:
    """The last complete read of everything at one node, after the last acknowledged add.

    Args:
        node: The node that was read.
        read: The operation.
        elements: What it holds.
        repeated: Elements that it holds more than once.
        settled: Whether the node had shown a marker that was asked for after the last
            acknowledged add was complete. Only then has it applied all that its primary had: what
            is missing from it is lost, not late.
    """

    node: str
    read: Pair
    elements: frozenset[int]
    repeated: tuple[int, ...]
    settled: bool


@dataclass(frozen=True, slots=True)
class MissingWrite:
    """An acknowledged add that a final read lacks.

    Args:
        add: The operation.
        settled_nodes: Settled nodes that lack it.
        late_nodes: Nodes that lack it but were read before they had settled.
        everywhere: Whether no final read has it.
    """

    add: Pair
    settled_nodes: tuple[str, ...]
    late_nodes: tuple[str, ...]
    everywhere: bool


@dataclass(frozen=True, slots=True)
class FinalState:
    """All final reads.

    Args:
        reads: By node.
        unread: The nodes that should have been read and were not.
        adds: Every add that was asked for, of any outcome.
    """

    reads: Mapping[str, FinalRead]
    unread: tuple[str, ...]
    adds: tuple[Pair, ...]

    def missing(self) -> tuple[MissingWrite, ...]:
        """The acknowledged adds that some final read lacks, in the order of their completions."""
        found = []
        for add in self.adds:
            if add.outcome != "ok":
                continue
            without = [read for read in self.reads.values() if _value(add) not in read.elements]
            if without:
                found.append(
                    MissingWrite(
                        add,
                        settled_nodes=tuple(read.node for read in without if read.settled),
                        late_nodes=tuple(read.node for read in without if not read.settled),
                        everywhere=len(without) == len(self.reads),
                    )
                )
        return tuple(sorted(found, key=lambda missing: missing.add.end_ns or 0))

    def lost(self) -> tuple[MissingWrite, ...]:
        """Those that are surely lost: a settled node lacks them, or every node was read in vain."""
        return tuple(
            missing
            for missing in self.missing()
            if missing.settled_nodes or (missing.everywhere and not self.unread)
        )


def final_state(
    history: History,
    nodes: Sequence[str],
    *,
    add: str = "add",
    read: str = "read",
    mark: str = "mark",
    marked: str = "marked",
) -> FinalState:
    """What a history's final reads show of a grow-only set.

    Args:
        history: What clients saw.
        nodes: Every node that should hold everything.
        add: The function that adds one number.
        read: The function that reads all of them; its completion names the node.
        mark: The function that writes a marker, numbered by its value.
        marked: The function that asks a node for the marker of that number.

    Raises:
        HistoryError: The history cannot be paired, or holds values that are no numbers.
    """
    adds, reads = history.of({add}), history.of({read}, "ok")
    _refuse(history, [pair for pair in adds if type(_value(pair)) is not int], "a number")
    _refuse(history, [pair for pair in reads if not _is_list(pair.value)], "a list of numbers")
    last_ack_ns = max((pair.end_ns or 0 for pair in adds if pair.outcome == "ok"), default=-1)
    settled = _settled(history.of({mark}), history.of({marked}, "ok"), last_ack_ns)
    found: dict[str, FinalRead] = {}
    for pair in reads:
        if pair.node is not None and pair.node in nodes and pair.start_ns > last_ack_ns:
            since = settled.get(pair.node)
            found[pair.node] = FinalRead(
                pair.node,
                pair,
                elements=frozenset(pair.value),
                repeated=_repeated(pair.value),
                settled=since is not None and since <= pair.start_ns,
            )
    unread = tuple(node for node in nodes if node not in found)
    return FinalState(found, unread, adds)


def _settled(marks: Iterable[Pair], asked: Iterable[Pair], last_ack_ns: int) -> dict[str, int]:
    """By node, the completion of the first question that was answered with a late marker."""
    first_asked: dict[object, int] = {}
    for pair in marks:
        first_asked.setdefault(pair.invocation.value, pair.start_ns)
    found: dict[str, int] = {}
    for pair in asked:
        late = first_asked.get(pair.invocation.value, -1) > last_ack_ns
        if late and pair.value is True and pair.node is not None and pair.end_ns is not None:
            found[pair.node] = min(pair.end_ns, found.get(pair.node, pair.end_ns))
    return found


def _value(add: Pair) -> int:
    value: int = add.invocation.value
    return value


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(type(element) is int for element in value)


def _repeated(elements: list[int]) -> tuple[int, ...]:
    if len(set(elements)) == len(elements):
        return ()
    return tuple(sorted(value for value, count in Counter(elements).items() if count > 1))


def _refuse(history: History, wrong: list[Pair], expected: str) -> None:
    problems = [
        Problem(pair.invocation.index or 0, 0, f"expected {expected} as the value of '{pair.f}'")
        for pair in wrong
    ]
    if problems:
        raise HistoryError(history.source, problems)
