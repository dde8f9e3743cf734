from __future__ import annotations

import random
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.clients.protocol import Invocation
from testbed.topology.model import Region, Topology
from testbed.workloads.catalogue import WORKLOADS, make
from testbed.workloads.protocol import Workload
from testbed.workloads.unique import REGIONS_MAX, unique_values

pytestmark = pytest.mark.property

NAMES = ("eu-west", "eu-central", "us-east")
TOPOLOGY = Topology(tuple(Region(name, "", n) for n, name in enumerate(NAMES, 1)), (), ())
seeds = st.integers(0, 2**32)
names = st.sampled_from(sorted(WORKLOADS))


def taken(workload: Workload, region: str, seed: int, count: int = 200) -> list[Invocation]:
    return list(islice(workload.stream(region, random.Random(seed)), count))


@given(names, seeds)
def test_the_same_seed_gives_the_same_operations(name: str, seed: int) -> None:
    first, second = (taken(make(name, {}, TOPOLOGY), "us-east", seed) for _ in range(2))
    assert first == second


@given(names, seeds)
def test_every_function_is_of_one_class_and_enters_where_it_belongs(name: str, seed: int) -> None:
    workload = make(name, {}, TOPOLOGY)
    for what in taken(workload, "eu-west", seed):
        classes = (workload.writes, workload.reads, workload.replica_reads)
        assert [what.f in functions for functions in classes].count(True) == 1
        if name == "sessions" and what.f in {"read", "write"}:
            assert what.endpoint == "session"
        else:
            assert what.endpoint == ("reader" if what.f in workload.replica_reads else "writer")


@given(seeds)
def test_values_are_unique_over_regions(seed: int) -> None:
    for name in ("set", "register", "items"):
        workload = make(name, {}, TOPOLOGY)
        written = [
            what.value[1] if what.f == "cas" else what.value
            for region in NAMES
            for what in taken(workload, region, seed)
            if what.f in workload.writes and what.f != "delete"
        ]
        assert len(written) == len(set(written)) > 0


@given(seeds, st.integers(0, 90))
def test_shares_are_kept(seed: int, percent: int) -> None:
    workload = make("set", {"replica_reads_percent": percent}, TOPOLOGY)
    stream = taken(workload, "eu-west", seed, 2000)
    counts = sum(what.f == "count" for what in stream)
    assert abs(counts - 20 * percent) < 200


@given(seeds)
def test_a_register_expects_what_its_region_wrote_last(seed: int) -> None:
    last: dict[int, int] = {}
    swaps = 0
    for what in taken(make("register", {"keys": 3}, TOPOLOGY), "eu-west", seed):
        if what.f == "cas":
            swaps += 1
            assert what.value[0] == last[what.key]
            last[what.key] = what.value[1]
        elif what.f == "write":
            last[what.key] = what.value
    assert swaps > 0


@given(seeds)
def test_transfers_move_money_between_two_accounts(seed: int) -> None:
    parameters = {"accounts": 2, "amount_max": 3}
    for what in taken(make("bank", parameters, TOPOLOGY), "eu-west", seed):
        if what.f == "transfer":
            assert {what.value["from"], what.value["to"]} == {0, 1}
            assert 1 <= what.value["amount"] <= 3


def test_more_regions_than_two_digits_tell_apart_are_refused() -> None:
    many = [str(number) for number in range(REGIONS_MAX + 1)]
    last = many[REGIONS_MAX - 1]
    assert next(unique_values(many[:REGIONS_MAX], last)) == 199
    with pytest.raises(ValueError, match="99 regions"):
        unique_values(many, last)
