"""The figures that stand at the top of a report, and the small print below them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from testbed.checkers.counted import counted
from testbed.report.judgement import Outcome, Recovery
from testbed.report.kinds import OTHER
from testbed.report.loss import check_loss
from testbed.report.recorded import RecordedRun
from testbed.report.visible import compact
from testbed.report.wording import number, percent, seconds

_ROWS_MAX = 8
_SIGNS = {None: "", Outcome.VALID: " ✓", Outcome.UNKNOWN: " ?", Outcome.VIOLATION: " ✗"}
"""Behind a time that was promised."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure with its name, a note, and its parts as (name, figure)."""

    name: str
    figure: str
    note: str = ""
    rows: tuple[tuple[str, str], ...] = ()


def tiles(run: RecordedRun) -> list[Tile]:
    """What a person looks for first."""
    found = [_recovery_tile(run), _loss_tile(run), _availability_tile(run), _fault_tile(run)]
    return [tile for tile in found if tile is not None]


def _recovery_tile(run: RecordedRun) -> Tile | None:
    judged = run.judgement
    recoveries = judged.recoveries if judged else ()
    if judged is None or not recoveries:
        return None
    worst: dict[str, Recovery] = {}
    for found in recoveries:
        before = worst.get(found.region)
        if before is None or _longer(found, before):
            worst[found.region] = found
    promised = [found for found in worst.values() if found.bound_s is not None]
    shown = promised or list(worst.values())
    longest = max(shown, key=lambda found: (found.rto_s is None, found.rto_s or 0.0))
    figure = seconds(longest.rto_s) if longest.rto_s is not None else "not back"
    note = f"longest; promised {seconds(longest.bound_s)}" if promised else "longest"
    rows = tuple(
        (
            region,
            (seconds(found.rto_s) if found.rto_s is not None else "not back")
            + _SIGNS[judged.kept(found)],
        )
        for region, found in worst.items()
    )
    return Tile("Time without service (RTO)", figure, note, rows[:_ROWS_MAX])


def _longer(one: Recovery, other: Recovery) -> bool:
    return other.rto_s is not None and (one.rto_s is None or one.rto_s > other.rto_s)


def _loss_tile(run: RecordedRun) -> Tile | None:
    loss, check = run.judgement.loss if run.judgement else None, check_loss(run)
    if loss is None or check is None:
        return None
    note = f"of {number(loss.acknowledged)} acknowledged" if loss.acknowledged is not None else ""
    rows: tuple[tuple[str, str], ...] = ()
    if check.expected is not None:
        rate = f"{number(_to(1, check.rate_ops_s))}/s x {number(_to(2, check.window_s))} s"
        rows = (
            (rate, f"= {number(round(check.expected))}{' ✓ fits' if check.fits else ' ? differs'}"),
        )
    return Tile("Acknowledged writes lost (RPO)", f"{check.lost:,}", note, rows)


def _to(digits: int, value: float | None) -> float | None:
    return None if value is None else round(value, digits)


def _availability_tile(run: RecordedRun) -> Tile | None:
    shares = run.judgement.availability if run.judgement else {}
    if not shares:
        return None
    order = [*(run.judgement.regions if run.judgement else ()), *shares]
    rows = tuple((name, percent(shares[name])) for name in dict.fromkeys(order) if name in shares)
    return Tile(
        "Operations served", percent(min(shares.values())), "in the worst region", rows[:_ROWS_MAX]
    )


def _fault_tile(run: RecordedRun) -> Tile | None:
    injected = [fault for fault in run.schedule if fault.inject_s is not None]
    if not injected:
        return Tile("Faults", "none") if run.calls else None
    bit = sum(fault.effect_s is not None for fault in injected)
    healing = [fault for fault in injected if fault.heal_s is not None]
    gone = sum(fault.absence_s is not None for fault in healing)
    rows = (
        ("shown to bite", f"{bit} of {len(injected)}"),
        ("shown to be gone", f"{gone} of {len(healing)}"),
    )
    return Tile("Faults", str(len(injected)), "injected", rows)


def about(run: RecordedRun) -> str:
    """What was run, in one line."""
    judged, plan = run.judgement, run.plan
    parts = []
    if judged and judged.experiment:
        example = f", example {judged.example}" if judged.example else ""
        parts.append(f"experiment {judged.experiment}{example}")
    if judged and judged.started:
        parts.append(judged.started.replace("T", " "))
    if plan:
        parts.append(f"deployment {plan.deployment}")
        parts += [f"{name}={compact(value, 40)}" for name, value in plan.variables.items()]
        parts.append(f"{counted(_load_size(run), 'operation')} in {seconds(plan.duration_s)}")
        parts.append(f"seed {plan.seed}")
    parts.append(str(run.folder))
    return " · ".join(parts)


def _load_size(run: RecordedRun, region: str | None = None) -> int:
    """Operations of the load, of one region or of all."""
    return sum(call.kind != OTHER and region in {None, call.region} for call in run.calls)


def region_note(run: RecordedRun, region: str) -> str:
    """What stands beside a region's name."""
    judged = run.judgement
    parts = [judged.regions.get(region, "")] if judged else []
    parts.append(counted(_load_size(run, region), "operation"))
    if judged and region in judged.availability:
        parts.append(f"{percent(judged.availability[region])} served")
    return " · ".join(part for part in parts if part)


def environment_pairs(run: RecordedRun) -> list[tuple[str, str]]:
    """Programs with their versions first, then what else the verdict says of the machine."""
    environment = run.judgement.environment if run.judgement else {}
    programs = environment.get("programs")
    known = programs if isinstance(programs, Mapping) else {}
    rest = {name: value for name, value in environment.items() if value is not known}
    return [(str(name), compact(version)) for name, version in known.items()] + _pairs(rest)


def _pairs(values: Mapping[str, object], before: str = "") -> list[tuple[str, str]]:
    """Names in words with their amounts; what is inside of an object stands under its name."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping) and value and not before:
            pairs += _pairs(value, f"{name} ")
        else:
            pairs.append((before + _UNIT.sub("", name).replace("_", " "), _amount(name, value)))
    return pairs


_UNIT = re.compile(r"_(percent|bytes|ms|s|share)(?=_|$)")
"""Names end in their unit, or in their unit and a percentile: ``cpu_percent``, ``delay_ms_p99``."""


def _amount(name: str, value: object) -> str:
    """A value with the unit that its name has."""
    unit = _UNIT.search(name)
    if unit is None or not isinstance(value, int | float) or isinstance(value, bool):
        return compact(value)
    if unit[1] == "bytes":
        return f"{value / 2**30:.1f} GiB"
    if unit[1] == "share":
        return percent(value)
    return f"{number(value)} {'%' if unit[1] == 'percent' else unit[1]}"
