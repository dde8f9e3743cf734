"""Small histories of registers drawn by Hypothesis: nearly right, so that both verdicts happen."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.dice import dice

KEYS = ("x", "y", "z")
LAG = (0, 0, 0, 0, 0, 1, 1, 2, 3, -1)
OUTCOME = ("ok",) * 8 + ("info", "fail")
CHOICES = dice(128)


@st.composite
def histories(
    draw: st.DrawFn, *, most: int = 5, ops: int = 3, keys: int = 2, right: bool = False
) -> list[dict[str, Any]]:
    """Transactions run one after the other; a read may lag behind, or see what comes later.

    Args:
        most: At most so many transactions.
        ops: At most so many micro-operations each.
        keys: So many keys.
        right: Every transaction commits and no read lags behind: strict-serializable.
    """
    chosen = draw(CHOICES)
    history: list[dict[str, Any]] = []
    versions: dict[str, list[Any]] = {key: [None] for key in KEYS[:keys]}
    lags: dict[tuple[int, int], tuple[int, int]] = {}
    start = 0
    retired: dict[int, int] = {}
    for row in range(chosen.number(1, most)):
        outcome = "ok" if right else chosen.of(OUTCOME)
        micro: list[list[Any]] = []
        own: dict[str, Any] = {}
        for at in range(chosen.number(1, ops)):
            key = chosen.of(KEYS[:keys])
            if chosen.heads():
                value = sum(map(len, versions.values()))
                versions[key].append(value)
                own[key] = value
                micro.append(["w", key, value])
            else:
                lag = 0 if right else chosen.of(LAG)
                if key not in own or lag:
                    lags[row, at] = (len(versions[key]) - 1 - (key in own), lag)
                micro.append(["r", key, own.get(key)])
        process = chosen.number(0, 2)
        # A client whose operation is indeterminate goes on, in half of the histories.
        process = retired.get(process, process)
        if outcome == "info" and chosen.heads():
            retired[process] = process + 10
        start += chosen.number(1, 3)
        length = chosen.number(1, 8)
        history.append(
            {"process": process, "outcome": outcome, "ops": micro, "start": start,
             "end": start + length}
        )  # fmt: skip
    for (row, at), (current, lag) in lags.items():
        known = versions[history[row]["ops"][at][1]]
        history[row]["ops"][at][2] = known[min(max(current - lag, 0), len(known) - 1)]
    return _without_ties(history)


@st.composite
def tangled(
    draw: st.DrawFn, *, most: int = 5, keys: int = 2, blind: bool = True
) -> list[dict[str, Any]]:
    """Committed transactions that touch each key at most once and read any version of others.

    Nothing is wrong with a single read, so what is violated is a level above read committed.

    Args:
        most: At most so many transactions.
        keys: So many keys.
        blind: Whether keys are written that were not read.
    """
    chosen = draw(CHOICES)
    count = chosen.number(2, most)
    touch = ["", "r", "w", "w", "rw"] if blind else ["", "r", "rw"]
    # Most often nobody reads what is written later: else sessions and reads alone are a cycle.
    forwards = chosen.number(0, 5) == 0
    processes = chosen.of([1, 3, 9])
    touched = [[chosen.of(touch) for _ in range(keys)] for _ in range(count)]
    history: list[dict[str, Any]] = []
    for row in range(count):
        micro: list[list[Any]] = []
        for key, access in enumerate(touched[row]):
            if "r" in access:
                others = [at for at in range(count) if at != row and "w" in touched[at][key]]
                if not forwards:
                    others = [at for at in others if at < row]
                source = chosen.of([None, *others, *others[-1:]])
                micro.append(["r", KEYS[key], source])
            if "w" in access:
                micro.append(["w", KEYS[key], row])
        # Near to the order in which they are numbered, and no two at once.
        start = 8 * (2 * row + chosen.number(0, 4)) + row
        end = start + 8 * chosen.number(1, 9)
        process = chosen.number(0, processes)
        history.append(
            {"process": process, "outcome": "ok", "ops": micro, "start": start, "end": end}
        )
    history.sort(key=lambda each: each["start"])
    return _without_ties(history)


def _without_ties(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Starts and ends as places among all events; a process does one thing after the other."""
    until: dict[int, int] = {}
    for each in history:
        until[each["process"]] = max(until.get(each["process"], -1), each["end"])
    last: dict[int, dict[str, Any]] = {}
    for each in history:
        before = last.get(each["process"])
        if before is not None and before["end"] >= each["start"]:
            before["end"] = each["start"]
        last[each["process"]] = each
    # Completions come before invocations of the same moment.
    events = [(each["start"], 1, row, "start") for row, each in enumerate(history)]
    events += [(each["end"], 0, row, "end") for row, each in enumerate(history)]
    for place, (_, _, row, what) in enumerate(sorted(events)):
        history[row][what] = place
    return history


def rmw(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same with a read before every write, of what was the latest version then."""
    current: dict[str, Any] = {}
    changed = []
    for each in history:
        micro: list[list[Any]] = []
        touched: set[str] = set()
        for access, key, value in each["ops"]:
            if access == "w" and key not in touched:
                micro.append(["r", key, current.get(key)])
            touched.add(key)
            micro.append([access, key, value])
        changed.append({**each, "ops": micro})
        if each["outcome"] == "ok":
            current |= {key: value for access, key, value in micro if access == "w"}
    return changed
