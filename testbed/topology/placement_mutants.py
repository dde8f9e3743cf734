"""SABOTEUR, for negative controls only: mistakes in placement that are made on purpose.

Each changes a plan that keeps the policy into one that breaks it in one way. The first of the
policy's jurisdictions is the one whose data gets out, and the second one where it gets to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from testbed.topology.model import Topology
from testbed.topology.placement import Policy
from testbed.topology.placement_plan import PlacementPlan, Published, ServerPart, StorePart

NONE = "none"


class MutantError(ValueError):
    """The deployment has not what the mistake needs; the message says what."""


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a mistake is made of: whose data, where to, and what there is."""

    policy: Policy
    topology: Topology
    plan: PlacementPlan
    home: str
    abroad: str

    @property
    def store(self) -> StorePart:
        """A store abroad."""
        found = [one for one in self.plan.stores.values() if one.jurisdiction == self.abroad]
        if not found:
            raise MutantError(f"needs a host in {self.abroad} in the group stores")
        return found[0]

    def addresses(self, jurisdiction: str) -> tuple[str, ...]:
        """The servers of a jurisdiction's cluster."""
        return tuple(
            self.topology.node(one.node).address for one in self.plan.cluster(jurisdiction)
        )

    def with_store(self, store: StorePart) -> PlacementPlan:
        """The plan with another part for a store."""
        return replace(self.plan, stores={**self.plan.stores, store.node: store})

    def with_servers(self, change: Callable[[ServerPart], ServerPart]) -> PlacementPlan:
        """The plan with other parts for the servers at home."""
        servers = {
            name: change(one) if one.jurisdiction == self.home else one
            for name, one in self.plan.servers.items()
        }
        return replace(self.plan, servers=servers)

    def pinned_table(self) -> str:
        """A table of which some rows cross and others are pinned."""
        for one in self.policy.classes.values():
            if one.crosses and one.row_filter and one.table:
                return one.table
        raise MutantError("needs a class of rows that may cross, of a table with pinned rows")


def sabotaged(
    mutant: str, policy: Policy, topology: Topology, plan: PlacementPlan
) -> PlacementPlan:
    """A plan with a mistake in it.

    Args:
        mutant: A key of ``MUTANTS``, or ``none`` for the plan as it is.
        policy: What the plan was drawn from.
        topology: The deployment's.
        plan: That keeps the policy.

    Raises:
        MutantError: The deployment has not what the mistake needs.
    """
    if mutant == NONE:
        return plan
    home, *others = policy.jurisdictions
    if not others:
        raise MutantError("needs a second jurisdiction")
    return MUTANTS[mutant](_Ground(policy, topology, plan, home, others[0]))


def _unfiltered_publication(ground: _Ground) -> PlacementPlan:
    table = ground.pinned_table()

    def careless(one: Published) -> Published:
        return replace(one, row_filter="") if one.table == table else one

    return ground.with_servers(
        lambda server: replace(server, publishes=tuple(map(careless, server.publishes)))
    )


def _forgotten_column(ground: _Ground) -> PlacementPlan:
    listed = [one for one in ground.plan.cluster(ground.home)[0].publishes if one.columns]
    if not listed:
        raise MutantError("needs a class that crosses without all columns of its table")
    table = ground.policy.tables[listed[0].table]

    def careless(one: Published) -> Published:
        more = tuple(name for name in table.personal if name not in one.columns)
        return replace(one, columns=(*one.columns, *more)) if one.table == table.name else one

    return ground.with_servers(
        lambda server: replace(server, publishes=tuple(map(careless, server.publishes)))
    )


def _central_statement_log(ground: _Ground) -> PlacementPlan:
    store = ground.store
    address = ground.topology.node(store.node).address
    shipping = ground.with_servers(
        lambda server: replace(server, logs_statements=True, ships_log_to=address)
    )
    collector = replace(store, collects_logs=True)
    return replace(shipping, stores={**shipping.stores, store.node: collector})


def _backup_abroad(ground: _Ground) -> PlacementPlan:
    store = ground.store
    backs_up = {**store.backs_up, ground.home: ground.addresses(ground.home)}
    return ground.with_store(replace(store, backs_up=backs_up))


def _cache_abroad(ground: _Ground) -> PlacementPlan:
    return ground.with_store(replace(ground.store, caches=ground.addresses(ground.home)))


def _stray_replica(ground: _Ground) -> PlacementPlan:
    both = ground.addresses(ground.home), ground.addresses(ground.abroad)
    return ground.with_store(replace(ground.store, copies=both))


def _consul_value(ground: _Ground) -> PlacementPlan:
    # Below the keys of a pinned class, if there is one.
    prefixes = [
        one.key_prefix
        for one in ground.policy.classes.values()
        if one.key_prefix and one.jurisdiction == ground.home
    ]
    prefix = prefixes[0] if prefixes else f"personal/{ground.home}/"
    return ground.with_servers(lambda server: replace(server, remembers=prefix))


def _moved(ground: _Ground, *, takes_over: bool) -> PlacementPlan:
    """A server abroad, not the first, in the cluster at home."""
    there = ground.plan.cluster(ground.abroad)
    if len(there) < 2:
        raise MutantError(f"needs a second server in {ground.abroad}")
    part = replace(ground.plan.cluster(ground.home)[0], node=there[-1].node, takes_over=takes_over)
    servers = {**ground.plan.servers, part.node: part}
    # Everybody else speaks to the clusters as they are now.
    addresses: dict[str, tuple[str, ...]] = {}
    for one in servers.values():
        known = addresses.get(one.jurisdiction, ())
        addresses[one.jurisdiction] = (*known, ground.topology.node(one.node).address)
    return PlacementPlan(
        servers={
            name: replace(one, peers={other: addresses[other] for other in one.peers})
            for name, one in servers.items()
        },
        stores={
            name: replace(one, backs_up={other: addresses[other] for other in one.backs_up})
            for name, one in ground.plan.stores.items()
        },
    )


def _standby_abroad(ground: _Ground) -> PlacementPlan:
    return _moved(ground, takes_over=False)


def _failover_abroad(ground: _Ground) -> PlacementPlan:
    return _moved(ground, takes_over=True)


MUTANTS: Mapping[str, Callable[[_Ground], PlacementPlan]] = MappingProxyType(
    {
        "unfiltered_publication": _unfiltered_publication,
        "forgotten_column": _forgotten_column,
        "central_statement_log": _central_statement_log,
        "backup_abroad": _backup_abroad,
        "standby_abroad": _standby_abroad,
        "cache_abroad": _cache_abroad,
        "failover_abroad": _failover_abroad,
        "consul_value": _consul_value,
        "stray_replica": _stray_replica,
    }
)
"""Name, as the variable ``placement_mutant`` has it -> what it does to a plan."""
