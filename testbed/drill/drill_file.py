"""The drill file: read whole, or refused with every problem at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import yaml

from experiments.judging import PROMISES
from faults.catalogue import problems as fault_problems
from testbed.drill.drill import (
    DRILL_VERSION,
    SIGNALS,
    BlastRadius,
    Bound,
    Control,
    Drill,
    Inject,
    Objective,
    Rollback,
    SteadyState,
    StopCondition,
)
from testbed.drill.drill_checks import contradictions
from testbed.metrics.alerts import alerts
from testbed.report.reading import Fields, Problem
from testbed.runner.plan import Load, Step
from testbed.topology.inventory import find, load
from testbed.topology.model import Deployment, Topology
from testbed.topology.problem import InventoryError
from testbed.workloads.catalogue import problems as load_problems

ROLES = ("facilitator", "driver", "observer", "responder")
_NO_HEAL = ("switchover", "link-reset")

_KNOWN: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # Where in the file -> what must be there, what may be.
    "": (
        (
            "drill", "title", "briefing", "objective", "deployment", "load", "steady_state",
            "roles", "blast_radius", "injects", "stop_conditions", "rollback", "questions",
        ),
        ("set", "primary_region", "control", "seed"),
    ),
    "objective": (("says", "promises"), ("primary", "jurisdiction", "alerts")),
    "load": (("workload",), ("rate_ops_s", "processes", "timeout_ms", "parameters")),
    "steady_state": (("measured_s", "healthy"), ()),
    "roles": (ROLES, ()),
    "blast_radius": (("regions", "faults_at_once", "duration_s"), ()),
    "injects": (("name", "fault", "target", "at_s"), ("for_s", "parameters", "hidden", "told")),
    "stop_conditions": (("name", "must_hold", "for_s"), ()),
    "rollback": (("says", "within_s", "healthy_s"), ()),
    "control": (("says", "set"), ()),
}  # fmt: skip


class DrillFileError(Exception):
    """A drill file was refused; the message lists every problem, a line each."""

    exit_code = 64

    def __init__(self, path: Path, problems: list[str]) -> None:
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))
        self.problems = tuple(problems)


def load_drill(path: Path, *, control: bool = False) -> tuple[Drill, Deployment]:
    """A drill, and the deployment that it is played on.

    Args:
        path: The drill file.
        control: Take the settings of its negative control.

    Raises:
        DrillFileError: With every problem.
    """
    document = _document(path)
    top = Fields(document, "", "", [])
    _shape(top, "")
    drill = _drill(top, path.stem)
    problems = [str(problem).removeprefix(": ") for problem in top.problems]
    if control and drill.control is None:
        problems.append("control: there is none, so --control has nothing to play")
    if control and drill.control is not None:
        drill = replace(drill, settings={**drill.settings, **drill.control.settings})
    deployment: Deployment | None = None
    if drill.deployment:
        try:
            deployment = load(find(drill.deployment), drill.settings)
        except InventoryError as error:
            problems += [f"deployment or set: {problem}" for problem in error.problems]
    if deployment is not None:
        problems += _unfit(drill, deployment.topology)
    if problems or deployment is None:
        raise DrillFileError(path, problems)
    return drill, deployment


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise DrillFileError(path, [f"cannot be read: {why}"]) from error
    except RecursionError as error:
        raise DrillFileError(path, ["is nested too deep"]) from error
    except yaml.YAMLError as error:
        raise DrillFileError(path, [f"is not YAML: {' '.join(str(error).split())}"]) from error
    if not isinstance(document, dict):
        raise DrillFileError(path, ["must be a mapping of names to values"])
    return document


def _shape(at: Fields, place: str) -> None:
    """Note what is missing and what nobody knows, here and below."""
    required, optional = _KNOWN[place]
    for name in required:
        if at.values.get(name) is None:
            at.problems.append(Problem("", f"{_where(at, name)}: is missing"))
    for name in at.values:
        if name not in (*required, *optional):
            known = ", ".join((*required, *optional))
            at.problems.append(Problem("", f"{_where(at, name)}: is not known (known: {known})"))
    if place:
        return
    for name in _KNOWN:
        if name in ("injects", "stop_conditions"):
            for one in at.objects(name):
                _shape(one, name)
        elif name and name in at.values:
            _shape(at.mapping(name), name)


def _where(at: Fields, name: object) -> str:
    return f"{at.path}.{name}" if at.path else str(name)


def _drill(top: Fields, name: str) -> Drill:
    """The drill as far as it can be read; what is wrong is noted in the fields' problems."""
    if top.values.get("drill") not in (None, DRILL_VERSION):
        known = f"this testbed reads version {DRILL_VERSION}"
        top.problems.append(Problem("", f"drill: is version {top.values['drill']!r}; {known}"))
    objective, radius = top.mapping("objective"), top.mapping("blast_radius")
    steady, rollback = top.mapping("steady_state"), top.mapping("rollback")
    control = top.mapping("control")
    healthy = steady.mapping("healthy")
    return Drill(
        name=name,
        title=top.text("title"),
        briefing=top.text("briefing").strip(),
        deployment=top.text("deployment"),
        settings=dict(top.mapping("set").values),
        primary_region=top.text("primary_region"),
        load=_load(top.mapping("load")),
        seed=top.whole("seed") or 0,
        steady_state=SteadyState(
            _positive(steady, "measured_s"),
            tuple(b for key in healthy.values if (b := _bound(healthy, key)) is not None),
        ),
        objective=Objective(
            says=objective.text("says").strip(),
            promises=_choice(objective, "promises", tuple(PROMISES)),
            primary=_choice(objective, "primary", ("stays", "moves", "anywhere"), "anywhere"),
            jurisdiction=objective.text("jurisdiction"),
            alerts=_alerts(objective),
        ),
        roles={role: top.mapping("roles").text(role).strip() for role in ROLES},
        blast_radius=BlastRadius(
            tuple(map(str, radius.items("regions"))),
            int(_positive(radius, "faults_at_once")),
            _positive(radius, "duration_s"),
        ),
        injects=tuple(_inject(one) for one in top.objects("injects")),
        stop_conditions=tuple(
            stop for one in top.objects("stop_conditions") if (stop := _stop(one)) is not None
        ),
        rollback=Rollback(
            rollback.text("says").strip(),
            _positive(rollback, "within_s"),
            _positive(rollback, "healthy_s"),
        ),
        questions=tuple(map(str, top.items("questions"))),
        control=Control(control.text("says").strip(), dict(control.mapping("set").values))
        if control.values
        else None,
    )


def _alerts(at: Fields) -> tuple[str, ...]:
    known = [alert.name for alert in alerts()]
    names = tuple(map(str, at.items("alerts")))
    for name in names:
        if name not in known:
            listed = ", ".join(known)
            at.problems.append(Problem("", f"{at.path}.alerts: no alert '{name}' ({listed})"))
    return names


def _load(at: Fields) -> Load:
    known = {field.name for field in fields(Load)} - {"workload", "parameters"}
    stated = {name: at.number(name) for name in at.values if name in known}
    for name, value in stated.items():
        if value is None or value <= 0:
            at.problems.append(Problem("", f"{at.path}.{name}: must be above 0"))
    numbers: dict[str, Any] = {
        name: value if name == "rate_ops_s" else int(value)
        for name, value in stated.items()
        if value is not None and value > 0
    }
    return Load(at.text("workload"), parameters=dict(at.mapping("parameters").values), **numbers)


def _inject(at: Fields) -> Inject:
    at_s = at.number("at_s")
    if at_s is not None and at_s < 0:
        at.problems.append(Problem("", f"{at.path}.at_s: must not be negative, is {at_s:g}"))
    fault, for_s = at.text("fault"), at.number("for_s")
    if fault not in _NO_HEAL and "for_s" not in at.values:
        at.problems.append(Problem("", f"{at.path}.for_s: is missing: how long {fault} holds"))
    if for_s is not None and for_s <= 0:
        at.problems.append(Problem("", f"{at.path}.for_s: must be above 0, is {for_s:g}"))
    parameters = dict(at.mapping("parameters").values)
    hidden = at.truth("hidden")
    return Inject(
        at.text("name"),
        Step(fault, at.text("target"), at_s or 0.0, for_s, parameters),
        hidden=True if hidden is None else hidden,
        told=at.text("told"),
    )


def _stop(at: Fields) -> StopCondition | None:
    must_hold = at.mapping("must_hold")
    if len(must_hold.values) != 1:
        at.problems.append(Problem("", f"{at.path}.must_hold: must name exactly one bound"))
        return None
    bound = _bound(must_hold, next(iter(must_hold.values)))
    return None if bound is None else StopCondition(at.text("name"), bound, _positive(at, "for_s"))


def _bound(at: Fields, key: str) -> Bound | None:
    """``SIGNAL_min`` or ``SIGNAL_max`` with its limit."""
    signal, _, op = str(key).rpartition("_")
    limit = at.number(key)
    if signal not in SIGNALS or op not in ("min", "max"):
        known = ", ".join(f"{name}_min, {name}_max" for name in SIGNALS)
        at.problems.append(Problem("", f"{_where(at, key)}: is no bound (known: {known})"))
        return None
    if limit is None:
        at.problems.append(Problem("", f"{_where(at, key)}: must be a number"))
        return None
    return Bound(signal, op, limit)


def _positive(at: Fields, name: str) -> float:
    value = at.number(name)
    if value is not None and value <= 0:
        at.problems.append(Problem("", f"{_where(at, name)}: must be above 0, is {value:g}"))
    return value or 0.0


def _choice(at: Fields, name: str, known: tuple[str, ...], default: str = "") -> str:
    value = at.text(name, default)
    if value and value not in known:
        listed = ", ".join(known)
        at.problems.append(Problem("", f"{_where(at, name)}: is '{value}' (known: {listed})"))
    return value


def _unfit(drill: Drill, topology: Topology) -> Iterator[str]:
    """What can't work on the deployment, or contradicts itself."""
    for number, inject in enumerate(drill.injects):
        step = inject.step
        if step.kind and step.target:
            for problem in fault_problems(step.kind, step.target, step.parameters, topology):
                yield f"injects[{number}]: {problem}"
    if drill.load.workload:
        for problem in load_problems(drill.load.workload, drill.load.parameters):
            yield f"load: {problem}"
    yield from contradictions(drill, topology)
