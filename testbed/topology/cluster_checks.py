"""Whether the variables fit each other and the regions: Patroni's, Consul's and HAProxy's rules."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.topology.checks import Check, datacenter, first_place
from testbed.topology.draft import Draft, HostDraft
from testbed.topology.problem import Problem
from testbed.topology.variable import Value


def patroni_timers(draft: Draft) -> Iterator[Problem]:
    """``loop_wait + 2 * retry_timeout <= ttl``: Patroni would change the values by itself."""
    names = ("patroni_ttl_s", "patroni_loop_wait_s", "patroni_retry_timeout_s")
    ttl, loop_wait, retry_timeout = (draft.values.get(name) for name in names)
    if not (isinstance(ttl, int) and isinstance(loop_wait, int) and isinstance(retry_timeout, int)):
        return
    needed = loop_wait + 2 * retry_timeout
    if needed > ttl:
        message = (
            f"patroni_loop_wait_s {loop_wait} + 2 x patroni_retry_timeout_s {retry_timeout} = "
            f"{needed} exceeds patroni_ttl_s {ttl}"
        )
        remedy = f"raise patroni_ttl_s to {needed}, or lower the others"
        yield Problem(first_place(draft, *names), message, remedy)


def synchronous_regions(draft: Draft) -> Iterator[Problem]:
    """A region where standbys may be synchronous has PostgreSQL."""
    stated = draft.values.get("synchronous_regions")
    with_postgres = {host.region for host in draft.members("postgres")}
    for name in stated if isinstance(stated, tuple) else ():
        if name not in with_postgres:
            message = f"synchronous_regions names {name}, which has no host in postgres"
            place = first_place(draft, "synchronous_regions")
            yield Problem(place, message, f"use some of: {', '.join(sorted(with_postgres))}")


def configuration_store(draft: Draft) -> Iterator[Problem]:
    """Patroni speaks to the Consul server on its own host."""
    servers = {host.name for host in draft.members("consul")}
    for host in draft.members("postgres"):
        if host.name not in servers:
            message = f"{host.name} is in postgres but not in consul, and Patroni needs it there"
            yield Problem(host.place, message, "add it to the group consul")


def one_store_a_cluster(draft: Draft) -> Iterator[Problem]:
    """The nodes of one Patroni cluster meet in one Consul."""
    first: dict[Value, HostDraft] = {}
    for host in draft.members("postgres"):
        scope = draft.stated_by(host, "patroni_scope")
        other = first.setdefault(scope, host)
        if datacenter(draft, host) != datacenter(draft, other):
            message = (
                f"{host.name} and {other.name} share patroni_scope {scope} but no consul_datacenter"
            )
            yield Problem(host.place, message, "give their regions both in common, or neither")


def standby_clusters(draft: Draft) -> Iterator[Problem]:
    """A standby cluster follows a primary cluster in another region, and shares nothing with it."""
    followed = {
        region.name: draft.regional[region.name].get("standby_cluster_of")
        for region in draft.regions
    }
    for region in draft.regions:
        leader = followed[region.name]
        if not isinstance(leader, str):
            continue
        item = region.variables.get("standby_cluster_of")
        place = region.place if item is None else item.place
        if leader == region.name or followed[leader] is not None:
            message = f"{region.name} follows {leader}, which is no primary cluster"
            yield Problem(place, message, "name a region that follows none")
            continue
        mine, theirs = (_postgres_in(draft, name) for name in (region.name, leader))
        for name, members in ((region.name, mine), (leader, theirs)):
            if not members:
                message = f"{name} has no host in postgres, but {region.name} follows {leader}"
                yield Problem(place, message, f"add a host of {name} to postgres")
        for variable in ("patroni_scope", "consul_datacenter"):
            if mine and theirs and _shared(draft, variable, mine, theirs):
                message = f"{region.name} follows {leader} and shares its {variable}"
                yield Problem(place, message, f"give each region its own {variable}")


def _postgres_in(draft: Draft, region: str) -> tuple[HostDraft, ...]:
    return tuple(host for host in draft.members("postgres") if host.region == region)


def _shared(
    draft: Draft, variable: str, some: tuple[HostDraft, ...], others: tuple[HostDraft, ...]
) -> bool:
    stated = {draft.stated_by(host, variable) for host in some}
    return any(draft.stated_by(host, variable) in stated for host in others)


def even_quorum(draft: Draft) -> Iterator[Problem]:
    """An even number of servers survives no more losses than one server less."""
    quorums: dict[Value, list[HostDraft]] = {}
    for host in draft.members("consul"):
        quorums.setdefault(datacenter(draft, host), []).append(host)
    for name, servers in quorums.items():
        if len(servers) % 2 == 0:
            message = f"{len(servers)} Consul servers in the datacenter {name}"
            remedy = "use an odd number: one more, or one less, survives as many losses"
            yield Problem(servers[-1].place, message, remedy)


def synchronous_standby_exists(draft: Draft) -> Iterator[Problem]:
    """Strict replication stalls every write while no standby may be synchronous."""
    if draft.values.get("replication") != "synchronous_strict":
        return
    allowed = draft.values.get("synchronous_regions")
    for host in draft.members("postgres"):
        peers = [
            other
            for other in draft.members("postgres")
            if other is not host
            and draft.stated_by(other, "patroni_scope") == draft.stated_by(host, "patroni_scope")
        ]
        if isinstance(allowed, tuple) and allowed:
            peers = [other for other in peers if other.region in allowed]
        if not peers:
            message = f"with {host.name} as the primary no standby may be synchronous"
            remedy = "expect its writes to stall under synchronous_strict, or widen the regions"
            yield Problem(first_place(draft, "synchronous_regions"), message, remedy)


def check_timeout(draft: Draft) -> Iterator[Problem]:
    """HAProxy's checks cross the farthest link twice to connect and to answer."""
    timeout_ms = draft.values.get("haproxy_check_timeout_ms")
    delays = {(link.source, link.target): link.delay_ms + link.jitter_ms for link in draft.links}
    trips = [delay + delays.get((pair[1], pair[0]), 0.0) for pair, delay in delays.items()]
    if isinstance(timeout_ms, int) and trips and timeout_ms <= 2 * max(trips):
        message = f"haproxy_check_timeout_ms {timeout_ms} is too short for a link of this inventory"
        remedy = f"use more than {2 * max(trips):g}: two round trips of the farthest pair"
        yield Problem(first_place(draft, "haproxy_check_timeout_ms"), message, remedy)


CLUSTER_CHECKS: tuple[Check, ...] = (
    patroni_timers,
    synchronous_regions,
    configuration_store,
    one_store_a_cluster,
    standby_clusters,
)

# What may be meant, and is worth saying: shown, never refused.
DOUBTS: tuple[Check, ...] = (even_quorum, synchronous_standby_exists, check_timeout)
