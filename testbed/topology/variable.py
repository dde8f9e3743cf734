"""A variable of a deployment: its declaration, and the reading of a value against it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from fractions import Fraction

from testbed.topology.problem import Place, Problem, nearest
from testbed.topology.quantity import WORDS, in_unit
from testbed.topology.source import Item, Listing, Scalar, scalar_of

TYPES = ("boolean", "choice", "integer", "name", "number", "region", "regions")
SCOPES = ("deployment", "region")
USERS = ("nodes", "clients")
_NAME = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")

Value = bool | int | float | str | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Variable:
    """What a deployment's variable may hold.

    Args:
        name: With its unit last, for example ``patroni_ttl_s``.
        group: The inventory group that reads it.
        type: One of ``TYPES``.
        default: What an inventory that does not state it gets.
        description: One sentence.
        unit: ``ms``, ``s``, ``bytes`` or ``kbytes/s``; None for a number that only counts.
        choices: The values of a choice.
        minimum: Of a number, in its unit.
        maximum: Of a number, in its unit.
        scope: ``deployment``, or ``region`` where every region may state its own.
        used_by: ``nodes``, or ``clients`` where no node is provisioned differently for it.
    """

    name: str
    group: str
    type: str
    default: Value
    description: str
    unit: str | None = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    scope: str = "deployment"
    used_by: str = "nodes"

    @property
    def values(self) -> str:
        """What may be written, in words."""
        if self.type in {"integer", "number"}:
            kind = "a whole number" if self.type == "integer" else "a number"
            unit = f" of {WORDS[self.unit]}" if self.unit else ""
            low = "" if self.minimum is None else f" from {self.minimum:g}"
            high = "" if self.maximum is None else f" to {self.maximum:.15g}"
            return f"{kind}{unit}{low}{high}"
        return {
            "boolean": "true or false",
            "choice": " or ".join(self.choices),
            "name": "a name of lower-case letters, digits and dashes",
            "region": "the name of a region, or null",
            "regions": "a list of region names",
        }[self.type]


class RefusedValueError(Exception):
    """A value does not fit its variable.

    Args:
        problem: Where, what, and what to write.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read_value(variable: Variable, item: Item, regions: Collection[str]) -> Value:
    """The value of a variable.

    Args:
        variable: Its declaration.
        item: What was written.
        regions: The names of the deployment's regions.

    Raises:
        RefusedValueError: What was written does not fit.
    """
    if variable.type == "regions":
        return _regions(variable, item, regions)
    if not isinstance(item, Scalar):
        raise _refusal(variable, item.place, "is no single value")
    readers: dict[str, Callable[[Variable, Scalar, Collection[str]], Value]] = {
        "boolean": _boolean,
        "choice": _choice,
        "integer": _number,
        "name": _name,
        "number": _number,
        "region": _region,
    }
    return readers[variable.type](variable, item, regions)


def item_of(variable: Variable, value: object, place: Place) -> Item:
    """A value of the command line (text) or of a plan (already typed) as if read from a file.

    Args:
        variable: Whose value it is: text for a list is split at its commas.
        value: Text, a boolean, a number, None or a list of texts.
        place: Where to send people.
    """
    if isinstance(value, str) and variable.type == "regions":
        names = [name.strip() for name in value.strip().strip("[]").split(",")]
        value = [name for name in names if name]
    if isinstance(value, list | tuple):
        return Listing(place, tuple(Scalar(place, str(each), str(each)) for each in value))
    if isinstance(value, str):
        return scalar_of(value, place)
    if isinstance(value, bool):
        return Scalar(place, value, str(value).lower())
    if value is None:
        return Scalar(place, None, "null")
    if isinstance(value, int | float):
        return Scalar(place, value, str(value))
    return Scalar(place, str(value), str(value))


def _refusal(variable: Variable, place: Place, message: str, remedy: str = "") -> RefusedValueError:
    message = f"{variable.name} {message}"
    return RefusedValueError(Problem(place, message, remedy or f"write {variable.values}"))


def _boolean(variable: Variable, item: Scalar, _: Collection[str]) -> bool:
    if isinstance(item.value, bool):
        return item.value
    raise _refusal(variable, item.place, f"is {_shown(item)}, neither true nor false")


def _choice(variable: Variable, item: Scalar, _: Collection[str]) -> str:
    # By its text: an unquoted choice such as `none` or `off` is what was meant.
    if item.text in variable.choices:
        return item.text
    remedy = nearest(item.text, variable.choices)
    raise _refusal(variable, item.place, f"is {_shown(item)}, which is none of its values", remedy)


def _name(variable: Variable, item: Scalar, _: Collection[str]) -> str:
    if isinstance(item.value, str) and _NAME.fullmatch(item.value) and len(item.value) <= 63:
        return item.value
    raise _refusal(variable, item.place, f"is {_shown(item)}, which is no name")


def _region(variable: Variable, item: Scalar, regions: Collection[str]) -> str | None:
    if item.value is None:
        return None
    if item.text in regions:
        return item.text
    remedy = nearest(item.text, regions)
    raise _refusal(variable, item.place, f"names an unknown region, {_shown(item)}", remedy)


def _regions(variable: Variable, item: Item, regions: Collection[str]) -> tuple[str, ...]:
    if not isinstance(item, Listing):
        raise _refusal(variable, item.place, "is no list", "write [NAME, NAME], or [] for none")
    names: list[str] = []
    for each in item.items:
        name = _region(variable, each, regions) if isinstance(each, Scalar) else None
        if name is None:
            raise _refusal(variable, each.place, "holds something that is no region's name")
        if name in names:
            raise _refusal(variable, each.place, f"names {name} twice", "name it once")
        names.append(name)
    return tuple(names)


def _number(variable: Variable, item: Scalar, _: Collection[str]) -> float:
    value = item.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _no_number(variable, item)
    if not math.isfinite(value):
        raise _refusal(variable, item.place, f"is {_shown(item)}, which is not finite")
    if variable.type == "integer" and isinstance(value, float):
        low = math.floor(value)
        remedy = f"write {low} or {low + 1}" if value != low else f"write {low}"
        raise _refusal(variable, item.place, f"is {_shown(item)}, no whole number", remedy)
    if variable.minimum is not None and value < variable.minimum:
        message = f"is {_shown(item)}, below its minimum {variable.minimum:g}"
        raise _refusal(variable, item.place, message)
    if variable.maximum is not None and value > variable.maximum:
        message = f"is {_shown(item)}, above its maximum {variable.maximum:.15g}"
        raise _refusal(variable, item.place, message)
    return value


def _no_number(variable: Variable, item: Scalar) -> RefusedValueError:
    """A number with a unit in it is told what to write; anything else what is expected."""
    if variable.unit is not None:
        number = in_unit(item.text, variable.unit)
        if number is not None:
            message = f"is {_shown(item)}, but it counts {WORDS[variable.unit]} without a unit"
            fits = _fits(variable, Fraction(number))
            return _refusal(variable, item.place, message, f"write {number}" if fits else "")
    return _refusal(variable, item.place, f"is {_shown(item)}, no number")


def _fits(variable: Variable, number: Fraction) -> bool:
    """Whether a converted number could be written at all."""
    if variable.type == "integer" and number.denominator != 1:
        return False
    low = variable.minimum is None or number >= variable.minimum
    return low and (variable.maximum is None or number <= variable.maximum)


def _shown(item: Scalar) -> str:
    """A value in a message, cut where it is long."""
    text = item.text if item.text.strip() else "empty"
    return text if len(text) <= 60 else f"{text[:57]}..."
