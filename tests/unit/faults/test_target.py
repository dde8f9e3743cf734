"""Targets: what is wrong with one before anything runs, and what one means at a moment."""

from __future__ import annotations

import asyncio

import pytest

from faults.target import (
    LinkTarget,
    ProgramTarget,
    TargetKind,
    resolve_link,
    resolve_program,
    target_problems,
)
from testbed.topology.model import Link, Topology
from tests.unit.faults.fakes import TOPOLOGY

GOOD = [
    (TargetKind.REGION, "eu-west"),
    (TargetKind.REGION, "region-of:primary"),
    (TargetKind.REGION, "region-of:dcs-leader"),
    (TargetKind.LINK, "eu-west->us-east"),
    (TargetKind.LINK, "region-of:primary->us-east"),
    (TargetKind.LINK, "us-east->region-of:dcs-leader"),
    (TargetKind.NODE, "eu-west-lb1"),
    (TargetKind.NODE, "role:primary"),
    (TargetKind.PROGRAM, "eu-west-db1/postgres"),
    (TargetKind.PROGRAM, "eu-west-lb1/haproxy"),
    (TargetKind.PROGRAM, "role:primary/consul"),
    (TargetKind.LEADER, "role:dcs-leader"),
]

BAD = [
    (TargetKind.REGION, "eu-wets", "did you mean 'eu-west'?"),
    (TargetKind.REGION, "eu-west-db1", "is no region"),
    (TargetKind.REGION, "role:primary", "write region-of:primary"),
    (TargetKind.REGION, "region-of:primry", "did you mean 'primary'?"),
    (TargetKind.REGION, "", "must be a text"),
    (TargetKind.LINK, "eu-west", "is no link"),
    (TargetKind.LINK, "eu-west->us-east->eu-west", "is no link"),
    (TargetKind.LINK, "eu-west->eu-west", "to itself"),
    (TargetKind.LINK, "region-of:primary->region-of:primary", "to itself"),
    (TargetKind.LINK, "eu-west->mars", "unknown region 'mars'"),
    (TargetKind.LINK, "eu-west-db1->us-east", "is no region"),
    (TargetKind.NODE, "eu-west", "is no node"),
    (TargetKind.NODE, "region-of:primary", "write role:primary"),
    (TargetKind.NODE, "role:boss", "unknown role 'boss'"),
    (TargetKind.NODE, "wan", "unknown node 'wan'"),
    (TargetKind.PROGRAM, "eu-west-db1", "names no program"),
    (TargetKind.PROGRAM, "eu-west-db1/postgers", "did you mean 'postgres'?"),
    (TargetKind.PROGRAM, "eu-west-db1/haproxy", "does not run haproxy"),
    (TargetKind.PROGRAM, "role:primary/haproxy", "may hold the role 'primary'"),
    (TargetKind.PROGRAM, "mars/consul", "unknown node 'mars'"),
    (TargetKind.LEADER, "role:primary", "must be 'role:dcs-leader'"),
]


@pytest.mark.parametrize(("kind", "target"), GOOD)
def test_good_targets_have_no_problems(kind: TargetKind, target: str) -> None:
    assert target_problems(kind, target, TOPOLOGY) == []


@pytest.mark.parametrize(("kind", "target", "said"), BAD)
def test_bad_targets_say_what_is_wrong(kind: TargetKind, target: str, said: str) -> None:
    problems = target_problems(kind, target, TOPOLOGY)
    assert problems
    assert any(said in problem for problem in problems), problems


def test_both_ends_of_a_link_are_reported() -> None:
    assert len(target_problems(TargetKind.LINK, "mars->venus", TOPOLOGY)) == 2


def test_a_link_that_the_topology_lacks_is_reported() -> None:
    one = Topology(TOPOLOGY.regions, (Link("eu-west", "us-east", 1.0),), TOPOLOGY.nodes)
    assert target_problems(TargetKind.LINK, "eu-west->us-east", one) == []
    (problem,) = target_problems(TargetKind.LINK, "us-east->eu-west", one)
    assert "it has: eu-west->us-east" in problem


def test_a_role_that_nobody_can_hold_is_reported() -> None:
    without = Topology(TOPOLOGY.regions, TOPOLOGY.links, TOPOLOGY.members("haproxy"))
    (problem,) = target_problems(TargetKind.NODE, "role:primary", without)
    assert "no node of this deployment may" in problem


def test_targets_are_resolved_part_by_part() -> None:
    async def resolve(target: str) -> str:
        return {"region-of:primary": "eu-west", "role:primary": "eu-west-db1"}.get(target, target)

    link = asyncio.run(resolve_link("region-of:primary->us-east", resolve))
    assert link == LinkTarget("eu-west", "us-east")
    assert link.name == "eu-west->us-east"
    assert asyncio.run(resolve_link("region-of:primary->eu-west", resolve)) is None
    program = asyncio.run(resolve_program("role:primary/consul", resolve))
    assert program == ProgramTarget("eu-west-db1", "consul")
