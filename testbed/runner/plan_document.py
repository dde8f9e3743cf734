"""The plan as JSON: written before it runs, read back whole or refused with every problem."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from testbed.runner.plan import PLAN_VERSION, Load, Plan, Step


class PlanError(Exception):
    """A plan was refused.

    Args:
        source: Where it came from, for the message.
        problems: Every problem, a sentence each.
    """

    exit_code = 64

    def __init__(self, source: str, problems: list[str]) -> None:
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems))
        self.source = source
        self.problems = tuple(problems)


def to_document(plan: Plan) -> dict[str, Any]:
    """The plan as plain JSON; the inverse of ``from_document``."""
    return asdict(plan)


def digest(plan: Plan) -> str:
    """Sixteen hex digits that are the same for equal plans."""
    text = json.dumps(to_document(plan), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_plan(path: Path) -> Plan:
    """Read a plan file.

    Raises:
        PlanError: It can't be read, is not JSON, or has problems; all of them are listed.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanError(str(path), [f"cannot be read: {error.strerror}"]) from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PlanError(str(path), [f"is not JSON: {error}"]) from error
    return from_document(document, str(path))


def from_document(document: Any, source: str = "plan") -> Plan:
    """A plan from plain JSON.

    Raises:
        PlanError: With every problem, not just the first.
    """
    if not isinstance(document, dict):
        raise PlanError(source, ["must be a JSON object"])
    version = document.get("version", PLAN_VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise PlanError(source, [f"version must be a whole number, not {version!r}"])
    if version > PLAN_VERSION:
        known = f"this testbed reads versions up to {PLAN_VERSION}; use a newer testbed"
        raise PlanError(source, [f"has version {version}: {known}"])
    problems = _unknown(document, Plan, "")
    problems += _shape(document, _PLAN_SHAPE, "")
    load, steps = document.get("load"), document.get("schedule")
    if isinstance(load, dict):
        problems += _unknown(load, Load, "load: ") + _shape(load, _LOAD_SHAPE, "load: ")
    for number, step in enumerate(steps if isinstance(steps, list | tuple) else []):
        place = f"schedule step {number + 1}: "
        if not isinstance(step, dict):
            problems.append(f"{place}must be a JSON object")
            continue
        problems += _unknown(step, Step, place) + _shape(step, _STEP_SHAPE, place)
    if problems:
        raise PlanError(source, problems)
    assert isinstance(load, dict)
    assert isinstance(steps, list | tuple)
    schedule = tuple(Step(**step) for step in steps)
    inspections = tuple(document.get("inspections", ()))
    named = {"load": Load(**load), "schedule": schedule, "inspections": inspections}
    return Plan(**{**document, **named})


def _unknown(document: Mapping[str, Any], kind: type, place: str) -> list[str]:
    known = {field.name for field in fields(kind)}
    return [
        f"{place}unknown field '{name}' (known: {', '.join(sorted(known))})"
        for name in sorted(set(document) - known)
    ]


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "must be a text that is not empty"


def _positive(value: Any) -> str | None:
    good = _is_number(value) and value > 0
    return None if good else "must be a number above 0"


def _not_negative(value: Any) -> str | None:
    good = _is_number(value) and value >= 0
    return None if good else "must be a number that is not negative"


def _count(value: Any) -> str | None:
    good = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return None if good else "must be a whole number above 0"


def _whole(value: Any) -> str | None:
    good = isinstance(value, int) and not isinstance(value, bool)
    return None if good else "must be a whole number"


def _object(value: Any) -> str | None:
    return None if isinstance(value, dict) else "must be a JSON object"


def _list(value: Any) -> str | None:
    return None if isinstance(value, list | tuple) else "must be a list"


def _names(value: Any) -> str | None:
    good = isinstance(value, list | tuple) and all(isinstance(one, str) and one for one in value)
    return None if good else "must be a list of names"


def _optional_positive(value: Any) -> str | None:
    return None if value is None else _positive(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_PLAN_SHAPE = {
    "deployment": (_text, True),
    "load": (_object, True),
    "schedule": (_list, True),
    "seed": (_whole, True),
    "duration_s": (_positive, True),
    "variables": (_object, False),
    "experiment": (_text, False),
    "inspections": (_names, False),
    "recovery_s": (_optional_positive, False),
}
_LOAD_SHAPE = {
    "workload": (_text, True),
    "rate_ops_s": (_positive, False),
    "processes": (_count, False),
    "timeout_ms": (_count, False),
    "parameters": (_object, False),
}
_STEP_SHAPE = {
    "kind": (_text, True),
    "target": (_text, True),
    "at_s": (_not_negative, True),
    "duration_s": (_optional_positive, False),
    "parameters": (_object, False),
}


def _shape(document: Mapping[str, Any], shape: Mapping[str, Any], place: str) -> list[str]:
    problems = []
    for name, (check, required) in shape.items():
        if name not in document:
            if required:
                problems.append(f"{place}field '{name}' is missing")
            continue
        complaint = check(document[name])
        if complaint is not None:
            problems.append(f"{place}'{name}' {complaint}, not {document[name]!r}")
    return problems
