"""The promises of failover, each judged from what clients saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from experiments import physics
from experiments.failover_expectations import expectations, lasting
from experiments.in_time import in_time
from experiments.setting import Setting, adequate, healed_ns, recovery_bound_ms, required
from testbed.checkers import (
    adequacy,
    bank,
    durability,
    monotonic,
    recovery,
    recovery_time,
    register,
    service,
    single_primary,
)
from testbed.checkers.verdict import Verdict

REPLICATION_MS = 150.0
"""What replication itself may add to the longest delay of a link: for the estimate of a loss."""


def failover(setting: Setting) -> tuple[Verdict, ...]:
    """Every promise of the failover experiment.

    Raises:
        HistoryError: The history contradicts itself.
    """
    run = setting.run
    needed = required(setting)
    unserved = adequacy.unserved_before(run.history, needed)
    verdicts = [
        adequate(setting, needed),
        physics.check(run, setting.writes),
        *_WORKLOAD_PROMISES[run.plan.load.workload](setting),
        single_primary.check(run.history, setting.writes),
        _recovered(setting),
    ]
    expected = tuple(expectations(setting))
    if run.plan.schedule:
        found = recovery_time.check(run.history, expected, setting.writes)
        verdicts.append(in_time(setting, found, unserved))
    if staying := tuple(lasting(expected)):
        found = service.check(run.history, staying, setting.writes)
        verdicts.append(in_time(setting, found, unserved))
    return tuple(verdicts)


def _recovered(setting: Setting) -> Verdict:
    run = setting.run
    found = recovery.check(
        run.history,
        setting.nodes,
        healed_ns=healed_ns(setting),
        bound_ms=recovery_bound_ms(setting),
    )
    return in_time(setting, found)


def _set_promises(setting: Setting) -> tuple[Verdict, ...]:
    delay_ms = max(link.delay_ms for link in setting.run.deployment.topology.links)
    return (
        durability.check(setting.run.history, setting.nodes, delay_ms + REPLICATION_MS),
        monotonic.check_counts(setting.run.history),
    )


def _register_promises(setting: Setting) -> tuple[Verdict, ...]:
    return (
        register.check(setting.run.history),
        monotonic.check_versions(setting.run.history),
    )


def _bank_promises(setting: Setting) -> tuple[Verdict, ...]:
    return (bank.check(setting.run.history),)


_WORKLOAD_PROMISES: Mapping[str, Callable[[Setting], tuple[Verdict, ...]]] = MappingProxyType(
    {"set": _set_promises, "register": _register_promises, "bank": _bank_promises}
)
