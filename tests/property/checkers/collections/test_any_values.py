"""Whatever values operations have: a verdict or a refusal with the lines, never anything else."""

from __future__ import annotations

import importlib
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity
from testbed.history.problem import HistoryError
from tests.columns import table_of
from tests.property.checkers.collections.drawn import drawn

pytestmark = pytest.mark.property

MODELS = {
    "simple_set": ("add", "read"),
    "set_full": ("add", "read"),
    "total_queue": ("enqueue", "dequeue", "drain"),
    "unique_ids": ("generate",),
    "counter": ("add", "read"),
    "bank": ("read", "transfer"),
    "long_fork": ("txn", "read"),
    "causal_reverse": ("write", "read"),
    "monotonic": ("add", "inc", "read", "read-at"),
    "sequential": ("read",),
}
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.just(2**70) | st.just(1.5)
TEXTS = st.sampled_from(["", "r", "w", "val", "x"])
JSON = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=5,
)
LIKELY = (
    JSON
    | st.lists(st.integers(0, 3), max_size=3)
    | st.lists(
        st.tuples(TEXTS, st.integers(0, 2), st.none() | st.integers(0, 1)).map(list), max_size=3
    )
)


@given(
    model=st.sampled_from(sorted(MODELS)),
    seed=st.integers(0, 2**48),
    values=st.lists(LIKELY, min_size=1, max_size=6),
)
def test_a_verdict_or_a_refusal(model: str, seed: int, values: list[Any]) -> None:
    rng = random.Random(seed)
    lines = drawn(
        rng,
        lambda rng: (rng.choice(MODELS[model]), rng.choice([None, *values])),
        lambda rng, *_: rng.choice(values),
        count=5,
    )
    keyed = [{**line, "key": rng.choice([None, "k"]), "time": 0} for line in lines]
    check = importlib.import_module(f"testbed.checkers.collections.{model}").check
    try:
        verdict = check(table_of(keyed), Request())
    except HistoryError:
        return
    assert (verdict.validity is Validity.VIOLATION) == bool(verdict.counterexample)
    assert verdict.reason
