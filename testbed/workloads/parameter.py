"""Parameters of a workload: known by name, whole numbers within bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class WorkloadError(Exception):
    """A workload was asked for that cannot be; lists every problem.

    Args:
        problems: One sentence each.
    """

    exit_code = 64

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A whole number that a workload may be given.

    Args:
        default: Its value when not given.
        minimum: The least that is allowed.
        maximum: The greatest that is allowed.
    """

    default: int
    minimum: int
    maximum: int


def parameter_problems(given: Mapping[str, Any], known: Mapping[str, Parameter]) -> list[str]:
    """Every problem of the given parameters, each as one sentence."""
    names = ", ".join(sorted(known))
    problems = [
        f"unknown parameter '{name}'; the workload knows {names}"
        for name in sorted(set(given) - set(known))
    ]
    for name, parameter in known.items():
        value = given.get(name, parameter.default)
        if type(value) is not int or not parameter.minimum <= value <= parameter.maximum:
            problems.append(
                f"parameter '{name}' must be a whole number from {parameter.minimum}"
                f" to {parameter.maximum}, not {value!r}"
            )
    return problems


def resolved(given: Mapping[str, Any], known: Mapping[str, Parameter]) -> dict[str, int]:
    """The value of every known parameter.

    Raises:
        WorkloadError: With every problem of the given ones.
    """
    problems = parameter_problems(given, known)
    if problems:
        raise WorkloadError(problems)
    return {name: given.get(name, parameter.default) for name, parameter in known.items()}


def check_shares(
    values: Mapping[str, int], names: Sequence[str], left_percent_min: int = 10
) -> None:
    """Refuse percentages that leave too little to the workload's writes.

    Raises:
        WorkloadError: Says what they leave and what is needed.
    """
    left = 100 - sum(values[name] for name in names)
    if left < left_percent_min:
        listed = ", ".join(names)
        raise WorkloadError(
            [f"{listed} leave {left} percent to writes, expected at least {left_percent_min}"]
        )
