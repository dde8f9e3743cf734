"""The workloads by name: a new one is a file beside its siblings, and a line here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from testbed.topology.model import Topology
from testbed.workloads.bank import BankWorkload
from testbed.workloads.counters import CountersWorkload
from testbed.workloads.elements import ElementsWorkload
from testbed.workloads.items import ItemsWorkload
from testbed.workloads.parameter import WorkloadError
from testbed.workloads.personal_data import PersonalDataWorkload
from testbed.workloads.protocol import Workload
from testbed.workloads.register import RegisterWorkload
from testbed.workloads.sessions import SessionsWorkload
from testbed.workloads.set import SetWorkload

WorkloadClass = (
    type[SetWorkload]
    | type[RegisterWorkload]
    | type[BankWorkload]
    | type[ItemsWorkload]
    | type[CountersWorkload]
    | type[ElementsWorkload]
    | type[PersonalDataWorkload]
    | type[SessionsWorkload]
)

_CLASSES: tuple[WorkloadClass, ...] = (
    SetWorkload,
    RegisterWorkload,
    BankWorkload,
    ItemsWorkload,
    CountersWorkload,
    ElementsWorkload,
    PersonalDataWorkload,
    SessionsWorkload,
)

WORKLOADS: Mapping[str, WorkloadClass] = MappingProxyType(
    {workload.name: workload for workload in _CLASSES}
)


def workload_class(name: str) -> WorkloadClass:
    """The class of that name, for the functions that it knows.

    Raises:
        WorkloadError: There is none; lists those that there are.
    """
    if name not in WORKLOADS:
        known = ", ".join(sorted(WORKLOADS))
        raise WorkloadError([f"unknown workload '{name}'; there are {known}"])
    return WORKLOADS[name]


def make(name: str, parameters: Mapping[str, Any], topology: Topology, space: int = 0) -> Workload:
    """A workload for the clients of every region of a topology.

    Args:
        name: A key of ``WORKLOADS``.
        parameters: Its own, by name.
        topology: Whose clients take part.
        space: Number of the run, for a workload whose values no other run may have.

    Raises:
        WorkloadError: With every problem of the name or the parameters.
    """
    return workload_class(name)(parameters, topology.regions, space)


def problems(name: str, parameters: Mapping[str, Any]) -> Sequence[str]:
    """Every problem that ``make`` would raise, whatever the topology."""
    try:
        workload_class(name)(parameters, ())
    except WorkloadError as error:
        return error.problems
    return ()
