"""Plans survive JSON without loss, and whatever is no plan is refused with all its problems."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.runner.plan import PLAN_VERSION, Load, Plan, Step
from testbed.runner.plan_document import PlanError, digest, from_document, to_document

pytestmark = pytest.mark.property

_texts = st.text(min_size=1, max_size=20)
_seconds = st.floats(0.1, 1e6)
_scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
_steps = st.builds(
    Step,
    kind=_texts,
    target=_texts,
    at_s=st.floats(0, 1e6),
    duration_s=st.none() | _seconds,
    parameters=st.dictionaries(_texts, _scalars, max_size=3),
)
_plans = st.builds(
    Plan,
    deployment=_texts,
    load=st.builds(
        Load,
        workload=_texts,
        rate_ops_s=_seconds,
        processes=st.integers(1, 100),
        timeout_ms=st.integers(1, 100_000),
        parameters=st.dictionaries(_texts, _scalars, max_size=3),
    ),
    schedule=st.lists(_steps, max_size=4).map(tuple),
    seed=st.integers(-(2**63), 2**63),
    duration_s=_seconds,
    variables=st.dictionaries(_texts, _scalars, max_size=3),
    experiment=_texts,
    recovery_s=st.none() | _seconds,
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(_plans)
def test_a_plan_survives_json(plan: Plan) -> None:
    assert from_document(json.loads(json.dumps(to_document(plan)))) == plan


@given(_plans, st.integers())
def test_the_digest_tells_plans_apart(plan: Plan, seed: int) -> None:
    other = replace(plan, seed=seed)
    assert (digest(plan) == digest(other)) == (plan == other)


@given(_json)
def test_anything_else_is_refused_in_words(document: object) -> None:
    with pytest.raises(PlanError) as refused:
        from_document(document)
    assert refused.value.problems
    assert all(problem.strip() for problem in refused.value.problems)


@given(_plans, st.sampled_from(["seed", "duration_s", "deployment", "load", "schedule"]), _json)
def test_every_problem_is_listed_at_once(plan: Plan, name: str, value: object) -> None:
    document = {**to_document(plan), name: {"wrong": value}, "surplus": 1}
    with pytest.raises(PlanError) as refused:
        from_document(document)
    text = str(refused.value)
    assert "unknown field 'surplus'" in text
    assert len(refused.value.problems) >= 2


@given(_plans, st.integers(1, 1000))
def test_a_newer_version_is_refused(plan: Plan, newer: int) -> None:
    with pytest.raises(PlanError, match="use a newer testbed"):
        from_document({**to_document(plan), "version": PLAN_VERSION + newer})
