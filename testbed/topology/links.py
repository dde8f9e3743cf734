"""The links between the regions, as ``group_vars/all.yml`` states them: source, target, numbers."""

from __future__ import annotations

from testbed.topology.draft import LinkDraft
from testbed.topology.problem import Place, Problem, nearest
from testbed.topology.source import Item, Scalar, Table
from testbed.topology.variable import RefusedValueError, Variable, read_value

# Toxiproxy counts whole milliseconds and whole kilobytes a second.
_FIELDS = {
    variable.name: variable
    for variable in (
        Variable(
            name="delay_ms",
            group="wan",
            type="integer",
            default=0,
            description="One-way delay.",
            unit="ms",
            minimum=0,
            maximum=60_000,
        ),
        Variable(
            name="jitter_ms",
            group="wan",
            type="integer",
            default=0,
            description="Uniform jitter around the delay.",
            unit="ms",
            minimum=0,
            maximum=60_000,
        ),
        Variable(
            name="bandwidth_kbytes_s",
            group="wan",
            type="integer",
            default=None,
            description="Limit; none where it is left out.",
            unit="kbytes/s",
            minimum=1,
            maximum=100_000_000,
        ),
    )
}


def read_links(item: Item, problems: list[Problem]) -> tuple[LinkDraft, ...]:
    """The links of an inventory.

    Args:
        item: A mapping of source to target to the link's fields.
        problems: Gets every problem of form and value; names are checked later.
    """
    links: list[LinkDraft] = []
    for source, _, targets in _pairs(item, "links", problems):
        for target, place, fields in _pairs(targets, f"the links from {source}", problems):
            links.append(_link(source, target, place, fields, problems))
    return tuple(links)


def _pairs(item: Item, what: str, problems: list[Problem]) -> list[tuple[str, Place, Item]]:
    if isinstance(item, Table):
        return [(key, item.keys[key], value) for key, value in item.entries.items()]
    empty = isinstance(item, Scalar) and item.value is None
    message = f"{what}: empty" if empty else f"{what}: no mapping"
    problems.append(Problem(item.place, message, "write `TARGET: {delay_ms: 35}` a line"))
    return []


def _link(source: str, target: str, place: Place, item: Item, problems: list[Problem]) -> LinkDraft:
    """One link; a field that cannot be read has its default, and its problem."""
    name = f"{source}->{target}"
    entries: dict[str, Item] = {}
    for key, at, value in _pairs(item, f"the link {name}", problems):
        if key in _FIELDS:
            entries[key] = value
        else:
            message = f"unknown field {key} in the link {name}"
            problems.append(Problem(at, message, nearest(key, _FIELDS)))
    if isinstance(item, Table) and "delay_ms" not in entries:
        problems.append(Problem(place, f"the link {name} has no delay_ms", "add it, in ms one way"))
    numbers = {
        key: _number(variable, entries[key], problems)
        for key, variable in _FIELDS.items()
        if key in entries
    }
    delay_ms = numbers.get("delay_ms")
    jitter_ms = numbers.get("jitter_ms") or 0
    if delay_ms is not None and jitter_ms > delay_ms:
        at = entries["jitter_ms"].place
        message = f"the link {name} jitters by {jitter_ms} ms around {delay_ms} ms"
        problems.append(Problem(at, message, "write a jitter_ms no greater than delay_ms"))
    bandwidth_kbytes_s = numbers.get("bandwidth_kbytes_s")
    return LinkDraft(source, target, place, delay_ms or 0, jitter_ms, bandwidth_kbytes_s)


def _number(variable: Variable, item: Item, problems: list[Problem]) -> int | None:
    try:
        value = read_value(variable, item, ())
    except RefusedValueError as refused:
        problems.append(refused.problem)
        return None
    assert isinstance(value, int)
    return value
