"""Small histories over lists that are read committed but for circles, drawn densely.

Each read sees what some transactions left, by an order of the versions of each key.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from typing import Any

from tests.dice import Dice, dice

Transaction = dict[str, Any]
KEYS = "xy"
_KINDS = ("r", "append", "r", "append", "r")


def _drawn(chosen: Dice) -> list[Transaction]:
    rows = [_shape(chosen) for _ in range(chosen.number(2, 4))]
    for row, (start, end) in enumerate(_spans(len(rows), chosen)):
        rows[row] |= {"start": start, "end": end}
    rows.sort(key=lambda each: int(each["start"]))
    for row, each in enumerate(rows):
        for at, op in enumerate(each["ops"]):
            op[2] = 10 * row + at if op[0] == "append" else None
    orders = {key: chosen.of(list(permutations(_writers(rows, key)))) for key in KEYS}
    for row, each in enumerate(rows):
        if each["outcome"] == "ok":
            _read(rows, row, orders, chosen)
    return rows


histories = dice(64).map(_drawn)
"""Two to four transactions, some of them indeterminate; what nobody shows may have any order."""


def completions(rows: list[Transaction]) -> Iterator[list[Transaction]]:
    """The history with a last reader of everything, for each order that the versions may have."""
    seen = shown_by_reads(rows)
    shown = {value for values in seen.values() for value in values}
    counted = [
        row
        for row, each in enumerate(rows)
        if each["outcome"] == "ok" or shown & {value for _, _, value in each["ops"]}
    ]
    for orders in product(*(_orders(rows, counted, key, seen[key]) for key in KEYS)):
        ops = [["r", key, values] for key, values in zip(KEYS, orders, strict=True)]
        last = {"process": 9, "outcome": "ok", "ops": ops, "start": 20, "end": 21}
        yield [*rows, last]


def shown_by_reads(rows: list[Transaction]) -> dict[str, list[int]]:
    """The longest read of each key."""
    seen: dict[str, list[int]] = {key: [] for key in KEYS}
    for each in rows:
        for access, key, value in each["ops"]:
            if access == "r" and each["outcome"] == "ok":
                seen[key] = max(seen[key], value, key=len)
    return seen


def _orders(
    rows: list[Transaction], counted: list[int], key: str, seen: list[int]
) -> Iterator[list[int]]:
    begun = [row for row in counted if set(appended(rows[row], key)) & set(seen)]
    # What its writer alone has shown is its own; the rest of it comes before what others wrote.
    rest = [value for row in begun for value in appended(rows[row], key) if value not in seen]
    hidden = [row for row in counted if row not in begun and appended(rows[row], key)]
    for order in permutations(hidden):
        yield [*seen, *rest, *(value for row in order for value in appended(rows[row], key))]


def appended(row: Transaction, key: str) -> list[int]:
    """What a transaction appends to a key."""
    return [value for access, its, value in row["ops"] if (access, its) == ("append", key)]


def _shape(chosen: Dice) -> Transaction:
    ops = [[chosen.of(_KINDS), chosen.of(KEYS), None] for _ in range(chosen.number(1, 4))]
    outcome = chosen.of(("ok", "ok", "ok", "ok", "ok", "ok", "ok", "info"))
    return {"ops": ops, "outcome": outcome, "process": chosen.number(0, 2)}


def _spans(count: int, chosen: Dice) -> list[tuple[int, int]]:
    """One after the other, but for beginnings and ends that are drawn apart."""
    moments = [(4 * row + 5 * chosen.number(-1, 0), row) for row in range(count)]
    moments += [(4 * row + 2 + 5 * chosen.number(0, 2), row) for row in range(count)]
    places: dict[int, list[int]] = {row: [] for row in range(count)}
    for place, (_, row) in enumerate(sorted(moments)):
        places[row].append(place)
    return [(start, end) for start, end in places.values()]


def _writers(rows: list[Transaction], key: str) -> list[int]:
    return [row for row, each in enumerate(rows) if appended(each, key)]


def _read(
    rows: list[Transaction], row: int, orders: dict[str, tuple[int, ...]], chosen: Dice
) -> None:
    own: dict[str, list[int]] = {key: [] for key in KEYS}
    for op in rows[row]["ops"]:
        access, key, value = op
        if access == "append":
            own[key].append(value)
            continue
        order = orders[key]
        before = order[: order.index(row)] if row in order else order
        if not own[key]:
            before = before[: len(before) - chosen.number(0, len(before))]
        op[2] = [each for other in before for each in appended(rows[other], key)] + own[key]
