"""Anomalies by definition: every order of the versions of each key is tried.

After Adya (MIT 1999) and Cerone, Bernardi and Gotsman (CONCUR 2015). Histories are those of
:mod:`tests.property.checkers.transactions.commit_orders`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from typing import Any

from tests.property.checkers.transactions.commit_orders import INITIAL, Execution, executions

Pairs = set[tuple[int, int]]


def some_order_is_without(
    history: list[dict[str, Any]], names: list[str], form: str
) -> bool | None:
    """Whether an order that agrees with who read from whom shows none of the anomalies.

    Args:
        history: Without reads that no order explains.
        names: Anomalies without a form.
        form: The form of all of them.

    Returns:
        None where no order agrees, because what was read from what is a circle.
    """
    agreeing = False
    for run in executions(history):
        if run is None:
            continue
        extra = {"": set(), "-process": run.session, "-realtime": run.session | run.realtime}[form]
        for places in _orders(run):
            known = run.read_from | extra | _overwrites(run, places)
            if _circular(known):
                continue
            agreeing = True
            if not any(_shows(run, places, extra, name) for name in names):
                return True
    return False if agreeing else None


def _orders(run: Execution) -> Iterator[dict[Any, dict[int, int]]]:
    keys = sorted({key for row in run.rows for key in run.writes[row]})
    writers = [[row for row in run.rows if key in run.writes[row]] for key in keys]
    for orders in product(*(permutations(each) for each in writers)):
        yield {
            key: {row: at for at, row in enumerate(order)} | {INITIAL: -1}
            for key, order in zip(keys, orders, strict=True)
        }


def _overwrites(run: Execution, places: dict[Any, dict[int, int]]) -> Pairs:
    return {
        (a, b)
        for place in places.values()
        for a, b in permutations(place, 2)
        if INITIAL not in (a, b) and place[a] < place[b]
    }


def _missed(run: Execution, places: dict[Any, dict[int, int]]) -> Pairs:
    return {
        (row, other)
        for row, reads in run.reads.items()
        for key, source in reads
        for other in places.get(key, {})
        if other not in (row, INITIAL) and places[key][other] > places[key][source]
    }


def _shows(run: Execution, places: dict[Any, dict[int, int]], extra: Pairs, name: str) -> bool:
    missed = _missed(run, places)
    seen = run.read_from | extra
    known = seen | _overwrites(run, places)
    if name == "observed-transaction-vanishes":
        return any(
            key in run.writes[other] and places[key][source] < places[key][other]
            for reads in run.reads.values()
            for at, (key, source) in enumerate(reads)
            for _, other in reads[:at]
            if other not in (source, INITIAL)
        )
    if name in ("fractured-read", "causal-violation"):
        before = seen if name == "fractured-read" else _closed(seen)
        return any((b, a) in before for a, b in missed)
    if name == "G-single":
        return any((b, a) in _closed(known) for a, b in missed)
    if name == "G-nonadjacent":
        return _circular(known | _then(known, missed))
    if name == "prefix-violation":
        return _circular(known | _then(seen, missed))
    assert name in ("G2-item", "G2")
    return _circular(known | missed)


def _then(one: Pairs, two: Pairs) -> Pairs:
    return {(a, d) for a, b in one for c, d in two if b == c}


def _closed(pairs: Pairs) -> Pairs:
    closed = set(pairs)
    while more := _then(closed, closed) - closed:
        closed |= more
    return closed


def _circular(pairs: Pairs) -> bool:
    return any(a == b for a, b in _closed(pairs))
