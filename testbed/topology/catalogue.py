"""The catalogue of variables: one file a group below ``inventory/variables/``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from testbed.topology.problem import Problem, nearest, place_in
from testbed.topology.quantity import WORDS
from testbed.topology.source import Item, Listing, Scalar, Table, read
from testbed.topology.variable import (
    SCOPES,
    TYPES,
    USERS,
    RefusedValueError,
    Value,
    Variable,
    read_value,
)

_GROUP_FIELDS = {"group", "description", "playbook", "wan_ports", "variables"}
_FIELDS = {
    "type",
    "unit",
    "choices",
    "minimum",
    "maximum",
    "default",
    "description",
    "scope",
    "used_by",
}
_SUFFIXES = {"ms": "_ms", "s": "_s", "bytes": "_bytes", "kbytes/s": "_kbytes_s"}


@dataclass(frozen=True, slots=True)
class Group:
    """A group that the playbooks know.

    Args:
        name: As in the inventory, for example ``postgres``.
        description: What its hosts run.
        wan_ports: TCP ports that its members in other regions must reach.
        variables: What an inventory may say about it.
        playbook: What brings its programs into a world, where ``site.yml`` does not.
    """

    name: str
    description: str
    wan_ports: tuple[int, ...]
    variables: tuple[Variable, ...]
    playbook: Path | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every group that the playbooks know, by name."""

    groups: Mapping[str, Group]

    def variables(self, scope: str | None = None) -> dict[str, Variable]:
        """The variables of all groups by name, of one scope or of all."""
        return {
            variable.name: variable
            for group in self.groups.values()
            for variable in group.variables
            if scope in (None, variable.scope)
        }


def catalogue_of(inventory: Path, shipped: Path, problems: list[Problem]) -> Catalogue:
    """The catalogue that an inventory is read with.

    Args:
        inventory: Its folder: groups that the folder ``variables`` beside it declares are added to
            those that are shipped, or take the place of one.
        shipped: The catalogue that every inventory has.
        problems: Gets everything that is wrong with the files.
    """
    groups = dict(read_catalogue(shipped, problems).groups)
    beside = inventory.resolve().parent / shipped.name
    if beside.is_dir() and beside != shipped.resolve():
        groups |= read_catalogue(beside, problems).groups
    return Catalogue(groups)


def read_catalogue(folder: Path, problems: list[Problem]) -> Catalogue:
    """The catalogue in a folder.

    Args:
        folder: One YAML file a group.
        problems: Gets everything that is wrong with the files.
    """
    groups: dict[str, Group] = {}
    paths = sorted(folder.glob("*.yml"))
    if not paths:
        message = "no catalogue of variables here"
        problems.append(Problem(place_in(folder), message, "install the testbed again"))
    for path in paths:
        content = read(path, problems)
        if isinstance(content, Table):
            groups[path.stem] = _group(path.stem, content, problems)
        elif content is not None:
            problems.append(Problem(content.place, "no mapping", "see the other groups' files"))
    return Catalogue(groups)


def _group(name: str, content: Table, problems: list[Problem]) -> Group:
    _unknown(content, _GROUP_FIELDS, problems)
    if _text(content, "group") != name:
        message = f"the file's group is not {name}"
        problems.append(Problem(content.place, message, f"write `group: {name}`"))
    ports = content.entries.get("wan_ports")
    items = ports.items if isinstance(ports, Listing) else ()
    numbers = [each.value for each in items if isinstance(each, Scalar)]
    declared = content.entries.get("variables")
    entries = declared.entries if isinstance(declared, Table) else {}
    variables = [_variable(key, name, each, problems) for key, each in entries.items()]
    return Group(
        name=name,
        description=_text(content, "description"),
        wan_ports=tuple(number for number in numbers if isinstance(number, int)),
        variables=tuple(variable for variable in variables if variable is not None),
        playbook=_playbook(content, problems),
    )


def _playbook(group: Table, problems: list[Problem]) -> Path | None:
    """The playbook that a group names, beside its declaration's folder or anywhere else."""
    item = group.entries.get("playbook")
    if item is None:
        return None
    path = (Path(item.place.file).parent / _text(group, "playbook")).resolve()
    if not path.is_file():
        remedy = "name a file, from the folder of this declaration"
        problems.append(Problem(item.place, f"the playbook {path} does not exist", remedy))
    return path


def _variable(name: str, group: str, item: Item, problems: list[Problem]) -> Variable | None:
    """One declaration, or None when it cannot be understood."""
    if not isinstance(item, Table):
        problems.append(Problem(item.place, f"{name} is no mapping", "declare type and default"))
        return None
    _unknown(item, _FIELDS, problems)
    choices = item.entries.get("choices")
    variable = Variable(
        name=name,
        group=group,
        type=_text(item, "type"),
        default=None,
        description=_text(item, "description"),
        unit=_text(item, "unit") or None,
        choices=tuple(
            each.text
            for each in (choices.items if isinstance(choices, Listing) else ())
            if isinstance(each, Scalar)
        ),
        minimum=_number(item, "minimum"),
        maximum=_number(item, "maximum"),
        scope=_text(item, "scope") or "deployment",
        used_by=_text(item, "used_by") or "nodes",
    )
    found = _declaration_problems(variable, item)
    problems.extend(found)
    return None if found else _with_default(variable, item, problems)


def _declaration_problems(variable: Variable, item: Table) -> list[Problem]:
    """What is wrong with a declaration, its default excepted."""
    wrong: list[tuple[str, str]] = []
    if variable.type not in TYPES:
        wrong.append((f"unknown type {variable.type or '(none)'}", nearest(variable.type, TYPES)))
    if variable.scope not in SCOPES:
        wrong.append((f"unknown scope {variable.scope}", nearest(variable.scope, SCOPES)))
    if variable.used_by not in USERS:
        wrong.append((f"unknown user {variable.used_by}", nearest(variable.used_by, USERS)))
    if variable.unit is not None and variable.unit not in WORDS:
        wrong.append((f"unknown unit {variable.unit}", nearest(variable.unit, WORDS)))
    elif variable.unit is not None and not variable.name.endswith(_SUFFIXES[variable.unit]):
        suffix = _SUFFIXES[variable.unit]
        wrong.append((f"the name does not end in its unit {variable.unit}", f"append {suffix}"))
    if variable.type == "choice" and not variable.choices:
        wrong.append(("a choice without choices", "list them under `choices`"))
    if not variable.description:
        wrong.append(("no description", "describe it in one sentence"))
    return [Problem(item.place, f"{variable.name}: {message}", remedy) for message, remedy in wrong]


def _with_default(variable: Variable, item: Table, problems: list[Problem]) -> Variable:
    default: Value = None
    written = item.entries.get("default")
    if written is None:
        message = f"{variable.name} has no default"
        problems.append(Problem(item.place, message, "say what an inventory gets without it"))
    else:
        try:
            default = read_value(variable, written, ())
        except RefusedValueError as refused:
            problems.append(refused.problem)
    return replace(variable, default=default)


def _unknown(table: Table, known: set[str], problems: list[Problem]) -> None:
    problems.extend(
        Problem(place, f"unknown field {key}", nearest(key, known))
        for key, place in table.keys.items()
        if key not in known
    )


def _text(table: Table, key: str) -> str:
    item = table.entries.get(key)
    return item.text if isinstance(item, Scalar) else ""


def _number(table: Table, key: str) -> float | None:
    item = table.entries.get(key)
    value = item.value if isinstance(item, Scalar) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
