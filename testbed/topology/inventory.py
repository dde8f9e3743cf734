"""An inventory folder read and judged: a deployment, or every problem of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from testbed.topology.catalogue import Catalogue, catalogue_of
from testbed.topology.checks import CHECKS, REGIONS_MAX, first_place, network
from testbed.topology.cluster_checks import CLUSTER_CHECKS, DOUBTS
from testbed.topology.draft import Draft, HostDraft, RegionDraft
from testbed.topology.layout import Layout, LayoutReader
from testbed.topology.links import read_links
from testbed.topology.model import Deployment, Link, Node, Region, Topology
from testbed.topology.placement import Policy
from testbed.topology.placement_hosts import MUTANT, placement_plan
from testbed.topology.placement_mutants import MutantError
from testbed.topology.placement_policy import POLICY, read_policy
from testbed.topology.problem import InventoryError, Place, Problem, in_order, nearest, place_in
from testbed.topology.settings import SettingsReader
from testbed.topology.shipped import inventories
from testbed.topology.source import Item, Table, read
from testbed.topology.variable import Value, Variable

HOSTS = "hosts.yml"
VARIABLES = "group_vars/all.yml"
CATALOGUE = "variables"
_FIRST_ADDRESS = 10


@dataclass(frozen=True, slots=True)
class Inspection:
    """What reading an inventory brought.

    Args:
        deployment: None when there are problems.
        problems: What keeps it from being used.
        doubts: What may be meant, and is worth saying.
    """

    deployment: Deployment | None
    problems: tuple[Problem, ...]
    doubts: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable of a deployment with the value that its inventory gives it."""

    variable: Variable
    value: Value


def load(
    folder: Path,
    overrides: Mapping[str, object] | None = None,
    catalogue: Catalogue | None = None,
) -> Deployment:
    """The deployment of an inventory folder.

    Args:
        folder: For example ``inventory/active-passive``.
        overrides: Variables to change, by name: text as from ``--set``, or typed as in a plan.
        catalogue: Already read; by default the shipped one with the one beside the folder.

    Raises:
        InventoryError: With every problem of the folder and the overrides.
    """
    inspection = inspect(folder, overrides, catalogue)
    if inspection.deployment is None:
        raise InventoryError(inspection.problems)
    return inspection.deployment


def deployments(folder: Path | None = None) -> tuple[str, ...]:
    """The names of the deployments below a folder, by default the shipped ones.

    Raises:
        NotShippedError: The installation has none.
    """
    root = inventories() if folder is None else folder
    return tuple(sorted(path.parent.name for path in root.glob(f"*/{HOSTS}")))


def find(name: str) -> Path:
    """The inventory folder of a shipped deployment's name, or of a path to any other.

    Raises:
        InventoryError: There is none.
        NotShippedError: The installation has none at all.
    """
    if (Path(name) / HOSTS).is_file() and ("/" in name or name == "."):
        return Path(name).resolve()
    known = deployments()
    if name in known:
        return inventories() / name
    if "/" in name:
        mend = f"give the path of a folder with a {HOSTS}, or a name: {', '.join(known)}"
    else:
        mend = f"{nearest(name, known)} (the path of a folder has a slash in it)"
    problem = Problem(Place(name), "no such deployment", mend)
    raise InventoryError([problem])


def reference(folder: Path) -> str:
    """What ``find`` finds a deployment by: a shipped one by its name, any other by its path.

    The path is relative where the folder is below the working directory, so that a plan that is
    kept in a repository can be replayed in any clone of it.
    """
    shipped = inventories()
    if folder.parent == shipped.resolve():
        return folder.name
    here = Path.cwd()
    return f"./{folder.relative_to(here)}" if folder.is_relative_to(here) else str(folder)


def catalogue_for(folder: Path) -> Catalogue:
    """What may be said in an inventory folder, by group.

    Raises:
        NotShippedError: The installation has no catalogue.
    """
    return catalogue_of(folder, inventories() / CATALOGUE, [])


def settings(folder: Path) -> tuple[Setting, ...]:
    """The variables that ``--set`` can change, with the inventory's values, by group.

    Raises:
        InventoryError: The inventory cannot be used.
    """
    catalogue = catalogue_for(folder)
    deployment = load(folder, catalogue=catalogue)
    variables = catalogue.variables("deployment")
    return tuple(
        Setting(variable, deployment.variables[name])
        for name, variable in variables.items()
        if name in deployment.variables
    )


def inspect(
    folder: Path,
    overrides: Mapping[str, object] | None = None,
    catalogue: Catalogue | None = None,
) -> Inspection:
    """Everything there is to say about an inventory folder; never raises for its content.

    Args:
        folder: As for ``load``.
        overrides: As for ``load``.
        catalogue: As for ``load``.
    """
    problems: list[Problem] = []
    if not folder.is_dir():
        problem = Problem(place_in(folder), "no such folder", "name an inventory folder")
        return Inspection(None, (problem,), ())
    problems.extend(_stray_files(folder))
    if catalogue is None:
        catalogue = catalogue_of(folder, inventories() / CATALOGUE, problems)
    regional = catalogue.variables("region")
    hosts = read(folder / HOSTS, problems)
    stated = read(folder / VARIABLES, problems)
    if stated is not None and not isinstance(stated, Table):
        message = "the deployment's variables: no mapping"
        problems.append(Problem(stated.place, message, "write one NAME: VALUE a line"))
        stated = None
    if hosts is None or stated is None:
        return Inspection(None, in_order(problems), ())
    layout = LayoutReader(regional, problems).read(hosts)
    draft = _draft(layout, stated, overrides or {}, catalogue, problems)
    for check in (*CHECKS, *CLUSTER_CHECKS):
        problems.extend(check(draft))
    policy = read_policy(folder, draft, problems)
    if problems:
        return Inspection(None, in_order(problems), ())
    deployment = _deployment(folder, draft, policy)
    try:
        placement_plan(deployment)
    except MutantError as error:
        place = first_place(draft, MUTANT)
        message = f"{MUTANT} {draft.values.get(MUTANT)} {error}"
        problem = Problem(place, message, "add it, or choose another one")
        return Inspection(None, (problem,), ())
    doubts = in_order(problem for doubt in DOUBTS for problem in doubt(draft))
    return Inspection(deployment, (), doubts)


def _stray_files(folder: Path) -> Iterator[Problem]:
    """Files that Ansible would read and this testbed would not: they must not differ in silence."""
    known = {folder / HOSTS, folder / VARIABLES, folder / POLICY, folder / "group_vars"}
    for path in sorted((*folder.iterdir(), *(folder / "group_vars").glob("*"))):
        if path not in known and not path.name.startswith(".") and path.suffix != ".md":
            message = "Ansible would read this file, the testbed does not"
            remedy = f"move its content to {HOSTS} or {VARIABLES}"
            yield Problem(place_in(path), message, remedy)


def _draft(
    layout: Layout,
    stated: Table,
    overrides: Mapping[str, object],
    catalogue: Catalogue,
    problems: list[Problem],
) -> Draft:
    names = tuple(region.name for region in layout.regions)
    used = {group.name for group in layout.groups}
    reader = SettingsReader(catalogue, used, names, problems)
    settled = reader.read(stated, layout.regions, overrides)
    links: Item | None = stated.entries.get("links")
    return Draft(
        hosts_place=layout.place,
        links_place=stated.keys.get("links"),
        regions=layout.regions,
        groups=layout.groups,
        links=read_links(links, problems) if links is not None else (),
        catalogue=catalogue,
        values=settled.values,
        places=settled.places,
        regional=settled.regional,
    )


def _deployment(folder: Path, draft: Draft, policy: Policy | None) -> Deployment:
    """The frozen data of a draft without problems."""
    regions = tuple(
        Region(region.name, region.jurisdiction, number)
        for number, region in enumerate(draft.regions[:REGIONS_MAX], start=1)
    )
    links = tuple(
        Link(link.source, link.target, link.delay_ms, link.jitter_ms, link.bandwidth_kbytes_s)
        for link in draft.links
    )
    nodes = tuple(
        node
        for number, region in enumerate(draft.regions, start=1)
        for node in _nodes(draft, region, number)
    )
    return Deployment(
        name=folder.resolve().name,
        folder=folder.resolve(),
        topology=Topology(regions, links, nodes),
        variables=dict(draft.values),
        region_variables={name: dict(values) for name, values in draft.regional.items()},
        policy=policy,
    )


def _nodes(draft: Draft, region: RegionDraft, number: int) -> Iterator[Node]:
    """A region's nodes; a host without an address gets the lowest free one."""
    taken = {host.address.text for host in region.hosts if host.address is not None}
    free = (
        str(address)
        for address in list(network(number))[_FIRST_ADDRESS:]
        if str(address) not in taken
    )
    for host in region.hosts:
        address = next(free) if host.address is None else host.address.text
        yield Node(host.name, region.name, address, _groups(draft, host), _wan_ports(host))


def _groups(draft: Draft, host: HostDraft) -> frozenset[str]:
    return frozenset(group.name for group in draft.groups if host.name in group.members)


def _wan_ports(host: HostDraft) -> tuple[int, ...]:
    return tuple(port.number for port in host.wan_ports)
