"""Whatever a plan says, a step is good or refused in words; nothing else is raised."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from faults.catalogue import CATALOGUE, build, problems
from faults.parameter import Parameter
from faults.program import PROGRAMS
from faults.protocol import FaultError
from faults.target import TargetKind
from tests.unit.faults.fakes import TOPOLOGY, topology_for

REGIONS = [region.name for region in TOPOLOGY.regions]
NODES = [node.name for node in TOPOLOGY.nodes]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
MARKS = ["role:", "region-of:", "primary", "dcs-leader", "->", "/", "wan", ""]
WORDS = st.sampled_from([*REGIONS, *NODES, *PROGRAMS, *CATALOGUE, *MARKS])
NAMES = sorted({p.name for fault in CATALOGUE.values() for p in fault.manual.parameters})
PARAMETERS = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=12), JSON, max_size=4)


@given(
    kind=st.sampled_from(list(CATALOGUE)) | st.text(max_size=12),
    target=st.lists(WORDS, max_size=5).map("".join) | st.text(max_size=20),
    parameters=PARAMETERS,
)
def test_problems_and_refusal_agree(kind: str, target: str, parameters: dict[str, Any]) -> None:
    found = problems(kind, target, parameters, TOPOLOGY)
    assert all(isinstance(problem, str) and problem for problem in found)
    try:
        fault = build(kind, target, parameters)
    except FaultError:
        assert found
    else:
        assert fault.title == f"{kind} {target}"


def _values(parameter: Parameter) -> st.SearchStrategy[Any]:
    if parameter.unit:
        return st.integers(parameter.minimum, parameter.maximum)
    if parameter.choices:
        return st.sampled_from(parameter.choices)
    return st.just("us-east-db1")


def _targets(kind: TargetKind) -> st.SearchStrategy[str]:
    regions = st.sampled_from([*REGIONS, "region-of:primary", "region-of:dcs-leader"])
    databases = st.sampled_from(["eu-west-db1", "role:primary"])
    return {
        TargetKind.REGION: regions,
        TargetKind.LINK: st.tuples(regions, regions)
        .filter(lambda ends: ends[0] != ends[1])
        .map("->".join),
        TargetKind.NODE: databases,
        TargetKind.PROGRAM: databases.flatmap(
            lambda node: st.sampled_from(["postgres", "patroni", "consul", "observer"]).map(
                lambda program: f"{node}/{program}"
            )
        ),
        TargetKind.LEADER: st.just("role:dcs-leader"),
    }[kind]


@st.composite
def good_steps(draw: st.DrawFn) -> tuple[str, str, dict[str, Any]]:
    fault = CATALOGUE[draw(st.sampled_from(list(CATALOGUE)))]
    given_ = {
        parameter.name: draw(_values(parameter))
        for parameter in fault.manual.parameters
        if parameter.required or draw(st.booleans())
    }
    # Slices may not vary by more than their size; the one limit that two parameters share.
    if "size_variation_bytes" in given_:
        given_["size_variation_bytes"] %= given_["average_size_bytes"]
    return fault.kind, draw(_targets(fault.manual.target)), given_


@given(good_steps())
def test_everything_within_the_manual_is_accepted(step: tuple[str, str, dict[str, Any]]) -> None:
    kind, target, parameters = step
    assert problems(kind, target, parameters, topology_for(kind)) == []
    assert build(kind, target, parameters).kind == kind


@given(good_steps(), st.data())
def test_one_wrong_value_is_one_problem(
    step: tuple[str, str, dict[str, Any]], data: st.DataObject
) -> None:
    kind, target, parameters = step
    schema = CATALOGUE[kind].manual.parameters
    numbers = [parameter for parameter in schema if parameter.unit]
    if not numbers:
        return
    parameter = data.draw(st.sampled_from(numbers))
    wrong = data.draw(
        st.integers(max_value=parameter.minimum - 1)
        | st.integers(min_value=parameter.maximum + 1)
        | st.text(max_size=5)
    )
    (problem,) = problems(kind, target, {**parameters, parameter.name: wrong}, TOPOLOGY)
    assert f"'{parameter.name}'" in problem
