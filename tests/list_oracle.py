"""Isolation levels of transactions over lists by their definitions, by trying every order.

The definitions are those of Cerone, Bernardi and Gotsman (CONCUR 2015): an arbitration order of all
transactions, and for each the ones that are visible to it; a level demands that visibility is
closed in some way, and each read returns what the last visible writer of the key left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, permutations, product
from typing import Any

Transaction = dict[str, Any]
Pairs = set[tuple[int, int]]
Sources = dict[int, dict[Any, "int | None"]]

LEVELS: dict[str, tuple[str, ...]] = {
    "read-committed": ("each read alone",),
    "read-atomic": (),
    "causal-cerone": ("transitive",),
    "prefix": ("prefix", "transitive"),
    "parallel-snapshot-isolation": ("transitive", "conflicts"),
    "snapshot-isolation": ("prefix", "conflicts", "transitive"),
    "serializable": ("all",),
}
FORMS = ("", "strong-session-", "strong-")


def allowed_in(transactions: list[Transaction]) -> set[tuple[str, str]]:
    """Every level and form of it for which some order explains what the transactions read."""
    found: set[tuple[str, str]] = set()
    wanted = set(product(LEVELS, FORMS))
    for chosen in _outcomes(transactions):
        before = {form: earlier(transactions, chosen, form) for form in FORMS}
        for order in permutations(chosen):
            writers = _writers(transactions, order)
            at = {number: place for place, number in enumerate(order)}
            alone = _read_from(transactions, order, writers)
            if alone is None:
                continue
            sources = _all_sources(transactions, order, writers)
            for level, form in wanted - found:
                if LEVELS[level] == ("each read alone",):
                    pairs, explained = alone | before[form], True
                elif sources is None:
                    continue
                else:
                    visible = _visible(order, before[form], sources, writers, LEVELS[level])
                    pairs, explained = visible | before[form], _explains(visible, sources, writers)
                if explained and all(at[a] < at[b] for a, b in pairs):
                    found.add((level, form))
            if found == wanted:
                return found
    return found


def _outcomes(transactions: list[Transaction]) -> Iterator[tuple[int, ...]]:
    """Which transactions took effect: all that committed, any that are indeterminate."""
    sure = [n for n, each in enumerate(transactions) if each["outcome"] == "ok"]
    maybe = [n for n, each in enumerate(transactions) if each["outcome"] == "info"]
    for size in range(len(maybe) + 1):
        for some in combinations(maybe, size):
            yield (*sure, *some)


def earlier(transactions: list[Transaction], chosen: Iterable[int], form: str) -> Pairs:
    pairs: Pairs = set()
    for a, b in product(chosen, repeat=2):
        first, second = transactions[a], transactions[b]
        if a == b or first["outcome"] != "ok" or not form:
            continue
        earlier = first["start"] < second["start"]
        if first["process"] == second["process"] and earlier:
            pairs.add((a, b))
        if form == "strong-" and first["end"] < second["start"]:
            pairs.add((a, b))
    return pairs


def _writers(transactions: list[Transaction], order: tuple[int, ...]) -> dict[Any, list[int]]:
    writers: dict[Any, list[int]] = {}
    for number in order:
        for access, key, _ in transactions[number]["ops"]:
            if access == "append" and number not in writers.setdefault(key, []):
                writers[key].append(number)
    return writers


def _all_sources(
    transactions: list[Transaction], order: tuple[int, ...], writers: dict[Any, list[int]]
) -> Sources | None:
    sources = {}
    for number in order:
        if transactions[number]["outcome"] == "ok":
            found = _sources(transactions, number, writers)
            if found is None:
                return None
            sources[number] = found
    return sources


def _read_from(
    transactions: list[Transaction], order: tuple[int, ...], writers: dict[Any, list[int]]
) -> Pairs | None:
    """Who read from whom where each read sees some version; None where one sees none."""
    pairs: Pairs = set()
    for number in order:
        own: dict[Any, list[Any]] = {}
        for access, key, value in transactions[number]["ops"]:
            if access == "append":
                own.setdefault(key, []).append(value)
            elif transactions[number]["outcome"] == "ok":
                source = _version(transactions, writers, number, (key, value), own.get(key))
                if source is None:
                    return None
                pairs |= {(each, number) for each in source}
    return pairs


def _version(
    transactions: list[Transaction],
    writers: dict[Any, list[int]],
    number: int,
    read: tuple[Any, list[Any]],
    own: list[Any] | None,
) -> list[int] | None:
    """Whose version a read saw: nobody's, another transaction's, or one of its own so far.

    That it is an older one of its own contradicts what it did itself, which no such level forbids.
    """
    key, value = read
    content: list[Any] = []
    if not value:
        return []
    for writer in writers.get(key, []):
        so_far = own if own and writer == number else []
        if value in [content + so_far[:size] for size in range(1, len(so_far) + 1)]:
            return []
        content = content + _appends(transactions[writer], key)
        if value == content and writer != number:
            return [writer]
    return None


def _explains(visible: Pairs, sources: Sources, writers: dict[Any, list[int]]) -> bool:
    return all(
        source == _last([w for w in writers.get(key, []) if (w, number) in visible])
        for number, seen in sources.items()
        for key, source in seen.items()
    )


def _last(candidates: list[int]) -> int | None:
    return candidates[-1] if candidates else None


def _sources(
    transactions: list[Transaction], number: int, writers: dict[Any, list[int]]
) -> dict[Any, int | None] | None:
    """For each key read the transaction whose version was read; None: there is no such version.

    A list is what all earlier versions added to it; so is the transaction's own version, which it
    reads after its own appends.
    """
    own: dict[Any, list[Any]] = {}
    found: dict[Any, int | None] = {}
    for access, key, value in transactions[number]["ops"]:
        mine = own.setdefault(key, [])
        if access == "append":
            mine.append(value)
            continue
        content: list[Any] = []
        versions: list[tuple[int | None, list[Any]]] = [(None, [])]
        for writer in writers.get(key, []):
            if writer == number:
                break
            content = [*content, *_appends(transactions[writer], key)]
            versions.append((writer, content))
        if not mine:
            later = writers.get(key, [])[len(versions) :]
            for writer in later:
                content = [*content, *_appends(transactions[writer], key)]
                versions.append((writer, content))
            matches = [source for source, content in versions if content == value]
        else:
            matches = [versions[-1][0]] if value == [*content, *mine] else []
            if matches and key not in found:
                continue
        if not matches or (key in found and found[key] != matches[0]):
            return None
        found[key] = matches[0]
    return found


def _appends(transaction: Transaction, key: Any) -> list[Any]:
    return [v for access, k, v in transaction["ops"] if (access, k) == ("append", key)]


def _visible(
    order: tuple[int, ...],
    before: Pairs,
    sources: Sources,
    writers: dict[Any, list[int]],
    rules: tuple[str, ...],
) -> Pairs:
    """The least visibility that the level demands."""
    if "all" in rules:
        return {(a, b) for place, b in enumerate(order) for a in order[:place]}
    visible = set(before)
    visible |= {(w, n) for n, seen in sources.items() for w in seen.values() if w is not None}
    if "conflicts" in rules:
        visible |= {pair for each in writers.values() for pair in combinations(each, 2)}
    at = {number: place for place, number in enumerate(order)}
    while True:
        more = set(visible)
        for a, b in visible:
            if "prefix" in rules:
                more |= {(c, b) for c in order[: at[a]]}
            if "transitive" in rules:
                more |= {(a, d) for c, d in visible if c == b}
        if more == visible:
            return visible
        visible = more
