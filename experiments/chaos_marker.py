"""``@pytest.mark.chaos``: what a test asks of its worlds, beside the command line's options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.duration import parse_duration_s

MARKER = "chaos"
SIGNATURE = (
    "chaos(deployment=None, variables={}, budget=None, examples=None): runs real clusters; "
    "set by itself on every test that takes `world` or `run_plan`"
)
_KNOWN = ("deployment", "variables", "budget", "examples")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the marker of a test says.

    Args:
        deployment: A shipped deployment, or the path of an inventory folder; None for no wish.
        variables: Of the deployment, by name.
        budget_s: Of the test's search; None for no wish.
        examples: At most so many; None for no wish.
    """

    deployment: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    budget_s: float | None = None
    examples: int | None = None


def asked(positional: tuple[Any, ...], named: Mapping[str, Any]) -> Asked:
    """What a marker's arguments mean.

    Raises:
        ValueError: With every problem.
    """
    problems = [f"takes no positional argument, not {one!r}" for one in positional]
    problems += [
        f"unknown argument '{name}' (known: {', '.join(_KNOWN)})"
        for name in named
        if name not in _KNOWN
    ]
    deployment, variables = named.get("deployment"), named.get("variables", {})
    if deployment is not None and not isinstance(deployment, str):
        problems.append(f"deployment: must be a text, not {deployment!r}")
    if not isinstance(variables, Mapping) or not all(isinstance(name, str) for name in variables):
        problems.append(f"variables: must be values by name, not {variables!r}")
    examples = named.get("examples")
    if examples is not None and (type(examples) is not int or examples < 1):
        problems.append(f"examples: must be a whole number from 1, not {examples!r}")
    budget_s = None
    if named.get("budget") is not None:
        try:
            budget_s = parse_duration_s(str(named["budget"]))
        except ValueError as error:
            problems.append(f"budget: {error}")
    if problems:
        raise ValueError("\n".join(f"@pytest.mark.chaos: {problem}" for problem in problems))
    return Asked(deployment, dict(variables), budget_s, examples)
