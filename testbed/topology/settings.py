"""The variables of a deployment: catalogue defaults, ``group_vars/all.yml``, then ``--set``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from testbed.topology.catalogue import Catalogue
from testbed.topology.draft import RegionDraft
from testbed.topology.problem import InventoryError, Place, Problem, nearest
from testbed.topology.source import Item, Table
from testbed.topology.variable import RefusedValueError, Value, Variable, item_of, read_value

COMMAND_LINE = Place("--set")
_ANSIBLE = "ansible_"


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of a deployment's variables, and where each was stated.

    Args:
        values: Of the whole deployment, by name.
        regional: Of each region, by region and name.
        places: Of those that the inventory or the command line states.
    """

    values: Mapping[str, Value]
    regional: Mapping[str, Mapping[str, Value]]
    places: Mapping[str, Place]


def assignments(texts: Iterable[str]) -> dict[str, str]:
    """``NAME=VALUE`` texts of the command line as overrides for ``load``.

    Raises:
        InventoryError: A text has no name or no ``=``, or a name stands twice.
    """
    problems: list[Problem] = []
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            message = f"{text or '(empty)'} sets nothing"
            problems.append(Problem(COMMAND_LINE, message, "write --set NAME=VALUE"))
        elif name in found and found[name] != value:
            message = f"{name} is set twice, to {found[name]} and to {value}"
            problems.append(Problem(COMMAND_LINE, message, "set it once"))
        else:
            found[name] = value.strip()
    if problems:
        raise InventoryError(problems)
    return found


def as_text(value: object) -> str:
    """A value as ``--set`` takes it; equal for a list and its items with commas between."""
    if isinstance(value, list | tuple):
        return ",".join(map(as_text, value))
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(part.strip() for part in str(value).split(","))


class SettingsReader:
    """Reads values against the catalogue and reports those that do not fit.

    Args:
        catalogue: What the playbooks know.
        used: The groups of the inventory: the variables of the others are no concern of it.
        regions: The names of the regions.
        problems: Gets every problem.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        used: Collection[str],
        regions: Collection[str],
        problems: list[Problem],
    ) -> None:
        variables = catalogue.variables()
        self._known = {name: each for name, each in variables.items() if each.group in used}
        self._regions = regions
        self._problems = problems

    def read(
        self, stated: Table | None, regions: Iterable[RegionDraft], overrides: Mapping[str, object]
    ) -> Settings:
        """All values of a deployment.

        Args:
            stated: The content of ``group_vars/all.yml``.
            regions: The regions with what they state themselves.
            overrides: What ``--set`` or a plan changes, by name: text or typed values.
        """
        values: dict[str, Value] = {name: each.default for name, each in self._known.items()}
        places: dict[str, Place] = {}
        for name, item in (stated.entries if stated is not None else {}).items():
            assert stated is not None
            if name == "links" or name.startswith(_ANSIBLE):
                continue
            places[name] = stated.keys[name]
            self._assign(values, name, item, places[name])
        shared = dict(values)
        for name, value in overrides.items():
            variable = self._known.get(name)
            if variable is not None and variable.scope == "region":
                message = f"{name} is stated per region"
                remedy = "change it in the inventory's hosts.yml"
                self._problems.append(Problem(COMMAND_LINE, message, remedy))
                continue
            places[name] = COMMAND_LINE
            changed = item_of(variable, value, COMMAND_LINE) if variable is not None else None
            self._assign(values, name, changed, COMMAND_LINE)
        whole = {
            name: value
            for name, value in values.items()
            if name in self._known and self._known[name].scope == "deployment"
        }
        regional = {region.name: self._of_region(region, shared) for region in regions}
        return Settings(whole, regional, places)

    def _of_region(self, region: RegionDraft, shared: Mapping[str, Value]) -> dict[str, Value]:
        names = [name for name, each in self._known.items() if each.scope == "region"]
        values = {name: shared[name] for name in names}
        for name, item in region.variables.items():
            self._assign(values, name, item, item.place)
        return values

    def _assign(self, values: dict[str, Value], name: str, item: Item | None, place: Place) -> None:
        variable: Variable | None = self._known.get(name)
        if variable is None or item is None:
            message = f"unknown variable {name}"
            settable = [
                known
                for known, each in self._known.items()
                if each.scope == "deployment" or place != COMMAND_LINE
            ]
            self._problems.append(Problem(place, message, nearest(name, settable)))
            return
        try:
            values[name] = read_value(variable, item, self._regions)
        except RefusedValueError as refused:
            self._problems.append(refused.problem)
