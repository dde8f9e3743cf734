from __future__ import annotations

import random

import pytest

from testbed.topology.model import Region, Topology
from testbed.workloads.catalogue import WORKLOADS, make, problems
from testbed.workloads.parameter import WorkloadError

TOPOLOGY = Topology((Region("eu-west", "EU", 1), Region("us-east", "US", 2)), (), ())


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_each_workload_is_made_by_name(name: str) -> None:
    workload = make(name, {}, TOPOLOGY)
    assert workload.name == name
    # Some tables belong to the deployment: logical replication brings none.
    made_before = name in {"items", "counters", "elements", "personal_data"}
    assert [what.f for what in workload.setup()][:1] == ([] if made_before else ["schema"])
    assert workload.final()
    assert problems(name, {}) == ()


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    known = "bank, counters, elements, items, personal_data, register, sessions, set"
    with pytest.raises(WorkloadError, match=known):
        make("queue", {}, TOPOLOGY)
    assert problems("queue", {})


def test_all_problems_of_parameters_are_listed_at_once() -> None:
    found = problems("bank", {"accounts": 1, "balance": "many", "colour": 3, "amount_max": True})
    assert [problem.split("'")[1] for problem in found] == [
        "colour",
        "accounts",
        "balance",
        "amount_max",
    ]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("bank", {"reads_percent": 75}), ("register", {"reads_percent": 75, "cas_percent": 0})],
)
def test_shares_must_leave_room_for_writes(name: str, parameters: dict[str, int]) -> None:
    assert "leave 5 percent" in problems(name, parameters)[0]


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_a_region_that_takes_no_part_is_refused(name: str) -> None:
    with pytest.raises(KeyError):
        next(make(name, {}, TOPOLOGY).stream("moon", random.Random(1)))


@pytest.mark.parametrize("name", ["items", "counters"])
def test_homes_are_handed_over_only_where_that_is_asked_for(name: str) -> None:
    def functions(parameters: dict[str, int]) -> set[str]:
        stream = make(name, parameters, TOPOLOGY).stream("eu-west", random.Random(1))
        return {next(stream).f for _ in range(300)}

    assert functions({"hand_overs_percent": 20}) - functions({}) == {"hand-over"}


def test_homes_are_taken_over_only_where_that_is_asked_for() -> None:
    stream = make("items", {"take_overs_percent": 20}, TOPOLOGY).stream("eu-west", random.Random(1))
    functions = [next(stream).f for _ in range(300)]
    assert 30 < functions.count("take-over") < 90
    assert "hand-over" not in functions
