"""The catalogue: complete, buildable, and strict."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import faults
from faults.catalogue import CATALOGUE, build, problems
from faults.protocol import Fault, FaultError
from faults.reference import render
from testbed.topology.model import Topology
from tests.unit.faults.fakes import TOPOLOGY, topology_for

EXAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "region-cut": ("region-of:primary", {}),
    "link-cut": ("eu-west->us-east", {"direction": "both"}),
    "link-latency": ("eu-west->us-east", {"added_ms": 100}),
    "link-jitter": ("eu-west->us-east", {"jitter_ms": 20}),
    "link-bandwidth": ("eu-west->us-east", {"kbytes_s": 256}),
    "link-reset": ("eu-west->us-east", {}),
    "link-slow-close": ("eu-west->us-east", {"delay_ms": 500}),
    "link-limit-data": ("eu-west->us-east", {"limit_bytes": 10_000}),
    "link-slicer": ("eu-west->us-east", {"average_size_bytes": 512, "delay_us": 1000}),
    "link-timeout": ("eu-west->us-east", {"timeout_ms": 0}),
    "process-kill": ("role:primary/postgres", {"supervisor": "kill"}),
    "process-pause": ("eu-west-lb1/haproxy", {}),
    "node-kill": ("role:primary", {}),
    "node-pause": ("eu-west-db1", {}),
    "dcs-leader-loss": ("role:dcs-leader", {"mode": "pause"}),
    "switchover": ("role:primary", {"candidate": "us-east-db1"}),
    "clock-skew": ("us-east-db1", {"ahead_ms": -500}),
    "maintenance": ("eu-west", {"work": "add_column"}),
    "slot-loss": ("us-east-db1", {}),
    "slot-drop": ("eu-west", {}),
}


def test_every_fault_class_of_the_package_is_in_the_catalogue() -> None:
    found = set()
    for path in Path(faults.__file__).parent.glob("*.py"):
        module = importlib.import_module(f"faults.{path.stem}")
        found |= {
            value
            for value in vars(module).values()
            if inspect.isclass(value) and Fault in value.__mro__ and hasattr(value, "kind")
        }
    assert found == set(CATALOGUE.values())


@pytest.mark.parametrize("kind", CATALOGUE)
def test_every_kind_has_a_good_example_that_builds(kind: str) -> None:
    target, parameters = EXAMPLES[kind]
    assert problems(kind, target, parameters, topology_for(kind)) == []
    fault = build(kind, target, parameters)
    assert fault.kind == kind
    assert fault.title == f"{kind} {target}"


@pytest.mark.parametrize("kind", CATALOGUE)
def test_constructors_take_what_manuals_list_with_the_same_defaults(kind: str) -> None:
    fault = CATALOGUE[kind]
    taken = dict(inspect.signature(fault).parameters)
    assert taken.pop("target").default in (
        inspect.Parameter.empty,
        "role:dcs-leader",
        "role:primary",
    )
    assert set(taken) == {parameter.name for parameter in fault.manual.parameters}
    for parameter in fault.manual.parameters:
        default = taken[parameter.name].default
        assert parameter.required == (default is inspect.Parameter.empty)
        assert parameter.required or default == parameter.default


def test_an_unknown_kind_names_the_nearest() -> None:
    (problem,) = problems("region_cut", "eu-west", {}, TOPOLOGY)
    assert "did you mean 'region-cut'?" in problem
    with pytest.raises(FaultError, match="did you mean 'region-cut'"):
        build("region_cut", "eu-west", {})


def test_build_lists_every_problem() -> None:
    with pytest.raises(FaultError) as caught:
        build("link-latency", "eu-west->us-east", {"added_s": 1, "direction": "up"})
    said = str(caught.value)
    assert "added_s" in said
    assert "'added_ms' (milliseconds) is missing" in said
    assert "'direction'" in said


def test_problems_of_target_and_parameters_come_together() -> None:
    found = problems("link-latency", "eu-west->eu-west", {"added_ms": -5}, TOPOLOGY)
    assert len(found) == 2
    assert all(problem.startswith("link-latency: ") for problem in found)


def test_a_bandwidth_that_the_link_does_not_exceed_is_refused() -> None:
    links = tuple(replace(link, bandwidth_kbytes_s=300) for link in TOPOLOGY.links)
    slow = Topology(TOPOLOGY.regions, links, TOPOLOGY.nodes)
    assert problems("link-bandwidth", "eu-west->us-east", {"kbytes_s": 200}, slow) == []
    (one,) = problems("link-bandwidth", "eu-west->us-east", {"kbytes_s": 250}, slow)
    assert "ask for 200 or less" in one
    both = {"kbytes_s": 250, "direction": "both"}
    assert len(problems("link-bandwidth", "eu-west->us-east", both, slow)) == 2


def test_slices_may_not_vary_by_more_than_their_size() -> None:
    sizes = {"average_size_bytes": 512, "delay_us": 1000, "size_variation_bytes": 512}
    (problem,) = problems("link-slicer", "eu-west->us-east", sizes, TOPOLOGY)
    assert "must be less than the average size 512" in problem


@pytest.mark.parametrize(
    ("target", "candidate", "said"),
    [
        ("role:dcs-leader", None, "group 'postgres'"),
        ("eu-west-lb1", None, "group 'postgres'"),
        ("role:primary", "eu-west-lb1", "'candidate' must be"),
        ("role:primary", "us-east-bd1", "did you mean 'us-east-db1'"),
        ("eu-west-db1", "eu-west-db1", "is the target itself"),
    ],
)
def test_a_switchover_needs_nodes_that_run_postgresql(
    target: str, candidate: str | None, said: str
) -> None:
    found = problems("switchover", target, {"candidate": candidate}, TOPOLOGY)
    assert any(said in problem for problem in found), found


def test_the_reference_page_is_the_catalogue_s() -> None:
    page = Path(faults.__file__).parents[1] / "docs" / "reference" / "faults.md"
    assert page.read_text(encoding="utf-8") == render(CATALOGUE), (
        "run: python -m faults.reference > docs/reference/faults.md"
    )


def test_a_clock_is_moved_only_where_rows_are_stamped() -> None:
    (problem,) = problems("clock-skew", "us-east-db1", {"ahead_ms": 10}, TOPOLOGY)
    assert problem.endswith("name a node in group 'mesh' (this deployment has none)")
    (problem,) = problems("clock-skew", "us-east-lb1", {"ahead_ms": 10}, topology_for("clock-skew"))
    assert "us-east-lb1 stamps no rows" in problem


def test_maintenance_needs_a_placement_policy() -> None:
    (problem,) = problems("maintenance", "eu-west", {"work": "add_column"}, TOPOLOGY)
    assert "keeps no placement policy" in problem
