"""The experiments by name: a new one is a file beside ``failover.py`` and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Experiment:
    """A pytest module that states promises over a space of plans.

    Args:
        name: As in ``testbed run NAME`` and in a plan.
        module: Its import path.
        deployment: What it runs on when nothing else is asked for.
        summary: One line for people.
        workloads: What its clients do: those of the system must know one of them.
    """

    name: str
    module: str
    deployment: str
    summary: str
    workloads: tuple[str, ...]


EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        each.name: each
        for each in (
            Experiment(
                "failover",
                "experiments.failover",
                "active-passive",
                "regions and nodes fail; no acknowledged write is lost, service returns in time",
                ("set", "register", "bank"),
            ),
            Experiment(
                "conflict_resolution",
                "experiments.conflict_resolution",
                "active-active",
                "regions write the same rows while links are cut; they end with the same rows",
                ("items", "counters", "elements"),
            ),
            Experiment(
                "replication_lag",
                "experiments.replication_lag",
                "active-passive",
                "links are slow and narrow; sessions read what they wrote, at every replica",
                ("sessions",),
            ),
            Experiment(
                "data_placement",
                "experiments.data_placement",
                "data-placement",
                "jurisdictions fail and data moves; personal data is found nowhere abroad",
                ("personal_data",),
            ),
        )
    }
)
