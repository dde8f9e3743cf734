"""Runs made of arbitrary text and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from faults.protocol import Evidence
from testbed.report.judgement import (
    DataLoss,
    FaultRecord,
    Judgement,
    LagPoint,
    LinkLag,
    LinkReading,
    LostWrite,
    Outcome,
    Promise,
    Recovery,
    ReplicationLag,
)
from testbed.report.log_lines import LogLine
from testbed.report.reading import Problem
from testbed.report.recorded import Call, FaultMark, RecordedRun, RoleSample
from testbed.runner.plan import Load, Plan, Step

HOSTILE = (
    "<script>alert(1)</script>",
    "]]>",
    "<!--",
    "-->",
    "</pre></style></title>",
    "\"'&amp;&#0;",
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[2J\x1b]0;title\x07",
    "[bold]markup[/]",
    "\u202egpj\u2066",
    "\x00\x0b\ufffe\uffff\ud800",
    "",
)
texts = st.one_of(
    st.sampled_from(HOSTILE),
    # Every code point that exists, lone surrogates included.
    st.text(st.characters(codec=None, categories=None), max_size=12),
)
times = st.one_of(st.none(), st.floats(-10, 1e6))
numbers = st.one_of(st.none(), st.floats(-1e12, 1e12))
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)
lines = st.fixed_dictionaries(
    {"time": values, "type": values, "f": values},
    optional={
        "start_ns": values,
        "end_ns": values,
        "outcome": values,
        "process": values,
        "key": values,
        "value": values,
        "error": values,
        "node": values,
    },
)


def several(what: st.SearchStrategy[Any], size: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    """A few of it."""
    return st.lists(what, max_size=size).map(tuple)


figures = st.dictionaries(texts, st.floats(-1e9, 1e9), max_size=3)
spots = st.integers(-(10**6), 10**13) | st.floats() | st.none() | st.booleans()
operations = st.fixed_dictionaries(
    {"f": values, "start_ns": spots},
    optional={
        "process": values, "region": values, "node": values, "key": values, "value": values,
        "outcome": values, "end_ns": spots, "kind": st.just("lost") | values,
        "missing_at": values, "after_fault_ms": spots,
    },
)  # fmt: skip
aliases = st.sampled_from(("T1", "T2", "\x00<")) | values
transactions = st.fixed_dictionaries(
    {"name": aliases, "start": spots}, optional={"end": spots, "outcome": values, "process": values}
)
edges = st.fixed_dictionaries({"from": aliases, "to": aliases}, optional={"kind": values})
counterexamples = (
    values
    | operations
    | st.lists(operations, max_size=3)
    | st.fixed_dictionaries(
        {"text": values | st.lists(texts, max_size=3)},
        optional={
            "operations": values | st.lists(operations | transactions, max_size=3),
            "versions": values,
            "edges": values | st.lists(edges, max_size=3),
        },
    )
    | st.fixed_dictionaries(
        {}, optional={"from_ns": spots, "to_ns": spots, "old": operations, "new": operations}
    )
)
promises = st.builds(
    Promise,
    texts,
    texts,
    st.sampled_from(Outcome),
    texts,
    several(lines | counterexamples),
    figures,
)
records = st.builds(FaultRecord, texts, texts, texts, numbers, times, times, times, times)
losses = st.builds(
    DataLoss,
    several(st.builds(LostWrite, values, values, times, texts, texts, texts)),
    numbers,
    numbers,
    numbers,
    numbers,
)
lag_ms = st.floats(0, 1e12)
lags = st.builds(
    ReplicationLag,
    numbers,
    several(
        st.builds(
            LinkLag,
            texts,
            texts,
            texts,
            texts,
            numbers,
            numbers,
            numbers,
            st.tuples(*[st.none() | st.tuples(lag_ms, lag_ms)] * 4),
            several(st.builds(LagPoint, st.floats(-10, 1e6), lag_ms, lag_ms, lag_ms, lag_ms)),
        )
    ),
)
judgements = st.builds(
    Judgement,
    outcome=st.sampled_from(Outcome),
    reasons=several(texts),
    experiment=texts,
    example=texts,
    started=texts,
    promises=several(promises),
    recoveries=several(st.builds(Recovery, texts, texts, times, times, times, times)),
    loss=st.none() | losses,
    lag=st.none() | lags,
    availability=figures,
    schedule=several(records),
    links=several(st.builds(LinkReading, texts, numbers, numbers, numbers, numbers)),
    regions=st.dictionaries(texts, texts, max_size=3),
    nodes=st.dictionaries(texts, texts, max_size=3),
    environment=st.dictionaries(texts, values, max_size=3)
    | st.fixed_dictionaries({"programs": st.dictionaries(texts, values, max_size=2)}),
)
steps = st.builds(
    Step, texts, texts, st.floats(0, 1e4), times, st.dictionaries(texts, values, max_size=2)
)
plans = st.builds(
    Plan,
    deployment=texts,
    load=st.builds(Load, texts, st.floats(0, 1e5), st.integers(0, 99), st.integers(0, 9999)),
    schedule=several(steps),
    seed=st.integers(0, 2**63),
    duration_s=st.floats(0, 1e5),
    variables=st.dictionaries(texts, values, max_size=2),
)
moments = st.floats(0, 1e4)
calls = st.builds(
    Call,
    texts,
    texts,
    st.sampled_from(["add", "count"]),
    st.sampled_from(["write", "read", "other"]),
    moments,
    moments,
    moments,
    st.sampled_from(["ok", "fail", "info", "?"]),
    texts,
)
evidence = st.builds(
    Evidence,
    texts,
    texts,
    st.booleans(),
    texts,
    st.dictionaries(texts, values, max_size=2),
    st.integers(0, 10**13),
)
roles = st.builds(
    RoleSample, moments, texts, st.sampled_from(["primary", "replica"]) | texts, texts, texts
)
names = texts.filter(lambda name: "\0" not in name and "/" not in name).map(
    lambda name: Path("/runs") / (name or "x")
)
runs = st.builds(
    RecordedRun,
    folder=names,
    plan=st.none() | plans,
    judgement=st.none() | judgements,
    calls=several(calls, 6),
    marks=several(st.builds(FaultMark, moments, texts, texts, texts, texts, st.booleans())),
    roles=several(roles, 6).map(lambda found: tuple(sorted(found))),
    evidence=several(evidence),
    logs=several(st.builds(LogLine, moments, texts, texts, texts)).map(lambda x: tuple(sorted(x))),
    problems=several(st.builds(Problem, texts, texts, texts)),
)
