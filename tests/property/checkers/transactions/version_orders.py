"""Anomalies by definition: every order of the versions of each key is tried.

After Adya (MIT 1999) and Cerone, Bernardi and Gotsman (CONCUR 2015). Histories are those of
:mod:`tests.property.checkers.transactions.commit_orders`. With an order of versions registers are
lists, so anomalies of Adya's thesis are those of :mod:`tests.adya_oracle`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from typing import Any

from testbed.checkers.transactions.anomaly import split_form
from tests.adya_oracle import Dsg, monotonic_snapshot_read, monotonic_view, update_serializable
from tests.property.checkers.transactions.commit_orders import INITIAL, Execution, executions

Pairs = set[tuple[int, int]]
OF_ADYA = {
    "G-monotonic": monotonic_view,
    "G-MSR": monotonic_snapshot_read,
    "G-update": update_serializable,
}
"""Anomalies of lists, each with what has to hold where it is not there."""


def some_order_is_without(history: list[dict[str, Any]], names: list[str]) -> bool | None:
    """Whether an order that agrees with who read from whom shows none of the anomalies.

    Args:
        history: Without reads that no order explains.
        names: Anomalies.

    Returns:
        None where no order agrees, because what was read from what is a circle in one of the forms.
    """
    agreeing = False
    for run in executions(history):
        if run is None:
            continue
        extra = {"": set(), "-process": run.session, "-realtime": run.session | run.realtime}
        wanted = [(anomaly, extra[form]) for anomaly, form in map(split_form, names)]
        for places in _orders(run):
            known = run.read_from | _overwrites(run, places)
            if any(_circular(known | more) for _, more in wanted):
                continue
            agreeing = True
            if not any(_shows(history, run, places, more, name) for name, more in wanted):
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


def _shows(
    history: list[dict[str, Any]],
    run: Execution,
    places: dict[Any, dict[int, int]],
    extra: Pairs,
    name: str,
) -> bool:
    if name in OF_ADYA:
        return not OF_ADYA[name](Dsg(_as_lists(history, run, places), extra))
    if name in ("G0", "G1c"):
        return False  # the order agrees
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


def _as_lists(
    history: list[dict[str, Any]], run: Execution, places: dict[Any, dict[int, int]]
) -> list[dict[str, Any]]:
    """Each write appends, and each read sees all up to its version; a last reader sees all."""
    written: dict[Any, list[tuple[int, Any]]] = {
        key: [
            (row, value)
            for row in sorted(place, key=place.__getitem__)
            if row != INITIAL
            for access, its, value in history[row]["ops"]
            if access == "w" and its == key
        ]
        for key, place in places.items()
    }
    lists = [{**each, "outcome": "fail"} for each in history]
    for row in run.rows:
        own: dict[Any, int] = {}
        external = iter(run.reads[row])
        ops: list[list[Any]] = []
        for access, key, value in history[row]["ops"]:
            if access == "w":
                own[key] = own.get(key, 0) + 1
                ops.append(["append", key, value])
            elif history[row]["outcome"] == "ok":
                before = places.get(key, {}).get(row, 0)
                upto = places.get(key, {}).get(INITIAL if key in own else next(external)[1], -1)
                seen = [
                    value
                    for at, value in written.get(key, [])
                    if (places[key][at] < before if key in own else places[key][at] <= upto)
                ]
                mine = [value for at, value in written.get(key, []) if at == row]
                ops.append(["r", key, seen + mine[: own.get(key, 0)]])
        lists[row] = {**history[row], "ops": ops}
    last = [["r", key, [value for _, value in values]] for key, values in written.items()]
    return [*lists, {"process": -1, "outcome": "ok", "ops": last}]


def _then(one: Pairs, two: Pairs) -> Pairs:
    return {(a, d) for a, b in one for c, d in two if b == c}


def _closed(pairs: Pairs) -> Pairs:
    closed = set(pairs)
    while more := _then(closed, closed) - closed:
        closed |= more
    return closed


def _circular(pairs: Pairs) -> bool:
    return any(a == b for a, b in _closed(pairs))
