from __future__ import annotations

from dataclasses import replace

import pytest

from testbed.report.judgement import FaultRecord, Judgement, Outcome
from testbed.report.lanes import (
    RoleSpan,
    answered_spans,
    fault_spans,
    fault_title,
    full_title,
    node_region,
    overlaps,
    role_spans,
)
from testbed.report.recorded import RecordedRun, RoleSample
from testbed.report.timeline import Bins


def sample(time_s: float, role: str, timeline: str = "1", node: str = "n") -> RoleSample:
    return RoleSample(time_s, node, role, timeline, "")


def test_equal_samples_become_one_span_until_the_next_role() -> None:
    samples = [sample(at, "primary") for at in range(5)] + [sample(5, "replica")]
    found = role_spans(samples, 0.0, 10.0)
    assert [(span.role, span.start_s, span.end_s) for span in found] == [
        ("primary", 0, 5),
        ("replica", 5, 10.0),
    ]


def test_a_new_timeline_is_a_new_span() -> None:
    samples = [sample(0, "primary"), sample(3, "primary", timeline="2")]
    assert [span.timeline for span in role_spans(samples, 0.0, 4.0)] == ["1", "2"]


def test_a_timeline_that_is_not_told_is_the_one_before() -> None:
    samples = [sample(0, "primary"), sample(3, "primary", timeline=""), sample(4, "primary")]
    (found,) = role_spans(samples, 0.0, 5.0)
    assert (found.timeline, found.start_s, found.end_s) == ("1", 0, 5.0)


def test_roles_outside_of_the_figure_are_cut_to_it() -> None:
    samples = [sample(-9, "replica"), sample(-5, "primary"), sample(50, "replica")]
    (found,) = role_spans(samples, 0.0, 10.0)
    assert (found.role, found.start_s, found.end_s) == ("primary", 0.0, 50)


def test_a_standby_clusters_leader_is_no_primary() -> None:
    assert not RoleSpan("n", "standby_leader", "", 0.0, 1.0).primary


def test_two_primaries_at_once_are_found() -> None:
    samples = [sample(0, "primary", node="a"), sample(3, "primary", node="b")]
    samples += [sample(5, "replica", node="a")]
    ((first, second, start_s, end_s),) = overlaps(role_spans(samples, 0.0, 9.0))
    assert (first.node, second.node, start_s, end_s) == ("a", "b", 3, 5)


def test_each_cluster_has_a_primary_of_its_own() -> None:
    claims = [
        sample(at, "primary", node=node)._replace(cluster=cluster)
        for at, node, cluster in ((0, "a1", "a"), (0, "b1", "b"), (4, "b2", "b"))
    ]
    found = overlaps(role_spans(claims, 0.0, 9.0))
    assert [(first.node, second.node) for first, second, *_ in found] == [("b1", "b2")]


def test_a_handover_is_no_overlap(broken: RecordedRun) -> None:
    assert overlaps(role_spans(broken.roles, 0.0, 60.0)) == []


@pytest.mark.parametrize(
    ("fault", "momentary", "healed", "end_s"),
    [
        (FaultRecord("region-cut", "a", "", 30.0, 10.0, 10.4, 40.0, 40.5), False, True, 40.0),
        (FaultRecord("region-cut", "a", "", 30.0, 10.0, 10.4), False, False, 60.0),
        (FaultRecord("switchover", "a", "", None, 10.0, 10.4), True, True, 10.0),
    ],
)
def test_a_fault_ends_with_its_heal_or_with_the_run(
    broken: RecordedRun, fault: FaultRecord, momentary: bool, healed: bool, end_s: float
) -> None:
    run = replace(broken, plan=None, judgement=Judgement(Outcome.VALID, schedule=(fault,)))
    (span,) = fault_spans(run, 60.0)
    assert (span.momentary, span.healed, span.end_s) == (momentary, healed, end_s)


def test_a_fault_that_was_never_injected_is_not_drawn(broken: RecordedRun) -> None:
    judged = Judgement(Outcome.UNKNOWN, schedule=(FaultRecord("region-cut", "a"),))
    assert fault_spans(replace(broken, judgement=judged), 60.0) == []


def test_titles_name_what_a_role_stood_for(broken: RecordedRun) -> None:
    assert fault_title(FaultRecord("kill", "n1", "n1")) == "kill n1"
    assert fault_title(FaultRecord("kill", "role:primary", "n1")) == "kill n1 (role:primary)"
    found = full_title(broken, "region-cut region-of:primary", 12.0)
    assert found == "region-cut eu-west (region-of:primary)"
    assert full_title(broken, "something else", None) == "something else"


def test_a_title_that_comes_twice_is_told_apart_by_time(broken: RecordedRun) -> None:
    faults = tuple(
        FaultRecord("region-cut", "region-of:primary", name, inject_s=at)
        for name, at in (("eu-west", 10.0), ("us-east", 50.0))
    )
    run = replace(broken, judgement=Judgement(Outcome.VALID, schedule=faults))
    assert "eu-west" in full_title(run, "region-cut region-of:primary", 20.0)
    assert "us-east" in full_title(run, "region-cut region-of:primary", 51.0)


def test_a_nodes_region_is_known_or_read_off_its_name(broken: RecordedRun) -> None:
    assert node_region(broken, "eu-west-db1", ["eu", "eu-west"]) == "eu-west"
    assert (
        node_region(replace(broken, judgement=None), "eu-west-db1", ["eu", "eu-west"]) == "eu-west"
    )
    assert node_region(broken, "wan", ["eu-west"]) == ""


def test_who_answered_is_one_span_until_it_changes() -> None:
    found = answered_spans(["a", "a", None, "a", "b", None, None, None, "b"], Bins(0.0, 1.0, 9))
    assert found == [("a", 0.0, 4.0), ("b", 4.0, 5.0), ("b", 8.0, 9.0)]
