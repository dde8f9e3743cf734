"""Whether a placement policy fits its inventory: regions, clusters, failover, stores, clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from testbed.topology.checks import first_place
from testbed.topology.draft import Draft, HostDraft
from testbed.topology.placement import PINNED
from testbed.topology.placement_draft import JurisdictionDraft, PolicyDraft
from testbed.topology.placement_plan import EVERYWHERE
from testbed.topology.problem import Problem, nearest
from testbed.topology.variable import Value

PLACEMENT, STORES = "placement", "stores"
"""The groups of the servers that keep the policy, and of what stores backups."""
OWN_JURISDICTION = "own_jurisdiction"
"""The value of ``haproxy_writers`` under which clients stay in their jurisdiction."""

MapCheck = Callable[[PolicyDraft, Draft], Iterator[Problem]]


def jurisdictions(policy: PolicyDraft, draft: Draft) -> Iterator[Problem]:
    """Every region is in a jurisdiction of the policy, and every one of those has a region."""
    known = [one.name for one in policy.jurisdictions]
    for region in draft.regions:
        if region.jurisdiction and region.jurisdiction not in known:
            message = f"{region.name} is in {region.jurisdiction}, which the policy does not know"
            remedy = f"add {region.jurisdiction} to the policy's jurisdictions and classes"
            yield Problem(region.place, message, remedy)
    for one in policy.jurisdictions:
        if not _regions(draft, one):
            stated = {region.jurisdiction for region in draft.regions}
            message = f"no region is in the jurisdiction {one.name}"
            yield Problem(one.place, message, nearest(one.name, stated))
        if one.name == policy.free.text:
            message = f"the jurisdiction {one.name} has the name of rows that are at home nowhere"
            yield Problem(one.place, message, "choose another word for `free`")


def places(policy: PolicyDraft, draft: Draft) -> Iterator[Problem]:
    """A jurisdiction's failover, backups and clients are in regions of its own."""
    home = {region.name: region.jurisdiction for region in draft.regions}
    for one in policy.jurisdictions:
        for part, words in (
            ("fails over to", one.failover),
            ("stores backups in", one.backups),
            ("serves clients of", one.clients),
        ):
            for word in words:
                if word.text not in home:
                    message = f"{one.name} {part} {word.text}, which is no region"
                    yield Problem(word.place, message, nearest(word.text, home))
                elif home[word.text] != one.name:
                    message = f"{one.name} {part} {word.text}, which is in {home[word.text]}"
                    remedy = f"use some of: {', '.join(_regions(draft, one)) or 'none'}"
                    yield Problem(word.place, message, remedy)


def failover_targets(policy: PolicyDraft, draft: Draft) -> Iterator[Problem]:
    """What is pinned has a second server, in its jurisdiction, that may take over."""
    for one in policy.jurisdictions:
        pinned = [
            each.name
            for each in policy.classes
            if each.rule.text == PINNED
            and each.jurisdiction is not None
            and each.jurisdiction.text == one.name
        ]
        allowed = {word.text for word in one.failover} & set(_regions(draft, one))
        able = [host for host in _at_home(draft) if host.region in allowed]
        if pinned and _regions(draft, one) and len(able) < 2:
            message = (
                f"{', '.join(pinned)}: no failover target inside {one.name}, where "
                f"{len(able)} of its servers may be primary"
            )
            remedy = f"add a host of {one.name} to postgres, or its region to `failover`"
            yield Problem(one.place, message, remedy)


def clusters(policy: PolicyDraft, draft: Draft) -> Iterator[Problem]:
    """A cluster ships every byte of every table: it has no member outside its jurisdiction."""
    home = {region.name: region.jurisdiction for region in draft.regions}
    first: dict[Value, HostDraft] = {}
    scopes: dict[str, HostDraft] = {}
    for host in _at_home(draft):
        scope = draft.stated_by(host, "patroni_scope")
        other = first.setdefault(scope, host)
        if home[host.region] != home[other.region]:
            message = (
                f"{host.name} in {home[host.region]} is in one cluster ({scope}) with "
                f"{other.name} in {home[other.region]}"
            )
            remedy = "give the regions of each jurisdiction a patroni_scope of their own"
            yield Problem(host.place, message, remedy)
        same = scopes.setdefault(home[host.region], host)
        if draft.stated_by(same, "patroni_scope") != scope:
            message = f"{home[host.region]} has two clusters, of {same.name} and of {host.name}"
            yield Problem(host.place, message, "give its regions the same patroni_scope")


def servers(policy: PolicyDraft, draft: Draft) -> Iterator[Problem]:
    """Every server with data keeps the policy."""
    kept = {host.name for group in (PLACEMENT, EVERYWHERE) for host in draft.members(group)}
    for host in draft.members("postgres"):
        if host.name not in kept:
            message = f"{host.name} is in postgres but not in {PLACEMENT}, and there is a policy"
            yield Problem(host.place, message, f"add it to the group {PLACEMENT}")


def stores(policy: PolicyDraft, draft: Draft) -> Iterator[Problem]:
    """Where backups may be stored there is something to store them."""
    storing = {host.region for host in draft.members(STORES)}
    for one in policy.jurisdictions:
        for word in one.backups:
            if word.text in _regions(draft, one) and word.text not in storing:
                message = f"{one.name} stores backups in {word.text}, which has no store"
                yield Problem(word.place, message, f"add a host of it to the group {STORES}")
    permitted = {word.text for one in policy.jurisdictions for word in one.backups}
    for host in draft.members(STORES):
        if host.region not in permitted:
            message = f"{host.name} stores backups in {host.region}, where no jurisdiction lets it"
            yield Problem(host.place, message, f"add {host.region} to `backups`, or remove it")


def routing(policy: PolicyDraft, draft: Draft) -> Iterator[Problem]:
    """Clients are routed inside their jurisdiction, and every entry serves someone."""
    writers = draft.values.get("haproxy_writers")
    if writers is not None and writers != OWN_JURISDICTION:
        message = f"haproxy_writers is {writers}: clients would be routed over a border"
        place = first_place(draft, "haproxy_writers")
        yield Problem(place, message, f"write {OWN_JURISDICTION}, as the policy pins data")
    served = {word.text for one in policy.jurisdictions for word in one.clients}
    for host in draft.members("haproxy"):
        if host.region not in served:
            message = f"{host.name} lets clients in, but {host.region} is in no list of clients"
            yield Problem(host.place, message, f"add {host.region} to `clients`, or remove it")


def everywhere(policy: PolicyDraft, draft: Draft) -> Iterator[Problem]:
    """A server that has what may be everywhere keeps nothing that is pinned."""
    pinned = {host.name for host in draft.members(PLACEMENT)}
    servers = {host.name for host in draft.members("postgres")}
    for host in draft.members(EVERYWHERE):
        if host.name in pinned:
            message = f"{host.name} is in {PLACEMENT} and in {EVERYWHERE}"
            yield Problem(host.place, message, "keep it in one of them: pinned data stays at home")
        if host.name not in servers:
            message = f"{host.name} is in {EVERYWHERE} but not in postgres"
            yield Problem(host.place, message, "add it to the group postgres")


def _at_home(draft: Draft) -> list[HostDraft]:
    """The servers of the jurisdictions' own clusters."""
    free = {host.name for host in draft.members(EVERYWHERE)}
    return [host for host in draft.members("postgres") if host.name not in free]


def _regions(draft: Draft, one: JurisdictionDraft) -> list[str]:
    return [region.name for region in draft.regions if region.jurisdiction == one.name]


MAP_CHECKS: tuple[MapCheck, ...] = (
    jurisdictions,
    places,
    failover_targets,
    clusters,
    servers,
    everywhere,
    stores,
    routing,
)
